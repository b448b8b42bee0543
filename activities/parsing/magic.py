"""Magic numbers: what some bytes are, by how they begin."""

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
TIFF = (b"II*\0", b"MM\0*")
PICTURES = (JPEG, PNG, *TIFF)
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_PDF_WITHIN = 1024
"""Readers accept this much before the header; so do senders."""


def is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:_PDF_WITHIN]


def is_docx(data: bytes) -> bool:
    """By the names of its parts, which stand in a ZIP in plain letters."""
    return data.startswith(ZIP) and b"word/" in data


def is_locked(data: bytes) -> bool:
    """An Office file with a password: the OLE file around it names what is encrypted."""
    return data.startswith(OLE) and "EncryptedPackage".encode("utf-16-le") in data
