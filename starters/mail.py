"""An e-mail taken apart: the documents in it, what is left out and why, and the mail itself as evidence. No I/O."""

import binascii
import re
from codecs import getincrementaldecoder, lookup
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.errors import CloseBoundaryNotFoundDefect
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import EmailPolicy
from itertools import count, islice
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import unquote

from activities.parsing.mail import looks_like_mail, unwrapped
from schemas.mail import Mail
from starters.attachments import decoration, extension_of, why_not
from starters.hypertext import words_of

__all__ = ["MAX_BYTES", "Document", "Left", "Split", "looks_like_mail", "split", "texted"]

MAX_BYTES = 50_000_000
"""Of a whole mail; the documents in it are as large as the process accepts."""
MAX_PARTS, MAX_DEPTH = 200, 20
MAX_TEXT, MAX_HEADER, MAX_NAME = 20_000, 8_000, 200
MAX_ANSWERED = 50
_MAX_TEXT_BYTES = 400_000

_MAILS = frozenset({"message/rfc822", "message/global"})
_RETURNED = _MAILS | {"text/rfc822-headers", "message/rfc822-headers"}
_TEXTS = frozenset({"text/plain", "text/html", "text/richtext", "text/enriched", "text/x-amp-html", "text/watch-html"})
_UNDECLARED_PDF = re.compile(rb"\s*JVBERi0")
"""How a PDF begins in base64."""
_LOST_BOUNDARY = re.compile(rb"^--(\S{1,70})[ \t]*\r?\nContent-", re.MULTILINE | re.IGNORECASE)
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,200})\r?\n", re.MULTILINE)
_NEXT_IN_MAILBOX = re.compile(rb"\n\r?\nFrom \S+ [^\n]{1,80}\n(?=[!-9;-~]+:)")
_CONTENT_ID = re.compile(r"""cid:([^"'\s>)]+)""", re.IGNORECASE)

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_NO_CHARSETS = frozenset({"punycode", "idna"})
"""Codecs for the names of hosts, which take minutes for a long text."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Document:
    """A part that gets a case of its own."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Left:
    """A part that gets none, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Split:
    mail: Mail
    documents: tuple[Document, ...] = ()
    left: tuple[Left, ...] = ()


class _Part(NamedTuple):
    """What the message tree has at its ends: bytes, and what the headers say of them."""

    data: bytes
    kind: str = "application/octet-stream"
    name: str = ""
    content_id: str = ""
    charset: str = ""
    attached: bool = True

    @property
    def is_text(self) -> bool:
        """It is what the mail says, not something sent with it."""
        if self.attached or extension_of(self.data, self.kind):
            return False
        return self.kind in _TEXTS or not self.data.strip()


class _TooManyParts(Exception):
    pass


def split(data: bytes) -> Split:
    """Take a mail apart, within bounds; it answers for any bytes at all, and drops no part without a word."""
    message = _parsed(data)
    if isinstance(message, Left):
        return Split(Mail(), left=(message,))
    found = list(islice(_walk(message, 0), MAX_PARTS))
    parts = [one for one in found if isinstance(one, _Part)]
    texts = [one for one in parts if one.is_text]
    pages = [_text(one) for one in texts if one.kind == "text/html"]
    encoded = list(islice((file for one in texts for file in _uuencoded(one.data)), MAX_PARTS))
    shown = frozenset(unquote(name) for page in pages for name in _CONTENT_ID.findall(page))
    sent = [one for one in parts if not one.is_text] + encoded
    sifted = [_sifted(one, number, in_text=one.content_id in shown) for number, one in enumerate(sent, start=1)]
    text = "\n".join(_text(one) for one in texts if one.kind == "text/plain").strip()
    left = [one for one in (*found, *sifted, *_beyond(data, max(len(found), len(encoded)))) if isinstance(one, Left)]
    return Split(
        _evidence(message, text or "\n".join(map(words_of, pages))),
        tuple(one for one in sifted if isinstance(one, Document)),
        tuple(left),
    )


def texted(data: bytes) -> Split:
    """A message that is no mail: its text, and nothing known of who sent it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return Split(Mail(text=_clean(text.replace("\r\n", "\n"), MAX_TEXT)))


def _beyond(data: bytes, found: int) -> Iterator[Left]:
    """What lies outside of what was looked at."""
    if found == MAX_PARTS:
        yield Left("the rest of the mail", f"more than {MAX_PARTS} parts")
    if unwrapped(data[:MAX_HEADER]).startswith(b"From ") and (more := len(_NEXT_IN_MAILBOX.findall(data))):
        yield Left(f"{more} further mails", "a mailbox: export its mails to files of their own")


def _parsed(data: bytes) -> Message | Left:
    if len(data) > MAX_BYTES:
        return Left("the mail", f"{len(data)} bytes, more than the {MAX_BYTES} accepted")
    made = count(1)

    def part(policy: EmailPolicy) -> EmailMessage:
        # Here, since the parser's work and memory grow with the parts, and there is no other place to stop it.
        if next(made) > MAX_PARTS:
            raise _TooManyParts
        return EmailMessage(policy)

    try:
        return BytesParser(cast("Any", part), policy=_POLICY).parsebytes(unwrapped(data))
    except _TooManyParts:
        return Left("the mail", f"more than {MAX_PARTS} parts: save its documents and start the folder")
    except Exception as error:  # noqa: BLE001  (the library's own mistakes, on mails that are broken enough)
        return Left("the mail", f"too broken to be taken apart ({type(error).__name__})")


def _safe_header(name: str, value: str) -> Any:
    """A header as the library reads it, within bounds; as it stands, when the library fails on it."""
    return _asked(lambda: EmailPolicy.header_factory(name, value[:MAX_HEADER]), value[:MAX_HEADER])


def _asked(question: Callable[[], Answer], otherwise: Answer) -> Answer:
    """The library's answer; on some broken mails it raises whatever comes to its mind."""
    try:
        return question()
    except Exception:  # noqa: BLE001
        return otherwise


_POLICY = EmailPolicy(header_factory=_safe_header)


def _walk(message: Message, depth: int) -> Iterator[_Part | Left]:
    kind, name = message.get_content_type(), _name(message)
    inside = cast("Sequence[Message]", message.get_payload()) if message.is_multipart() else ()
    if depth > MAX_DEPTH:
        yield Left(name or kind, "nested too deep: save it and start it by itself")
    elif kind in ("message/delivery-status", "message/external-body", "message/partial"):
        yield Left(name or kind, why_not(b"", kind))
    elif kind in _MAILS and inside and not inside[0].keys():
        yield from _end(inside[0], kind, name, depth)
    elif inside:
        for child in inside:
            if kind == "multipart/report" and child.get_content_type() in _RETURNED:
                yield Left(_name(child) or "the returned mail", "what a bounce sends back: not a new invoice")
            else:
                yield from _walk(child, depth + 1)
        if depth == 0 and any(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in message.defects):
            yield Left("the end of the mail", "missing: it may have been cut off on its way")
    else:
        yield from _end(message, kind, name, depth)


def _end(message: Message, kind: str, name: str, depth: int) -> Iterator[_Part | Left]:
    data = _content(message)
    attached = bool(name) or message.get_content_disposition() == "attachment"
    if disguised := _disguised(data, kind, attached=attached):
        again = _parsed(disguised)
        yield from [again] if isinstance(again, Left) else _walk(again, depth + 1)
        return
    charset = _asked(message.get_content_charset, None) or ""
    yield _Part(data, kind, name, str(message.get("content-id", "")).strip().strip("<>"), charset, attached)


def _disguised(data: bytes, kind: str, *, attached: bool) -> bytes:
    """The mail that a part without parts is, although its headers do not lead there; empty when it is none."""
    if kind.startswith("multipart/") and (boundary := _LOST_BOUNDARY.search(data)):
        return b'Content-Type: multipart/mixed; boundary="' + boundary[1] + b'"\n\n' + data
    if kind in _MAILS and not looks_like_mail(data):
        data = _asked(lambda: binascii.a2b_base64(data), b"")
    return data if (attached or not kind.startswith("text/")) and looks_like_mail(data) else b""


def _content(message: Message) -> bytes:
    found = _asked(lambda: message.get_payload(decode=True), None)
    data = found if isinstance(found, bytes) else b""
    return _asked(lambda: binascii.a2b_base64(data), data) if _UNDECLARED_PDF.match(data) else data


def _name(message: Message) -> str:
    """What the sender called it, without folders."""
    name = _asked(message.get_filename, None) or ""
    return _clean(re.split(r"[\\/]", " ".join(str(name).split()))[-1], MAX_NAME)


def _sifted(part: _Part, number: int, *, in_text: bool) -> Document | Left:
    extension = extension_of(part.data, part.kind)
    name = part.name or (f"part {number}.{extension}" if extension else f"part {number}, {part.kind}")
    why = decoration(part.data, in_text=in_text) if extension else why_not(part.data, part.kind)
    return Left(name, why) if why else Document(name, part.data)


def _uuencoded(text: bytes) -> Iterator[_Part]:
    """The files that stand in a text itself, as mails carried them before there were attachments."""
    at = 0
    while begin := _UU_BEGIN.search(text, at):
        end = text.find(b"\nend", begin.end() - 1)
        if end < 0:
            return
        lines = [_asked(lambda it=line: binascii.a2b_uu(it), b"") for line in text[begin.end() : end].splitlines()]  # type: ignore[misc]
        yield _Part(b"".join(lines), name=_clean(begin[1].decode(errors="replace"), MAX_NAME))
        at = end


def _text(part: _Part) -> str:
    """In the character set it says; in what its bytes look like, when it says none that there is."""
    data = part.data[:_MAX_TEXT_BYTES]
    codec = _asked(lambda: lookup(part.charset).name, "ascii")
    if codec not in _NO_CHARSETS | {"ascii"}:
        said = _asked(lambda: data.decode(codec, "replace"), None)
        if isinstance(said, str):
            return said
    looks_like = _asked(lambda: getincrementaldecoder("utf-8")().decode(data), None)
    return data.decode("cp1252", "replace") if looks_like is None else looks_like


def _evidence(message: Message, text: str) -> Mail:
    date: Any = message.get("date", "")
    instant = _asked(lambda: date.datetime.isoformat(), "")  # noqa: PLW0108  (there may be no such attribute)
    return Mail(
        subject=_clean(str(message.get("subject", "")), MAX_NAME),
        sender=_clean(str(message.get("from", "")), MAX_NAME),
        date=_clean(instant or str(date), MAX_NAME),
        message_id=_clean(str(message.get("message-id", "")), MAX_NAME),
        answers=_answered(message),
        automatic=_automatic(message),
        text=_clean(text.replace("\r\n", "\n"), MAX_TEXT),
    )


def _answered(message: Message) -> tuple[str, ...]:
    """The mails before it in its thread, the nearest first."""
    named = " ".join(str(message.get(name, "")) for name in ("references", "in-reply-to"))
    ids = (_clean(one, MAX_NAME) for one in reversed(_MESSAGE_ID.findall(named)))
    return tuple(dict.fromkeys(ids))[:MAX_ANSWERED]


def _automatic(message: Message) -> bool:
    """What machines say of their mails: RFC 3834, and the habits from before it."""
    submitted = str(message.get("auto-submitted", "no")).partition(";")[0].strip().casefold()
    precedence = str(message.get("precedence", "")).strip().casefold()
    return submitted not in ("", "no") or precedence in _BULK or bool(message.get("list-id"))


def _clean(text: str, longest: int) -> str:
    """Of bounded length, and without the half characters that no JSON and no terminal can carry."""
    return text[:longest].encode("utf-8", "replace").decode().strip()
