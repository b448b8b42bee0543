"""Pages: the text layer of a PDF as lines, in the order pdfium reads them, and where each stands."""

import ctypes
import sys
from collections.abc import Iterator, Sequence

from pypdfium2 import PdfDocument, PdfiumError, PdfPage, PdfTextPage, raw

from activities.parsing.judgement import Judgement
from schemas.source import Box, Page, TextLine

MAX_PAGE_CHARACTERS = 300_000
MAX_CHARACTERS = 5_000_000
MAX_LINES = 100_000

_HYPHEN = "\ufffe"
"""How pdfium marks a hyphen at a line's end."""
_GRID = 10_000
"""Boxes are measured in so many steps a side."""

Rectangle = tuple[float, float, float, float]
"""Left, top, right and bottom in the page's own coordinates, whose zero is at the bottom left."""


class TextBomb(Exception):
    """More text than any invoice holds."""


def read(document: PdfDocument, judgement: Judgement) -> Iterator[Page]:
    characters = lines = unread = 0
    for number in range(len(document)):
        try:
            page = document[number]
            text = page.get_textpage()
        except PdfiumError:
            unread += 1
            yield Page()
            continue
        characters += text.count_chars()
        if text.count_chars() > MAX_PAGE_CHARACTERS or characters > MAX_CHARACTERS:
            raise TextBomb
        found = tuple(_lines(page, text))
        lines += len(found)
        if lines > MAX_LINES:
            raise TextBomb
        yield Page(lines=found)
    if unread:
        judgement.add(
            "malformed" if unread == len(document) else "ambiguous",
            f"{unread} of {len(document)} pages cannot be opened",
        )


def _lines(page: PdfPage, text: PdfTextPage) -> Iterator[TextLine]:
    start = 0
    for line in characters_of(text).split("\n"):
        words = _clean(line)
        if words:
            yield TextLine(text=words, box=_box(page, _rectangles(text, start, len(line))))
        start += len(line) + 1


def characters_of(text: PdfTextPage) -> str:
    """One character for each that pdfium counts, so that a place in the string is pdfium's index."""
    whole: str = text.get_text_range()
    if len(whole) == text.count_chars():
        return whole
    # Characters without a meaning of their own are left out of the whole.
    codes = (raw.FPDFText_GetUnicode(text, index) for index in range(text.count_chars()))
    return "".join(chr(code) if code <= sys.maxunicode else "\0" for code in codes)


def _clean(line: str) -> str:
    """No control characters, and no blanks around it."""
    shown = line.replace(_HYPHEN, "-")
    return "".join(c for c in shown if c == "\t" or c.isprintable() or c.isspace()).strip()


def _rectangles(text: PdfTextPage, start: int, count: int) -> list[Rectangle]:
    values = [ctypes.c_double() for _ in range(4)]
    found = []
    for index in range(raw.FPDFText_CountRects(text, start, count)):
        if raw.FPDFText_GetRect(text, index, *values):
            left, top, right, bottom = (value.value for value in values)
            found.append((left, top, right, bottom))
    return found


def _box(page: PdfPage, rectangles: Sequence[Rectangle]) -> Box | None:
    """The rectangles as a person sees the page: turned, and cut to what is shown of it."""
    if not rectangles:
        return None
    x, y = ctypes.c_int(), ctypes.c_int()
    places = []
    lefts, tops, rights, bottoms = zip(*rectangles, strict=True)
    for corner in ((min(lefts), max(tops)), (max(rights), min(bottoms))):
        raw.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, *corner, x, y)
        places.append([min(max(place.value / _GRID, 0.0), 1.0) for place in (x, y)])
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(*places, strict=True))
    return Box(left=left, top=top, right=right, bottom=bottom)
