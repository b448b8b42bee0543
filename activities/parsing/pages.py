"""Pages: the text layer of a PDF as lines, in the order pdfium reads them, and where each stands."""

import ctypes
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from pypdfium2 import PdfDocument, PdfiumError, PdfPage, PdfTextPage, raw

from activities.parsing import hidden
from activities.parsing.geometry import Rectangle, View
from schemas.source import Box, Page, TextLine

MAX_PAGE_CHARACTERS = 300_000
MAX_CHARACTERS = 5_000_000
MAX_LINES = 100_000
MAX_ANNOTATIONS = 2000
MAX_DRAWN = 40
"""Drawing takes time: so many pages of a document are looked at for hidden text."""

_HYPHEN = "\ufffe"
"""How pdfium marks a hyphen at a line's end."""
_DIGITS = 4
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]{2,}")
_BESIDE_THE_TEXT = {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_TEXT}
"""Annotations that put no words on the page."""


class TextBomb(Exception):
    """More text than any invoice holds."""


@dataclass
class Text:
    """What the pages of a document say, by page number where it matters."""

    pages: list[Page] = field(default_factory=list)
    seen: dict[int, str] = field(default_factory=dict)
    """As it stands in the file, characters that show nothing included."""
    unseen: dict[int, str] = field(default_factory=dict)
    unopened: int = 0
    unchecked: list[int] = field(default_factory=list)
    """What these hide is not known."""


def read(document: PdfDocument, *, layers: bool) -> Text:
    """Raises `TextBomb`. `layers`: parts of the pages can be switched off."""
    found = Text()
    characters = lines = drawn = 0
    for number in range(1, len(document) + 1):
        try:
            page = _page(document, number - 1)
            text = page.get_textpage()
        except PdfiumError:
            found.unopened += 1
            found.pages.append(Page())
            continue
        characters += text.count_chars()
        if text.count_chars() > MAX_PAGE_CHARACTERS or characters > MAX_CHARACTERS:
            raise TextBomb
        said = _characters(text)
        doubt = hidden.doubts(page, text, said, layers=layers)
        if doubt.drawn and drawn == MAX_DRAWN:
            found.unchecked.append(number)
            doubt.drawn.clear()
        drawn += bool(doubt.drawn)
        unseen = hidden.unseen(page, text, doubt)
        found.pages.append(Page(lines=tuple(_lines(page, text, said, unseen))))
        found.seen[number] = "".join(c for index, c in enumerate(said) if index not in unseen) if unseen else said
        if unseen:
            found.unseen[number] = "".join(c for index, c in enumerate(said) if index in unseen or c.isspace())
        lines += len(found.pages[-1].lines)
        if lines > MAX_LINES:
            raise TextBomb
    return found


def _page(document: PdfDocument, index: int) -> PdfPage:
    """The page with what a viewer paints over it, filled fields and typed remarks, as part of its text."""
    page = document[index]
    kinds = set()
    for place in range(min(raw.FPDFPage_GetAnnotCount(page), MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, place)
        kinds.add(raw.FPDFAnnot_GetSubtype(annotation))
        raw.FPDFPage_CloseAnnot(annotation)
    if not kinds - _BESIDE_THE_TEXT or raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) != raw.FLATTEN_SUCCESS:
        return page
    page.close()
    return document[index]


def _characters(text: PdfTextPage) -> str:
    """One character for each that pdfium counts, so that a place in the string is pdfium's index."""
    whole: str = text.get_text_range()
    if len(whole) != text.count_chars():
        # Characters without a meaning of their own are left out of the whole.
        codes = (raw.FPDFText_GetUnicode(text, index) for index in range(text.count_chars()))
        whole = "".join(chr(code) if code <= sys.maxunicode else "\0" for code in codes)
    return _RIGHT_TO_LEFT.sub(lambda match: _in_order(text, match), whole)


def _in_order(text: PdfTextPage, match: re.Match[str]) -> str:
    """Turn ligatures round again, for pdfium reverses their letters with the order of what is painted."""
    glyphs = groupby(range(*match.span()), key=lambda index: hidden.box_of(text, index))
    return "".join(match.string[index] for _, letters in glyphs for index in reversed(list(letters)))


def _lines(page: PdfPage, text: PdfTextPage, said: str, unseen: Collection[int]) -> Iterator[TextLine]:
    view, start = View(page), 0
    for line in said.split("\n"):
        shown = [index for index in range(start, start + len(line)) if index not in unseen] if unseen else None
        words = _clean(line if shown is None else "".join(said[index] for index in shown))
        if words:
            parts = [(start, len(line))] if shown is None else [(i, 1) for i in shown if not said[i].isspace()]
            yield TextLine(text=words, box=_box(view, [r for part in parts for r in _rectangles(text, *part)]))
        start += len(line) + 1


def _clean(line: str) -> str:
    """No control characters, and no blanks around it."""
    shown = line.replace(_HYPHEN, "-")
    return "".join(c for c in shown if c == "\t" or c.isprintable() or c.isspace()).strip()


def _rectangles(text: PdfTextPage, start: int, count: int) -> Iterator[Rectangle]:
    values = [ctypes.c_double() for _ in range(4)]
    for index in range(raw.FPDFText_CountRects(text, start, count)):
        if raw.FPDFText_GetRect(text, index, *values):
            yield Rectangle(*(value.value for value in values))


def _box(view: View, parts: list[Rectangle]) -> Box | None:
    if not parts:
        return None
    sides = (round(min(max(side, 0.0), 1.0), _DIGITS) for side in view.seen(Rectangle.around(parts)))
    return Box(**dict(zip(Rectangle._fields, sides, strict=True)))
