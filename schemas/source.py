"""From bytes to a document: what a starter hands in, and what intake says of it before any model is asked."""

from typing import Annotated, Literal, get_args

from pydantic import Field, TypeAdapter

from schemas.audit import Audited
from schemas.finding import Finding
from schemas.message import Digest, Message

Fraction = Annotated[float, Field(ge=0, le=1)]
Format = Literal["pdf", "docx", "image", "cii", "ubl", "text", "unknown"]
VerdictStatus = Literal["ok", "missing", "ambiguous", "abusive", "suspicious", "malformed", "hostile"]
"""In order of severity."""


class Thread(Message):
    """What a message goes on with, as that stood when its own case was entered."""

    root: str
    """The case of the first message: the ticket is filed under its name, whichever case files it."""
    case: str
    """The newest before this one."""
    open: tuple[str, ...] = ()
    """The cases among them that had not ended."""
    messages: tuple[Digest, ...]
    """What was said before, oldest first: each the `schemas.mail.Mail` of a case."""
    category: str = ""
    """Under which the newest applied case was filed; empty: none was, or under none."""
    confidence: Fraction = 0
    """How sure that was."""


class Source(Message):
    """Bytes in the blob store. The name is what the sender called them: shown, never trusted."""

    digest: Digest
    name: str
    size: int
    mail: Digest | None = None
    """The `schemas.mail.Mail` it came in, as JSON in the blob store."""
    thread: Thread | None = Field(default=None, exclude_if=lambda thread: thread is None)


class IntakeLimits(Message):
    """What intake accepts of one document; above it the document is malformed, and the reason says so."""

    max_bytes: int = 25_000_000
    max_pages: int = 200


class Verdict(Message):
    """The intake verdict.

    ok: go on. missing: nothing to read (no text, no data), so a person enters it. ambiguous: readable, but in more
    than one way, so a person always decides. abusive: a message that insults or threatens; a person decides what is
    done about it. suspicious: readable, but it holds something hidden, or addressed to a
    machine; a person always decides, and is shown what was found. malformed: nobody can read it as sent. hostile: made
    to attack the reader.
    """

    status: VerdictStatus = "ok"
    reasons: tuple[str, ...] = ()

    def joined(self, other: "Verdict") -> "Verdict":
        """The worse of the two, with the reasons of both, its own first."""
        severity = get_args(VerdictStatus).index
        worse, lesser = (other, self) if severity(other.status) > severity(self.status) else (self, other)
        return Verdict(status=worse.status, reasons=(*worse.reasons, *lesser.reasons))


class Box(Message):
    """Where something stands on a page as a person sees it: fractions of its width and height, from the top left."""

    left: Fraction
    top: Fraction
    right: Fraction
    bottom: Fraction


class TextLine(Message):
    text: str
    box: Box | None = None
    """None: where it stands is not known."""
    score: Fraction = 1
    """How sure OCR is of the letters."""


class Page(Message):
    """What one page says, line by line, and how that was read."""

    lines: tuple[TextLine, ...] = ()
    read_from: Literal["text-layer", "ocr", "text"] = "text-layer"

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


PAGES = TypeAdapter(tuple[Page, ...])
"""How the pages of a document stand in the blob store."""


class Ingested(Message):
    """What a parser process says of some bytes."""

    format: Format = "unknown"
    verdict: Verdict = Verdict()
    pages: tuple[Page, ...] = ()
    is_scan: bool = False
    """It has no text of its own, but pictures that may be read."""
    xml: str | None = None
    """The e-invoice as base64: the document itself, or what was embedded in it."""


class Document(Audited):
    """An ingested source. Text and XML stay in the blob store: `text` is its pages as JSON (`PAGES`)."""

    source: Source
    format: Format
    verdict: Verdict
    page_count: int = 0
    text: Digest | None = None
    xml: Digest | None = None
    findings: tuple[Finding, ...] = ()
    """What the official rules say of an e-invoice."""
