"""Amounts in running text: which numbers there are, and every way in which each can be read."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Literal, NamedTuple

Mark = Literal[".", ","]

# A sign, digits in groups or not, a fraction or not; then not the rest of a word, date, rate or longer number.
_GROUPED = r"\d{1,3}(?:[ \xa0]\d{3}){1,3}[.,]\d\d|\d{1,3}(?:['\u2019]\d{3}){1,3}(?:[.,]\d\d)?"
_NUMBER = re.compile(
    r"(?<![\w.,/#:%-])(?P<open>\()?(?P<minus>-\s?)?"
    r"(?:[€$£₹]\s?|(?:EUR|USD|GBP|CHF|RM|Rs\.?)\s?)?(?P<minus2>-\s?)?"
    rf"(?P<number>{_GROUPED}|\d{{1,9}}(?:[.,]\d{{1,9}}){{0,4}})"
    r"(?P<trailing>-(?!\w))?(?![\w/]|[.,:-]\w)(?!\s?[%°])(?P<close>\))?"
)
_TWO_PLACES = re.compile(r"(?<![\d.,])\d{1,3}(?:[.,' ]?\d{3}){0,3}([.,])\d\d(?![\d.,]\d|\d)")
_GROUPS = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3}){0,3}")


class Amount(NamedTuple):
    """A number at a place in a line; `readings` holds the likelier value first."""

    start: int
    end: int
    readings: tuple[str, ...]
    has_fraction: bool

    @property
    def value(self) -> Decimal:
        return Decimal(self.readings[0])


def decimal_mark(texts: Iterable[str]) -> Mark | None:
    """What stands before the cents throughout the document, or None when it does not keep to one mark."""
    marks = Counter(match[1] for text in texts for match in _TWO_PLACES.finditer(text))
    if not marks:
        return None
    mark, count = marks.most_common(1)[0]
    return ("." if mark == "." else ",") if count > 0.8 * marks.total() else None


def find(text: str, mark: Mark | None) -> Iterator[Amount]:
    for match in _NUMBER.finditer(text):
        number = match["number"]
        readings = _readings(number, mark)
        if not readings:
            continue
        negative = match["minus"] or match["minus2"] or match["trailing"] or (match["open"] and match["close"])
        sign = "-" if negative else ""
        yield Amount(match.start(), match.end(), tuple(sign + reading for reading in readings), "." in readings[0])


def _readings(number: str, mark: Mark | None) -> tuple[str, ...]:
    """Plain decimals. "1,234" has two unless the document's own mark settles it; "1 234,56" may be two columns."""
    if " " in number or "\xa0" in number:
        head, _, last = number.replace("\xa0", " ").rpartition(" ")
        joined = _plain(head.replace(" ", "") + last, last[-3])
        return (joined, _plain(last, last[-3]))
    bare = number.replace("'", "").replace("\u2019", "")
    marks = [character for character in bare if character in ".,"]
    if not marks:
        return (bare,)
    if len(set(marks)) > 1:
        return (_plain(bare, marks[-1]),) if marks.count(marks[-1]) == 1 and bare[-3:-2] in ".," else ()
    grouped = _GROUPS.fullmatch(bare) and not bare.startswith("0")
    if len(marks) > 1:
        return (_plain(bare, None),) if grouped else ()
    if not grouped:
        return (_plain(bare, marks[0]),)
    thousands, fraction = _plain(bare, None), _plain(bare, marks[0])
    if mark is None:
        return thousands, fraction
    return (fraction,) if mark == marks[0] else (thousands,)


def _plain(number: str, mark: str | None) -> str:
    whole, _, fraction = number.rpartition(mark) if mark else (number, "", "")
    digits = re.sub(r"\D", "", whole).lstrip("0") or "0"
    return f"{digits}.{fraction}" if fraction else digits
