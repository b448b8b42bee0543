"""Intake: what some bytes are, by their content and never by their name, and whether they can be read."""

from base64 import b64encode

from activities.parsing import docx, einvoice, injection, magic, mail, markup, pdf
from activities.parsing.judgement import UNREAD_SCAN, quoted
from schemas.source import Ingested, IntakeLimits, Page, TextLine, Verdict, VerdictStatus


def ingest(data: bytes, limits: IntakeLimits) -> Ingested:
    if not data.strip(b"\0\t\r\n "):
        return _refused("malformed", "the file is empty")
    if mail.looks_like_mail(data):
        return _refused("malformed", "an e-mail: 'casework start' splits it into its documents")
    if magic.is_pdf(data):
        return pdf.ingest(data, limits)
    if data.startswith((magic.ZIP, magic.OLE)):
        return _ingest_office(data, limits)
    if data.startswith(magic.PICTURES):
        return Ingested(format="image", is_scan=True, verdict=Verdict(status="missing", reasons=(UNREAD_SCAN,)))
    if markup.looks_like_xml(data):
        return _ingest_xml(data)
    return _refused("malformed", "neither a PDF, nor a DOCX, nor an XML e-invoice, nor a JPEG, PNG or TIFF picture")


def ingest_text(text: str) -> Ingested:
    """A text that is known to be one; a form feed ends a page."""
    pages = tuple(
        Page(lines=tuple(TextLine(text=line) for line in page.splitlines()), read_from="text")
        for page in text.split("\f")
    )
    if phrase := injection.find(text):
        verdict = Verdict(status="suspicious", reasons=(f"the text addresses a machine: {quoted(phrase)}",))
        return Ingested(format="text", verdict=verdict, pages=pages)
    if not text.strip():
        return _refused("missing", "the text is empty")
    return Ingested(format="text", pages=pages)


def _ingest_office(data: bytes, limits: IntakeLimits) -> Ingested:
    if magic.is_locked(data):
        return _refused("malformed", "the document is locked with a password: ask the sender for an open copy")
    if data.startswith(magic.OLE):
        return _refused("malformed", "an older Office format (.doc, .xls, .msg): ask for a PDF or DOCX")
    return docx.ingest(data, limits)


def _ingest_xml(data: bytes) -> Ingested:
    try:
        root = markup.parse(data)
    except markup.Hostile as error:
        return _refused("hostile", str(error))
    except markup.Broken as error:
        return _refused("malformed", str(error))
    if markup.local(root) == "FatturaElettronica":
        return _refused("malformed", "FatturaPA, an XML format that is not supported")
    kind = einvoice.format_of(root)
    if kind == "unknown":
        return _refused("malformed", "XML, but neither a CII nor a UBL invoice")
    if not einvoice.told_by(root).fields:
        return _refused("malformed", "an e-invoice without any content")
    verdict = Verdict()
    if phrase := injection.find(markup.words_within(root)):
        verdict = Verdict(status="suspicious", reasons=(f"the XML addresses a machine: {quoted(phrase)}",))
    return Ingested(format=kind, verdict=verdict, xml=b64encode(data).decode())


def _refused(status: VerdictStatus, reason: str) -> Ingested:
    return Ingested(verdict=Verdict(status=status, reasons=(reason,)))
