"""Whether some bytes are an e-mail, told by its headers and never by a name."""

import re

_WITHIN = 65_536
"""Headers that tell come first; a mail may have hundreds of others."""
_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")
_TELLING = frozenset(
    b"from to cc subject date message-id received return-path mime-version delivered-to reply-to sender".split()
)
_ENOUGH = 2


def unwrapped(data: bytes) -> bytes:
    """Without the byte order mark and the blank lines that some programs put before the headers."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n")


def looks_like_mail(data: bytes) -> bool:
    found: set[bytes] = set()
    for number, line in enumerate(unwrapped(data[:_WITHIN]).splitlines()):
        name = _NAME.match(line)
        if name:
            found.add(name[1].lower())
        elif not (line[:1] in (b" ", b"\t") or (number == 0 and line.startswith((b"From ", b">From ")))):
            break
    return len(found & _TELLING) >= _ENOUGH
