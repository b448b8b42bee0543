"""PDF: what one holds, whether anybody can work with it, and signs of an attack."""

from base64 import b64encode

from pypdfium2 import PdfDocument, PdfiumError, raw

from activities.parsing import attachments, catalog, injection, markup, pages
from activities.parsing.attachments import Attachment, Embedded
from activities.parsing.judgement import UNREAD_SCAN, Judgement, quoted
from schemas.source import Ingested, IntakeLimits

MIN_LETTERS = 12
"""Fewer letters and digits than this in a whole document are stamps and page numbers."""
MAX_SCANNED = 200_000
"""So many characters of an attachment are searched for words to a machine."""
MAX_NAMED = 5


def ingest(data: bytes, limits: IntakeLimits) -> Ingested:
    judgement = Judgement()
    try:
        document = PdfDocument(data)
    except PdfiumError as error:
        locked = "password" in str(error).lower()
        reason = "the PDF is locked with a password: ask the sender for an open copy"
        judgement.add("malformed", reason if locked else "the PDF is damaged and does not open")
        return Ingested(format="pdf", verdict=judgement.verdict())
    try:
        document.init_forms()
        return _read(document, data, limits, judgement)
    finally:
        document.close()


def _read(document: PdfDocument, data: bytes, limits: IntakeLimits, judgement: Judgement) -> Ingested:
    count = len(document)
    if not 0 < count <= limits.max_pages:
        judgement.add("malformed", f"{count} pages, more than the {limits.max_pages} accepted" if count else "no pages")
        return Ingested(format="pdf", verdict=judgement.verdict())
    beside = catalog.read(data)
    beside.scripts |= raw.FPDFDoc_GetJavaScriptActionCount(document) > 0
    attached = attachments.read(document)
    invoice = attachments.embedded_invoice(attached, judgement)
    try:
        text = pages.read(document, layers=beside.has_layers)
    except pages.TextBomb:
        judgement.add("hostile", "the PDF holds more text than an invoice can")
        text = pages.Text()
    _judge_actions(beside, judgement)
    judge_pages(text, judgement)
    judge_beside([*beside.texts, *_attached_texts(attached, invoice)], judgement)
    if invoice and (phrase := injection.find(markup.words_within(invoice.root))):
        judgement.add("suspicious", f"the embedded e-invoice addresses a machine: {quoted(phrase)}")
    texts = [page.text for page in text.pages]
    says_nothing = sum(map(letters, texts)) < MIN_LETTERS
    if beside.is_portfolio and invoice is None:
        names = ", ".join(quoted(one.name) for one in attached[:MAX_NAMED])
        reason = f"a portfolio of {len(attached)} files: start each as a document of its own ({names})"
        judgement.add("missing" if says_nothing else "ambiguous", reason)
    elif says_nothing and invoice is None:
        judgement.add("missing", UNREAD_SCAN)
    elif invoice is not None and not says_nothing and not attachments.is_printed(invoice, texts):
        judgement.add("ambiguous", "the embedded e-invoice has a gross amount that is not on the pages")
    return Ingested(
        format="pdf",
        verdict=judgement.verdict(),
        pages=tuple(text.pages),
        is_scan=says_nothing and invoice is None and not beside.is_portfolio,
        xml=invoice and b64encode(invoice.xml).decode(),
    )


def _judge_actions(beside: catalog.Catalog, judgement: Judgement) -> None:
    if beside.runs_on_opening:
        judgement.add("hostile", "the PDF runs a script or program when opened")
    elif beside.launches:
        judgement.add("hostile", "the PDF can launch programs")
    elif beside.scripts:
        judgement.add("suspicious", "the PDF carries scripts, as forms do")


def judge_pages(text: pages.Text, judgement: Judgement) -> None:
    if text.unopened:
        judgement.add(
            "malformed" if text.unopened == len(text.pages) else "ambiguous",
            f"{text.unopened} of {len(text.pages)} pages cannot be opened",
        )
    if text.unchecked:
        judgement.add("suspicious", f"page {text.unchecked[0]} and others may hide text: too many to be checked")
    for number, words in text.seen.items():
        if phrase := injection.find(words):
            judgement.add("suspicious", f"page {number} addresses a machine: {quoted(phrase)}")
    for number, words in text.unseen.items():
        if phrase := injection.find(words):
            judgement.add("hostile", f"page {number} addresses a machine in text that nobody sees: {quoted(phrase)}")
    for number, words in _news(text).items():
        judgement.add("suspicious", f"page {number} holds text that nobody sees: {quoted(words)}")


def _news(text: pages.Text) -> dict[int, str]:
    """Hidden words by page. Shadows and tags hide what is also there to be seen, and printers' marks are short."""
    said = {word.casefold() for words in text.seen.values() for word in words.split()}
    news = {
        number: [word for word in words.split() if word.casefold() not in said] for number, words in text.unseen.items()
    }
    if letters("".join({word for words in news.values() for word in words})) < MIN_LETTERS:
        return {}
    return {number: " ".join(words) for number, words in news.items() if words}


def _attached_texts(attached: list[Attachment], invoice: Embedded | None) -> list[tuple[str, str]]:
    others = [one for one in attached if one.data != (invoice and invoice.xml) and b"\0" not in one.data[:MAX_SCANNED]]
    return [("an attachment", one.data[:MAX_SCANNED].decode("utf-8", "replace")) for one in others]


def judge_beside(texts: list[tuple[str, str]], judgement: Judgement) -> None:
    """What stands on no page is given to no reader: it matters only when it speaks to one."""
    for where, words in texts:
        if phrase := injection.find(words):
            judgement.add("hostile", f"{where} addresses a machine: {quoted(phrase)}")


def letters(text: str) -> int:
    return sum(character.isalnum() for character in text)
