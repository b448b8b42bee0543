"""Geometry: from a PDF page's own coordinates to the page as a person sees it, turned and cut."""

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

from pypdfium2 import PdfPage, raw

_GRID = 1_000_000
_FAR = 10_000.0


class Rectangle(NamedTuple):
    """In the page's own coordinates zero is at the bottom left; as seen, at the top left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        return abs((self.right - self.left) * (self.top - self.bottom))

    def meets(self, other: "Rectangle") -> bool:
        """In the page's own coordinates."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )

    @classmethod
    def around(cls, parts: Sequence["Rectangle"]) -> "Rectangle":
        lefts, tops, rights, bottoms = zip(*parts, strict=True)
        return cls(min(lefts), max(tops), max(rights), min(bottoms))


class View:
    """How a page is shown."""

    def __init__(self, page: PdfPage) -> None:
        (self._x0, self._y0), (xx, xy), (yx, yy) = (_shown(page, *at) for at in ((0, 0), (_FAR, 0), (0, _FAR)))
        self._xx, self._xy = (xx - self._x0) / _FAR, (xy - self._y0) / _FAR
        self._yx, self._yy = (yx - self._x0) / _FAR, (yy - self._y0) / _FAR

    def seen(self, it: Rectangle) -> Rectangle:
        """As fractions of the page's width and height; what lies off the page is below 0 or above 1."""
        xs, ys = zip(self._at(it.left, it.top), self._at(it.right, it.bottom), strict=True)
        return Rectangle(min(xs), min(ys), max(xs), max(ys))

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return self._x0 + x * self._xx + y * self._yx, self._y0 + x * self._xy + y * self._yy


def _shown(page: PdfPage, x: float, y: float) -> tuple[float, float]:
    to_x, to_y = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, x, y, to_x, to_y)
    return to_x.value / _GRID, to_y.value / _GRID
