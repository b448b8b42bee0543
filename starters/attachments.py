"""What a part of a mail is, by its content: a document for a case of its own, or something to leave out and why."""

from activities.parsing import markup
from activities.parsing.magic import JPEG, PNG, TIFF, is_docx, is_pdf
from starters.pictures import shorter_side

_SHORTEST_PAGE = 250
"""Pixels below which nobody can read a page; the narrowest scans of receipts have some four hundred."""
_SHORTEST_PAGE_IN_TEXT, _LIGHTEST_PAGE_IN_TEXT = 500, 100_000
"""Pixels and bytes from which a picture that stands in the text may be a page rather than decoration."""

_OFFICE = "an office file: not read; ask for a PDF or DOCX"
_ARCHIVE = "an archive: unpack it and start the files"
_MAGIC = {
    b"\x78\x9f\x3e\x22": "Outlook's own format (winmail.dat): not readable; ask for the files as usual attachments",
    b"\xd0\xcf\x11\xe0": _OFFICE,
    b"PK\x03\x04": _ARCHIVE,
    b"Rar!": _ARCHIVE,
    b"7z\xbc\xaf\x27\x1c": _ARCHIVE,
    b"\x1f\x8b": _ARCHIVE,
    b"BZh": _ARCHIVE,
    b"\xfd7zXZ\0": _ARCHIVE,
    b"GIF8": "a picture of a kind that is not read (GIF)",
}
_OFFICE_WITHIN = 200
_OFFICE_SIGNS = (b"[Content_Types].xml", b"mimetypeapplication/vnd.", b"_rels/", b"docProps/")
_SIGNATURE = "a signature, not a document"
_ENCRYPTED = "encrypted or sealed as a whole: open it in your mail program and start the files"
_TYPES = {
    "application/pgp-signature": _SIGNATURE,
    "application/pkcs7-signature": _SIGNATURE,
    "application/x-pkcs7-signature": _SIGNATURE,
    "application/pkcs7-mime": _ENCRYPTED,
    "application/x-pkcs7-mime": _ENCRYPTED,
    "application/pgp-encrypted": _ENCRYPTED,
    "text/calendar": "a calendar entry",
    "text/vcard": "a business card",
    "text/x-vcard": "a business card",
    "text/html": "a web page",
    "message/delivery-status": "a delivery report",
    "message/disposition-notification": "a delivery report",
    "message/external-body": "not in the mail, which only says where it is",
    "message/partial": "one piece of a mail that was sent in pieces",
}


def extension_of(data: bytes, kind: str) -> str:
    """What a document's name would end in; empty when these bytes are none."""
    if is_pdf(data):
        return "pdf"
    if is_docx(data):
        return "docx"
    if picture := _picture(data):
        return picture
    return "xml" if markup.looks_like_xml(data) and not _is_web_page(data, kind) else ""


def decoration(data: bytes, *, in_text: bool) -> str:
    """Why this document is only a picture that goes with the text; empty when it may be a page."""
    if not _picture(data):
        return ""
    side = shorter_side(data)
    if side is not None and side < _SHORTEST_PAGE:
        return "a small picture: a logo or an icon"
    if in_text and (len(data) < _LIGHTEST_PAGE_IN_TEXT or (side or 0) < _SHORTEST_PAGE_IN_TEXT):
        return "an inline picture"
    return ""


def why_not(data: bytes, kind: str) -> str:
    """Why a part that is no document is left out."""
    if data.startswith(b"PK") and any(sign in data[:_OFFICE_WITHIN] for sign in _OFFICE_SIGNS):
        return _OFFICE
    if known := next((why for magic, why in _MAGIC.items() if data.startswith(magic)), ""):
        return known
    return _TYPES.get(kind, "neither a PDF, nor XML, nor a picture of a page" if data.strip() else "empty")


def _picture(data: bytes) -> str:
    if data.startswith(TIFF):
        return "tiff"
    return "png" if data.startswith(PNG) else "jpg" if data.startswith(JPEG) else ""


def _is_web_page(data: bytes, kind: str) -> bool:
    start = data[:1000].lower()
    if b"<html" in start or b"<svg" in start:
        return True
    return kind in ("text/plain", "text/html") and b"<?xml" not in start and b"xmlns" not in start
