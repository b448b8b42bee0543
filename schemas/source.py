"""From bytes to a document: what a starter hands in, and what intake says of it before any model is asked."""

from typing import Literal

from schemas.audit import Audited
from schemas.finding import Finding
from schemas.message import Digest, Message

Format = Literal["pdf", "cii", "ubl", "unknown"]
VerdictStatus = Literal["ok", "missing", "ambiguous", "malformed", "hostile"]


class Source(Message):
    """Bytes in the blob store. The name is what the sender called them: shown, never trusted."""

    digest: Digest
    name: str
    size: int
    mail: Digest | None = None
    """The `schemas.mail.Mail` it came in, as JSON in the blob store."""


class IntakeLimits(Message):
    """What intake accepts of one document; above it the document is malformed, and the reason says so."""

    max_bytes: int = 25_000_000
    max_pages: int = 200


class Verdict(Message):
    """The intake verdict.

    ok: go on. missing: nothing to read (no text, no data), so a person enters it. ambiguous: readable, but in more
    than one way, so a person always decides. malformed: nobody can read it as sent. hostile: made to attack the reader.
    """

    status: VerdictStatus = "ok"
    reasons: tuple[str, ...] = ()


class Ingested(Message):
    """What a parser process says of some bytes."""

    format: Format = "unknown"
    verdict: Verdict = Verdict()
    pages: tuple[str, ...] = ()
    xml: str | None = None
    """The e-invoice as base64: the document itself, or what was embedded in it."""


class Document(Audited):
    """An ingested source. Text and XML stay in the blob store: `text` is a JSON list with one string a page."""

    source: Source
    format: Format
    verdict: Verdict
    page_count: int = 0
    text: Digest | None = None
    xml: Digest | None = None
    findings: tuple[Finding, ...] = ()
    """What the official rules say of an e-invoice."""
