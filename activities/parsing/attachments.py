"""Attachments of a PDF: the e-invoice embedded in it, and whether it is the one that is printed."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple
from xml.etree.ElementTree import Element

from pypdfium2 import PdfDocument, PdfiumError

from activities.parsing import amounts, einvoice, layout, markup
from activities.parsing.judgement import Judgement
from schemas.proposal import Field

MAX_ATTACHMENTS = 100

_KEY_FIGURES = ("invoice_number", "issue_date", "currency", "net_amount", "gross_amount")
_EINVOICE_NAME = re.compile(r"(factur-?x|zugferd-?invoice|xrechnung|order-?x)[\w.-]{0,20}\.xml", re.IGNORECASE)


class Attachment(NamedTuple):
    """The name is what the sender called it."""

    name: str
    data: bytes


class Embedded(NamedTuple):
    """An e-invoice, as it was attached and as it was parsed."""

    xml: bytes
    root: Element
    fields: Mapping[str, Field]

    @property
    def figures(self) -> dict[str, str | None]:
        return {key: self.fields[key].value for key in _KEY_FIGURES if key in self.fields}


def read(document: PdfDocument) -> list[Attachment]:
    found = []
    for index in range(min(document.count_attachments(), MAX_ATTACHMENTS)):
        try:
            attachment = document.get_attachment(index)
            found.append(Attachment(attachment.get_name(), bytes(attachment.get_data())))
        except PdfiumError:
            continue
    return found


def embedded_invoice(attached: Sequence[Attachment], judgement: Judgement) -> Embedded | None:
    """Looked for in whatever looks like XML; the name only tells whether a broken one was meant as an invoice."""
    first: Embedded | None = None
    for name, xml in attached:
        if not (markup.looks_like_xml(xml) or _EINVOICE_NAME.fullmatch(name)):
            continue
        try:
            root = markup.parse(xml)
        except markup.Hostile as error:
            judgement.add("hostile", f"embedded file: {error}")
            continue
        except markup.Broken:
            if _EINVOICE_NAME.fullmatch(name) or b"CrossIndustry" in xml:
                judgement.add("ambiguous", "embedded e-invoice XML cannot be parsed; only the text can be read")
            continue
        invoice = Embedded(xml, root, einvoice.told_by(root).fields)
        if first and invoice.fields and invoice.figures != first.figures:
            judgement.add("ambiguous", "two embedded e-invoices with different key figures")
        first = first or (invoice if invoice.fields else None)  # of the others no tree is kept: it may be large
    return first


def is_printed(invoice: Embedded, pages: Sequence[str]) -> bool:
    """A person checks what is printed, a machine books the XML: they must not be two invoices."""
    gross = invoice.fields.get("gross_amount")
    if gross is None or gross.value is None:
        return True
    texts = [line.text for line in layout.lines_of(pages)]
    mark = amounts.decimal_mark(texts)
    spoken = (reading for text in texts for amount in amounts.find(text, mark) for reading in amount.readings)
    # Credit notes are printed with a minus sign and coded without, or the other way round.
    return any(abs(Decimal(reading)) == abs(Decimal(gross.value)) for reading in spoken)
