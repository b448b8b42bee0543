"""PDF: the text of its pages, the e-invoice embedded in it, and signs of an attack."""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from pypdfium2 import PdfDocument, PdfiumError, raw

from activities.parsing import amounts, einvoice, layout, markup
from schemas.source import Ingested, IntakeLimits, Verdict, VerdictStatus

MAX_PAGE_CHARACTERS = 300_000
MAX_CHARACTERS = 5_000_000
MAX_ATTACHMENTS = 100
MIN_LETTERS = 12
"""Fewer letters and digits than this in a whole document are stamps and page numbers."""

_KEY_FIGURES = ("invoice_number", "issue_date", "currency", "net_amount", "gross_amount")
_EINVOICE_NAME = re.compile(r"(factur-?x|zugferd-?invoice|xrechnung|order-?x)[\w.-]{0,20}\.xml", re.IGNORECASE)
_RUNS_ON_OPENING = re.compile(rb"/OpenAction\s{0,9}<<[^>]{0,300}/S\s{0,9}/(?:JavaScript|Launch)\b")
_LAUNCHES = re.compile(rb"/S\s{0,9}/Launch\b")
_SEVERITY: tuple[VerdictStatus, ...] = ("ok", "missing", "ambiguous", "malformed", "hostile")


class TextBomb(Exception):
    """More text than any invoice holds."""


@dataclass
class Judgement:
    """Collects what is wrong; the worst of it is the verdict."""

    found: list[tuple[VerdictStatus, str]] = field(default_factory=list)

    def add(self, status: VerdictStatus, reason: str) -> None:
        self.found.append((status, reason))

    def verdict(self) -> Verdict:
        status = max((status for status, _ in self.found), key=_SEVERITY.index, default="ok")
        return Verdict(status=status, reasons=tuple(dict.fromkeys(r for s, r in self.found if s == status)))


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
    xml = _embedded_invoice(document, judgement)
    try:
        pages = tuple(_pages(document, judgement))
    except TextBomb:
        judgement.add("hostile", "the PDF holds more text than an invoice can")
        pages = ()
    letters = sum(character.isalnum() for page in pages for character in page)
    if letters < MIN_LETTERS:
        if xml is None:
            judgement.add("missing", "no text layer; scanned pages need a person (or OCR)")
    elif xml is not None and not _printed(xml, pages):
        judgement.add("ambiguous", "the embedded e-invoice has a gross amount that is not on the pages")
    return Ingested(format="pdf", verdict=judgement.verdict(), pages=pages, xml=xml and b64encode(xml).decode())


def _pages(document: PdfDocument, judgement: Judgement) -> Iterator[str]:
    total = unread = 0
    for number in range(len(document)):
        try:
            text = document[number].get_textpage()
        except PdfiumError:
            unread += 1
            yield ""
            continue
        total += text.count_chars()
        if text.count_chars() > MAX_PAGE_CHARACTERS or total > MAX_CHARACTERS:
            raise TextBomb
        yield _clean(text.get_text_bounded())
    if unread:
        judgement.add(
            "malformed" if unread == len(document) else "ambiguous",
            f"{unread} of {len(document)} pages cannot be opened",
        )


def _clean(text: str) -> str:
    """One kind of line end, no control characters; U+FFFE is how pdfium marks a hyphen at a line's end."""
    lines = text.replace("\ufffe", "-").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or (c.isprintable() or c.isspace()))


def _embedded_invoice(document: PdfDocument, judgement: Judgement) -> bytes | None:
    invoices: list[tuple[dict[str, str | None], bytes]] = []
    for name, xml in _attachments(document):
        try:
            fields = einvoice.read(xml).fields
        except markup.Hostile as error:
            judgement.add("hostile", f"embedded file: {error}")
            continue
        except markup.Broken:
            if _EINVOICE_NAME.fullmatch(name) or b"CrossIndustry" in xml:
                judgement.add("ambiguous", "embedded e-invoice XML cannot be parsed; only the text can be read")
            continue
        if fields:
            figures = {key: fields[key].value for key in _KEY_FIGURES if key in fields}
            invoices.append((figures, xml))
    if any(figures != invoices[0][0] for figures, _ in invoices):
        judgement.add("ambiguous", "two embedded e-invoices with different key figures")
    return invoices[0][1] if invoices else None


def _printed(xml: bytes, pages: tuple[str, ...]) -> bool:
    """A person checks what is printed, a machine books the XML: they must not be two invoices."""
    gross = einvoice.read(xml).fields.get("gross_amount")
    if gross is None or gross.value is None:
        return True
    texts = [line.text for line in layout.lines_of(pages)]
    mark = amounts.decimal_mark(texts)
    spoken = (reading for text in texts for amount in amounts.find(text, mark) for reading in amount.readings)
    # Credit notes are printed with a minus sign and coded without, or the other way round.
    return any(abs(Decimal(reading)) == abs(Decimal(gross.value)) for reading in spoken)


def _attachments(document: PdfDocument) -> Iterator[tuple[str, bytes]]:
    """Those that look like XML; the name only tells whether a broken one was meant as an invoice."""
    for index in range(min(document.count_attachments(), MAX_ATTACHMENTS)):
        try:
            attachment = document.get_attachment(index)
            name, data = attachment.get_name(), bytes(attachment.get_data())
        except PdfiumError:
            continue
        if markup.looks_like_xml(data) or _EINVOICE_NAME.fullmatch(name):
            yield name, data
