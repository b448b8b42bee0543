"""How large a picture is, from its header alone: a page has been photographed, a logo has not."""

from struct import unpack_from

from activities.parsing.magic import JPEG, PNG

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The JPEG markers that carry a height and a width."""


def shorter_side(data: bytes) -> int | None:
    """In pixels; None when the header does not say."""
    if data.startswith(PNG) and len(data) >= 24:  # noqa: PLR2004  (signature, length, name, width, height)
        return int(min(unpack_from(">II", data, 16)))
    return _of_jpeg(data) if data.startswith(JPEG) else None


def _of_jpeg(data: bytes) -> int | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004  (what every marker begins with)
        if data[at + 1] in _FRAMES:
            return int(min(unpack_from(">HH", data, at + 5)))
        at += 2 + max(2, unpack_from(">H", data, at + 2)[0])
    return None
