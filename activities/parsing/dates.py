"""Dates in running text, and what in the document tells day-first from month-first."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from typing import Literal, NamedTuple

Order = Literal["day-first", "month-first"]

_MONTHS = (
    "jan januar january janvier januari jän jänner",
    "feb februar february février fevrier februari fév févr",
    "mar märz march mars maart mär mrz",
    "apr april avril avr",
    "may mai mei",
    "jun juni june juin",
    "jul juli july juillet juil",
    "aug august août aout augustus",
    "sep sept september septembre",
    "oct okt oktober october octobre",
    "nov november novembre",
    "dec dez dezember december décembre decembre déc",
)
_MONTHS_A_YEAR = len(_MONTHS)
_MONTH_NUMBER = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_NAME = rf"(?P<name>{'|'.join(sorted(_MONTH_NUMBER, key=len, reverse=True))})(?![^\W\d_])\.?"
"""Tills print the year right behind it."""

_YEAR = r"(?P<year>(?:19|20)\d\d)(?!\d)"

_SHORT_YEAR = r"(?P<year>\d\d)(?![\w/-]|\.\d)"

_FORMS = [
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?<![\d.-])(?P<year>(?:19|20)\d\d)(?P<mark>[-./])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?!\d)",
        r"(?<![\d./-])(?P<a>\d{1,2}) ?(?P<mark>[./-]) ?(?P<b>\d{1,2}) ?(?P=mark) ?(?P<year>(?:20)?\d\d)(?![\d/-]|\.\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|\.)?[ -]?(?:of )?{_NAME}[ ,-]{{0,3}}{_YEAR}",
        rf"(?<!\w)(?P<day>\d{{1,2}})\.?[ -]?{_NAME}[ -]?{_SHORT_YEAR}",
        rf"\b{_NAME} ?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ ,]{{1,3}}{_YEAR}",
    )
]
_DAY_FIRST_WORDS = re.compile(
    r"\b(?:rechnung\w*|datum|umsatzsteuer|mwst|facture|échéance|tva|montants?|factuur|btw|vat|gst|sdn|bhd|jalan|jln|kasse|merci)\b|£",
    re.IGNORECASE,
)
"""Words of languages and of taxes whose countries write the day first."""
_LAST_SHORT_YEAR = 60


class Day(NamedTuple):
    """A date at a place in a line; `other` is what it would be in the other order, if that is a date too."""

    start: int
    end: int
    value: str
    other: str | None


def order_in(texts: Iterable[str]) -> Order | None:
    """How numeric dates with slashes or hyphens are written here: by a day above 12, or else by the language."""
    votes: set[Order] = set()
    language: Order | None = None
    for text in texts:
        language = "day-first" if _DAY_FIRST_WORDS.search(text) else language
        for match in _FORMS[1].finditer(text):
            first, second = int(match["a"]), int(match["b"])
            if match["mark"] != "." and first > _MONTHS_A_YEAR >= second:
                votes.add("day-first")
            if match["mark"] != "." and second > _MONTHS_A_YEAR >= first:
                votes.add("month-first")
    if len(votes) > 1:
        return None
    return votes.pop() if votes else language


def find(text: str, order: Order | None) -> Iterator[Day]:
    for form in _FORMS:
        for match in form.finditer(text):
            if day := _day(match, order):
                yield day


def _day(match: re.Match[str], order: Order | None) -> Day | None:
    parts = match.groupdict()
    short = len(parts["year"]) == len("24")
    if short and (
        int(parts["year"]) > _LAST_SHORT_YEAR or match.string[max(0, match.start() - 1) : match.start()].isalnum()
    ):
        return None  # a part number, rather
    year = int(parts["year"]) + (2000 if short else 0)
    if "a" not in parts:
        month = int(parts["month"]) if parts.get("month") else _MONTH_NUMBER[parts["name"].lower()]
        value = _iso(year, month, int(parts["day"]))
        return Day(*match.span(), value, None) if value else None
    first, second = int(parts["a"]), int(parts["b"])
    day_first, month_first = _iso(year, second, first), _iso(year, first, second)
    if parts["mark"] == ".":
        return Day(*match.span(), day_first, None) if day_first else None
    if order is not None:
        value = day_first if order == "day-first" else month_first
        return Day(*match.span(), value, None) if value else None
    readings = list(dict.fromkeys(reading for reading in (day_first, month_first) if reading))
    return Day(*match.span(), readings[0], readings[1] if readings[1:] else None) if readings else None


def _iso(year: int, month: int, day: int) -> str | None:
    with suppress(ValueError):
        return date(year, month, day).isoformat()
    return None
