"""Layout: the pages of a text layer as numbered lines, with labels put back beside their values."""

import re
from collections.abc import Sequence
from typing import NamedTuple

MAX_LINE = 200
EVIDENCE = 200
"""Of the words a value was read from, so many characters are shown."""
MAX_PAGE = 100_000
FIRST_LINES, LAST_LINES = 900, 600
"""Between them an invoice holds items only, and bounded text keeps the time bounded."""

_SPLIT_MINUS = re.compile(r"([ \t][-\u2212])[ \t]*\n(?=\d)")
_BLANK = re.compile(r"[ \t\xa0\u2000-\u200b\u202f\u3000]+")
_LETTER_SPACED = re.compile(r"(?<!\S)\S(?: \S){4,40}(?!\S)")
_LABEL = re.compile(r"[^\d:]{2,40}(?:\(\d{1,2} ?%\))?\s?:")
_DATE_LABEL = re.compile(r"dat[eu]m?\b|\bdate", re.IGNORECASE)
_AMOUNT_LABEL = re.compile(r"total|tax|amount|betrag|summe|due|montant|vat|netto|brutto|ust|tva", re.IGNORECASE)
_DATE_VALUE = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d\d\b")
_AMOUNT_VALUE = re.compile(r"\W{0,3}(?:[A-Z]{3} ?)?-?\d[\d., ]{0,20}(?: ?(?:[A-Z]{3}|\W))?")


class Line(NamedTuple):
    page: int
    text: str


def lines_of(pages: Sequence[str]) -> list[Line]:
    lines = [Line(number, text) for number, page in enumerate(pages, 1) for text in _texts(page)]
    if len(lines) > FIRST_LINES + LAST_LINES:
        lines = lines[:FIRST_LINES] + lines[-LAST_LINES:]
    return _with_values(lines)


def _texts(page: str) -> list[str]:
    plain = page[:MAX_PAGE].replace("\r", "").replace("\ufffe", "-").replace("\u2212", "-")
    texts = (_BLANK.sub(" ", text[:MAX_LINE]).strip() for text in _SPLIT_MINUS.sub(r"\1", plain).split("\n"))
    return [_LETTER_SPACED.sub(lambda match: match[0].replace(" ", ""), text) for text in texts if text]


def _with_values(lines: list[Line]) -> list[Line]:
    """A column of labels and, before or after it, a column of values: one line for each pair."""
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and _LABEL.fullmatch(lines[end].text):
            end += 1
        if end - start > 1:
            lines = _paired(lines, start, end)
        start = max(end, start + 1)
    return lines


def _paired(lines: list[Line], start: int, end: int) -> list[Line]:
    """Which of the neighbours are the values is told by their kind; when none fits, nothing changes."""
    best, agreed = lines, 1
    for stop in (end, end - 1):
        size = stop - start
        for first in (start - size, stop):
            values = lines[first : first + size] if first >= 0 else []
            if len(values) < size:
                continue
            agreeing = sum(map(_agree, lines[start:stop], values))
            if agreeing > agreed:
                pairs = [
                    Line(label.page, f"{label.text} {value.text}")
                    for label, value in zip(lines[start:stop], values, strict=True)
                ]
                low, high = min(first, start), max(first + size, stop)
                # As many lines as before, so that the caller's place in the list stays right.
                best, agreed = [*lines[:low], *[Line(1, "")] * size, *pairs, *lines[high:]], agreeing
    return best


def _agree(label: Line, value: Line) -> bool:
    if _DATE_LABEL.search(label.text):
        return bool(_DATE_VALUE.search(value.text))
    return bool(_AMOUNT_LABEL.search(label.text)) and bool(_AMOUNT_VALUE.fullmatch(value.text))
