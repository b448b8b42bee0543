"""CRMs to test on: what lies between us and one, and each with a way to count its records on its own side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event

from pydantic import JsonValue

from activities.crms.port import CrmPort, Described, Invalid, Written
from schemas.case import Record


@dataclass
class Through:
    """Passes everything on: what stands in the way overrides a method."""

    crm: CrmPort

    def upsert(self, record: Record) -> Written:
        return self.crm.upsert(record)

    def find(self, kind: str, values: Mapping[str, str]) -> list[str]:
        return self.crm.find(kind, values)

    def read(self, kind: str, ref: str) -> Mapping[str, JsonValue] | None:
        return self.crm.read(kind, ref)

    def describe(self) -> Described:
        return self.crm.describe()


SIMILAR = "there is a similar invoice, 4711/B <b>"


@dataclass
class Refusing(Through):
    """A CRM with a rule of its business: it takes no invoice with this number."""

    number: str
    asked: Event = field(default_factory=Event)
    """Set once it is about to refuse one, which it does when it may."""
    may: Event = field(default_factory=Event)

    def upsert(self, record: Record) -> Written:
        if record.kind == "invoice" and record.values["number"] == self.number:
            self.asked.set()
            self.may.wait(30)
            raise Invalid(SIMILAR)
        return self.crm.upsert(record)


@dataclass(frozen=True)
class Side:
    """A CRM as a test sees it: through our port, and from the other side."""

    port: CrmPort
    count: Callable[[str], int]
    """How many records of a kind stand there, asked without the adapter."""
