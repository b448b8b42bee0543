"""Magic numbers: what some bytes are, by how they begin."""

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
TIFF = (b"II*\0", b"MM\0*")
PICTURES = (JPEG, PNG, *TIFF)

_PDF_WITHIN = 1024
"""Readers accept this much before the header; so do senders."""


def is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:_PDF_WITHIN]
