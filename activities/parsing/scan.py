"""Scans and photos: the text of pictures, by OCR (the extra [ocr])."""

import io
from collections.abc import Iterator
from functools import cache
from time import monotonic
from typing import Any

import numpy as np
from PIL import Image, ImageOps, ImageSequence
from pypdfium2 import PdfDocument
from rapidocr import RapidOCR

from activities.parsing import injection, magic
from activities.parsing.judgement import Judgement, quoted
from schemas.source import Box, Ingested, IntakeLimits, Page, TextLine

LONGEST_SIDE = 2000
"""Pixels: letters of 8 points on A4 are then 20 high; more only takes longer."""
MOST_PIXELS = 60_000_000
SECONDS = 12.0
"""After which no further page is begun: a verdict is due within 20, and a page takes up to a few."""


def ingest(data: bytes, limits: IntakeLimits) -> Ingested:
    """Read what there is time for; the verdict says what was not read."""
    is_pdf = magic.is_pdf(data)
    judgement, pages, total, begun = Judgement(), list[Page](), 0, monotonic()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow refuses what is twice as large
    try:
        for total, picture in enumerate(_pages_of(data) if is_pdf else _frames_of(data), 1):
            if total <= limits.max_pages and (not pages or monotonic() - begun < SECONDS):
                pages.append(_page(picture))
    except Image.DecompressionBombError:
        judgement.add("malformed", f"the picture has more than {MOST_PIXELS:,} pixels: scan it with fewer")
    except (OSError, ValueError, SyntaxError):
        judgement.add("ambiguous" if pages else "malformed", "the picture is damaged or cut off")
    text = "\n".join(page.text for page in pages)
    if len(pages) < total:
        judgement.add("ambiguous", f"a scan of {total} pages, of which the first {len(pages)} were read")
    if phrase := injection.find(text):
        judgement.add("suspicious", f"the scan addresses a machine: {quoted(phrase)}")
    if not text and not judgement.found:
        judgement.add("missing", "a scan in which no text was found")
    return Ingested(format="pdf" if is_pdf else "image", verdict=judgement.verdict(), pages=tuple(pages), is_scan=True)


def _frames_of(data: bytes) -> Iterator[Image.Image]:
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF")) as image:
        for frame in ImageSequence.Iterator(image):
            upright = ImageOps.exif_transpose(frame)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            yield upright


def _pages_of(data: bytes) -> Iterator[Image.Image]:
    document = PdfDocument(data)
    try:
        for page in document:
            yield page.render(scale=LONGEST_SIDE / max(*page.get_size(), 1)).to_pil()
    finally:
        document.close()


def _page(picture: Image.Image) -> Page:
    found = engine()(np.asarray(picture.convert("RGB"))[:, :, ::-1])  # it was taught with blue first
    if found.boxes is None:
        return Page(read_from="ocr")
    lines = zip(found.boxes, found.txts, found.scores, strict=True)
    return Page(
        lines=tuple(
            TextLine(text=text, box=_box(corners, picture), score=min(1.0, max(0.0, float(score))))
            for corners, text, score in lines
        ),
        read_from="ocr",
    )


def _box(corners: Any, picture: Image.Image) -> Box:
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    across, down = np.clip([left, right], 0, picture.width), np.clip([top, bottom], 0, picture.height)
    left, right = (round(float(x) / picture.width, 4) for x in across)
    top, bottom = (round(float(y) / picture.height, 4) for y in down)
    return Box(left=left, top=top, right=right, bottom=bottom)


@cache
def engine() -> Any:
    """What finds and reads lines. Loading it takes seconds, on a cold machine half a minute."""
    return RapidOCR(params={"Global.log_level": "critical"})
