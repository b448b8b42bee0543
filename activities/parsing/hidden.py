"""Hidden text: what a text layer says that nobody sees who looks at the page."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pypdfium2 import PdfPage, PdfTextPage, raw

from activities.parsing.geometry import Rectangle, View

LIGHT = 200
"""A luminance from here on (of 255) may vanish on paper."""
OPAQUE = 200
CLOSE = 40
"""Colours that differ less in each channel may be taken for the same."""
CONTRAST = 24
"""What is drawn with less difference to what is below it is not seen."""
SMALLEST = 1.0
"""Points, on a page of the height of A4 or above."""
SCANNED = 0.7
"""The share of a page that images cover when it is a scan, and its invisible text the work of an OCR."""
LONGEST_SIDE = 1700

_A4_HEIGHT = 842
_LEAST_GROUND = 4.0
_BYTES = 3
Colour = tuple[int, int, int]


class Ground(NamedTuple):
    """Something painted over an area; `order` tells what lies above what."""

    order: int
    area: Rectangle
    colour: Colour | None


@dataclass
class Run:
    """The characters that one text object of the page draws."""

    handle: Any
    indexes: list[int]
    first: Rectangle
    last: Rectangle

    def lies_on(self, area: Rectangle) -> bool:
        """Told by the middle of its first character, for boxes may stick out."""
        return (
            area.left <= (self.first.left + self.first.right) / 2 <= area.right
            and area.bottom <= (self.first.top + self.first.bottom) / 2 <= area.top
        )


@dataclass
class Doubt:
    """What of a page has to be looked at: what is certainly not seen, and what is seen or not once it is drawn."""

    unseen: set[int]
    drawn: list[Run]


def doubts(page: PdfPage, text: PdfTextPage, characters: str, *, layers: bool) -> Doubt:
    """Told from properties alone, which is quick. With `layers`, anything may belong to one that is switched off."""
    runs = _runs(text, characters)
    order, grounds, images = _grounds(page)
    found = Doubt(set(), [])
    invisible: list[Run] = []
    left, bottom, right, top = page.get_bbox()
    shown = Rectangle(left, top, right, bottom)
    tiny = min(SMALLEST, page.get_height() / _A4_HEIGHT)
    for run in runs:
        if _extent(run.first) < tiny and _extent(_inked(text, run.indexes[0])) < tiny:
            found.unseen.update(run.indexes)
            continue
        if not (run.first.meets(shown) and run.last.meets(shown)):
            found.unseen.update(index for index in run.indexes if not box_of(text, index).meets(shown))
        place = order.get(ctypes.addressof(run.handle.contents))
        if _unpainted(run.handle) or _covered(run, place, images):
            invisible.append(run)
        elif layers or _faint(run.handle) or _covered(run, place, grounds) or _camouflaged(run, grounds):
            found.drawn.append(run)
    if not _is_ocr(invisible, runs, images, page):
        found.drawn += invisible
    return found


def unseen(page: PdfPage, text: PdfTextPage, doubt: Doubt) -> set[int]:
    """Draw the page with and without what is in doubt: characters that make no difference are not seen."""
    if not doubt.drawn:
        return doubt.unseen
    scale = min(2.0, LONGEST_SIDE / max(page.get_size()))
    with_them = _drawing(page, scale)
    for run in doubt.drawn:
        raw.FPDFPageObj_SetIsActive(run.handle, 0)
    without = _drawing(page, scale)
    for run in doubt.drawn:
        raw.FPDFPageObj_SetIsActive(run.handle, 1)
    view = View(page)
    indexes = (index for run in doubt.drawn for index in run.indexes)
    return doubt.unseen | {index for index in indexes if not with_them.differs(without, view.seen(box_of(text, index)))}


class Drawing(NamedTuple):
    pixels: bytes
    width: int
    height: int
    stride: int

    def differs(self, other: "Drawing", where: Rectangle) -> bool:
        left, right = (round(min(max(x, 0), 1) * self.width) * _BYTES for x in (where.left, where.right))
        top, bottom = (round(min(max(y, 0), 1) * self.height) for y in (where.top, where.bottom))
        for row in range(top, max(bottom, top + 1)):
            start, end = row * self.stride + left, row * self.stride + max(right, left + _BYTES)
            mine, theirs = self.pixels[start:end], other.pixels[start:end]
            if mine != theirs and any(abs(a - b) >= CONTRAST for a, b in zip(mine, theirs, strict=True)):
                return True
        return False


def _drawing(page: PdfPage, scale: float) -> Drawing:
    bitmap = page.render(scale=scale, may_draw_forms=False)
    try:
        return Drawing(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride)
    finally:
        bitmap.close()


def _runs(text: PdfTextPage, characters: str) -> list[Run]:
    places: dict[int, tuple[Any, list[int]]] = {}
    for index, character in enumerate(characters):
        if not character.isspace() and (handle := raw.FPDFText_GetTextObject(text, index)):
            places.setdefault(ctypes.addressof(handle.contents), (handle, []))[1].append(index)
    return [Run(handle, at, box_of(text, at[0]), box_of(text, at[-1])) for handle, at in places.values()]


def box_of(text: PdfTextPage, index: int) -> Rectangle:
    it = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(text, index, it)
    return Rectangle(it.left, it.top, it.right, it.bottom)


def _inked(text: PdfTextPage, index: int) -> Rectangle:
    """What of the character is painted; some fonts say nothing else of its size."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    raw.FPDFText_GetCharBox(text, index, left, right, bottom, top)
    return Rectangle(left.value, top.value, right.value, bottom.value)


def _extent(it: Rectangle) -> float:
    return max(it.right - it.left, it.top - it.bottom)


def _grounds(page: PdfPage) -> tuple[dict[int, int], list[Ground], list[Ground]]:
    """The order in which objects are painted, what of it are areas, and what of these are images."""
    order: dict[int, int] = {}
    grounds: list[Ground] = []
    images: list[Ground] = []
    for place in range(raw.FPDFPage_CountObjects(page)):
        handle = raw.FPDFPage_GetObject(page, place)
        order[ctypes.addressof(handle.contents)] = place
        kind = raw.FPDFPageObj_GetType(handle)
        if kind == raw.FPDF_PAGEOBJ_TEXT or (kind == raw.FPDF_PAGEOBJ_PATH and not _is_filled(handle)):
            continue
        area = _bounds(handle)
        if min(area.right - area.left, area.top - area.bottom) < _LEAST_GROUND:
            continue
        ground = Ground(place, area, _colour(handle)[0] if kind == raw.FPDF_PAGEOBJ_PATH else None)
        (images if kind == raw.FPDF_PAGEOBJ_IMAGE else grounds).append(ground)
    return order, grounds, images


def _bounds(handle: Any) -> Rectangle:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    raw.FPDFPageObj_GetBounds(handle, left, bottom, right, top)
    return Rectangle(left.value, top.value, right.value, bottom.value)


def _is_filled(handle: Any) -> bool:
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    return bool(raw.FPDFPath_GetDrawMode(handle, mode, stroke)) and mode.value != raw.FPDF_FILLMODE_NONE


def _colour(handle: Any) -> tuple[Colour | None, int]:
    """The fill and how opaque it is; None for patterns."""
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not raw.FPDFPageObj_GetFillColor(handle, red, green, blue, alpha):
        return None, 255
    return (red.value, green.value, blue.value), alpha.value


def _unpainted(handle: Any) -> bool:
    mode = raw.FPDFTextObj_GetTextRenderMode(handle)
    return mode in (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)


def _faint(handle: Any) -> bool:
    colour, alpha = _colour(handle)
    if colour is None or alpha < OPAQUE or raw.FPDFPageObj_HasTransparency(handle):
        return True
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue >= LIGHT


def _covered(run: Run, place: int | None, grounds: Sequence[Ground]) -> bool:
    """Something is painted over it, or may be: the order within a form is not told."""
    return any((place is None or ground.order > place) and run.lies_on(ground.area) for ground in grounds)


def _camouflaged(run: Run, grounds: Sequence[Ground]) -> bool:
    colour, _ = _colour(run.handle)
    return any(
        colour and ground.colour and run.lies_on(ground.area) and _alike(colour, ground.colour) for ground in grounds
    )


def _alike(one: Colour, other: Colour) -> bool:
    return all(abs(a - b) < CLOSE for a, b in zip(one, other, strict=True))


def _is_ocr(invisible: Sequence[Run], runs: Sequence[Run], images: Sequence[Ground], page: PdfPage) -> bool:
    """A scan shows its words in the image and carries them, for searching, as text that is not painted."""
    width, height = page.get_size()
    covered = sum(image.area.area for image in images)
    return covered >= SCANNED * width * height and _size(invisible) >= SCANNED * _size(runs)


def _size(runs: Sequence[Run]) -> int:
    return sum(len(run.indexes) for run in runs)
