"""The port: what casework needs of a CRM, and what can go wrong there."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, Protocol

from pydantic import JsonValue

from schemas.case import Record


class Written(NamedTuple):
    record: str
    """The other side's id."""
    created: bool


class Described(NamedTuple):
    """What a CRM takes: for each kind of record its values, and the field of the CRM each goes to."""

    name: str
    kinds: Mapping[str, Mapping[str, str]]
    faults: tuple[str, ...] = ()
    """Where the mapping and the CRM do not fit."""


class CrmPort(Protocol):
    """`ref` is a unique external reference on the other side: writing twice is writing once.

    An activity is logged by writing a record of that kind. Every method raises a CrmError and nothing else of its own.
    """

    def upsert(self, record: Record) -> Written:
        """Write these values; what the record does not name stays as it is there."""
        ...

    def find(self, kind: str, values: Mapping[str, str]) -> list[str]:
        """Give the refs of the records that have these values; a link is found by the ref it leads to."""
        ...

    def read(self, kind: str, ref: str) -> Mapping[str, JsonValue] | None:
        """Give the values of a record; None when there is none."""
        ...

    def describe(self) -> Described: ...


class CrmError(Exception):
    """Something went wrong at the CRM. Its text is ours: what the CRM says may quote a document."""


class Unavailable(CrmError):
    """It cannot be reached, is out of order or gave no answer, after which it may have written: ask again."""


class RateLimited(CrmError):
    """It wants to be asked less often, and may say when."""

    def __init__(self, after: timedelta | None = None) -> None:
        super().__init__("the CRM wants to be asked less often")
        self.after = after


class Unauthorised(CrmError):
    """It does not accept our credentials, or they do not suffice: an operator mends that, no person at a case."""


class Refused(CrmError):
    """It will not take this, however often it is asked: a person has to decide. `words` are the CRM's own."""

    def __init__(self, words: str) -> None:
        super().__init__("the CRM refuses what was to be written")
        self.words = words


class Invalid(Refused):
    """A value or a rule of the business is against it."""


class Ambiguous(Refused):
    """The reference leads to several records there, and none is the one."""


def changed(record: Record, there: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """The names of the values that are not there as the record has them."""
    values = {**record.values, **record.links}
    return tuple(name for name, value in values.items() if not _same(value, there.get(name)))


def _same(ours: JsonValue, theirs: JsonValue) -> bool:
    """Sums are the same however they are written: 119.00 is 119.0."""
    if ours == theirs:
        return True
    if ours is None or theirs is None:
        return False
    try:
        return Decimal(str(ours)) == Decimal(str(theirs))
    except InvalidOperation:
        return False
