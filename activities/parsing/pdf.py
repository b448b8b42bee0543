"""PDF: what one holds and whether anybody can work with it."""

import re
from base64 import b64encode

from pypdfium2 import PdfDocument, PdfiumError, raw

from activities.parsing import attachments, pages
from activities.parsing.judgement import Judgement
from schemas.source import Ingested, IntakeLimits

MIN_LETTERS = 12
"""Fewer letters and digits than this in a whole document are stamps and page numbers."""

_RUNS_ON_OPENING = re.compile(rb"/OpenAction\s{0,9}<<[^>]{0,300}/S\s{0,9}/(?:JavaScript|Launch)\b")
_LAUNCHES = re.compile(rb"/S\s{0,9}/Launch\b")


def ingest(data: bytes, limits: IntakeLimits) -> Ingested:
    judgement = Judgement()
    try:
        document = PdfDocument(data)
    except PdfiumError as error:
        locked = "password" in str(error).lower()
        judgement.add("malformed", "the PDF is encrypted" if locked else "the PDF is damaged and does not open")
        return Ingested(format="pdf", verdict=judgement.verdict())
    try:
        return _read(document, data, limits, judgement)
    finally:
        document.close()


def _read(document: PdfDocument, data: bytes, limits: IntakeLimits, judgement: Judgement) -> Ingested:
    count = len(document)
    if not 0 < count <= limits.max_pages:
        judgement.add("malformed", f"{count} pages, more than the {limits.max_pages} accepted" if count else "no pages")
        return Ingested(format="pdf", verdict=judgement.verdict())
    if raw.FPDFDoc_GetJavaScriptActionCount(document) > 0 or _RUNS_ON_OPENING.search(data):
        judgement.add("hostile", "the PDF runs a script or program when opened")
    elif _LAUNCHES.search(data):
        judgement.add("hostile", "the PDF can launch programs")
    xml = attachments.embedded_invoice(document, judgement)
    try:
        found = tuple(pages.read(document, judgement))
    except pages.TextBomb:
        judgement.add("hostile", "the PDF holds more text than an invoice can")
        found = ()
    texts = [page.text for page in found]
    if sum(character.isalnum() for text in texts for character in text) < MIN_LETTERS:
        if xml is None:
            judgement.add("missing", "no text layer; scanned pages need a person (or OCR)")
    elif xml is not None and not attachments.is_printed(xml, texts):
        judgement.add("ambiguous", "the embedded e-invoice has a gross amount that is not on the pages")
    return Ingested(format="pdf", verdict=judgement.verdict(), pages=found, xml=xml and b64encode(xml).decode())
