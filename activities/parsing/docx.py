"""DOCX: what one says, whether anybody can work with it, and signs of an attack."""

import re
from collections.abc import Iterator
from itertools import chain
from xml.etree.ElementTree import Element

from activities.parsing import markup, pages, pdf, wordml
from activities.parsing.judgement import Judgement, quoted
from activities.parsing.package import Package, Relation
from activities.parsing.wordml import Story
from schemas.source import Ingested, IntakeLimits, Page, TextLine

_LOADS_ON_OPENING = ("attachedTemplate", "oleObject", "frame", "subDocument")
_RUNS = re.compile(r"^\s*(?:DDE|DDEAUTO)\b", re.IGNORECASE)
_FETCHES = re.compile(r"\b(?:INCLUDETEXT|INCLUDEPICTURE|IMPORT|LINK)\b.*(?://|\\\\)", re.IGNORECASE | re.DOTALL)
_AFTER = ("footer", "footnotes", "endnotes")
"""Stories printed at the foot of pages or at the end."""


def ingest(data: bytes, limits: IntakeLimits) -> Ingested:
    judgement = Judgement()
    try:
        package = Package(data)
        main = next((it.target for it in package.relations("") if it.kind == "officeDocument"), "")
        if not main or markup.local(document := package.parse(main)) != "document":
            reason = "a ZIP archive or Office file that is no DOCX: unpack it, or ask for a PDF or DOCX"
            judgement.add("malformed", reason)
            return Ingested(verdict=judgement.verdict())
        text = _read(package, main, document, judgement)
    except markup.Hostile as error:
        judgement.add("hostile", str(error))
    except markup.Broken as error:
        judgement.add("malformed", str(error))
    else:
        return _judged(text, limits, judgement)
    return Ingested(format="docx", verdict=judgement.verdict())


def _judged(text: pages.Text, limits: IntakeLimits, judgement: Judgement) -> Ingested:
    count, length = len(text.pages), sum(map(len, chain(text.seen.values(), text.unseen.values())))
    if count > limits.max_pages:
        judgement.add("malformed", f"{count} pages, more than the {limits.max_pages} accepted")
    elif length > pages.MAX_CHARACTERS:
        judgement.add("hostile", "the DOCX holds more text than a contract can")
    else:
        pdf.judge_pages(text, judgement)
        if pdf.letters("".join(text.seen.values())) < pdf.MIN_LETTERS:
            judgement.add("missing", "the DOCX holds no text: pictures in it are not read, so ask for a PDF")
        return Ingested(format="docx", verdict=judgement.verdict(), pages=tuple(text.pages))
    return Ingested(format="docx", verdict=judgement.verdict())


def _read(package: Package, main: str, document: Element, judgement: Judgement) -> pages.Text:
    """The stories in the order they are printed in, the header once; comments and deleted words are no part of it."""
    relations = list(package.relations(main))
    _judge_actions(package, judgement)
    styles: dict[str, wordml.Look] = {}
    for name in _targets(relations, "styles"):
        styles = wordml.looks_of_styles(package.parse(name))
    body = Story(document, styles)
    shown = {value for it in document.iter() if (value := wordml.attribute(it, "id"))}
    used = [it for it in relations if it.id in shown or it.kind in ("footnotes", "endnotes")]
    before, after = (
        [Story(package.parse(name), styles) for kind in kinds for name in _targets(used, kind)]
        for kinds in (("header",), _AFTER)
    )
    stories = [*before, body, *after]
    _judge_changes(stories, judgement)
    comments = [package.parse(name) for name in _targets(relations, "comments")]
    _judge_beside(package, comments, stories, judgement)
    lines = [list(page) for page in body.pages]
    lines[0] = [*(line for story in before for page in story.pages for line in page), *lines[0]]
    lines[-1] += [line for story in after for page in story.pages for line in page]
    text = pages.Text(pages=[Page(lines=tuple(TextLine(text=it) for it in page), read_from="text") for page in lines])
    text.seen = {number: "\n".join(page) for number, page in enumerate(lines, 1)}
    for story in stories:
        for number, words in story.unseen.items():
            at = number if story is body else 1
            text.unseen[at] = f"{text.unseen.get(at, '')} {words}".strip()
    return text


def _targets(relations: list[Relation], kind: str) -> Iterator[str]:
    return (it.target for it in dict.fromkeys(relations) if it.kind == kind and not it.is_outside)


def _judge_actions(package: Package, judgement: Judgement) -> None:
    around = list(package.all_relations())
    if any(name.endswith(("vbaproject.bin", "vbadata.xml")) for name in package.names):
        judgement.add("hostile", "the document carries macros: ask for a copy without")
    if any(it.is_outside and it.kind in _LOADS_ON_OPENING for it in around):
        judgement.add("hostile", "the document loads something from elsewhere when opened")
    if any(it.kind in ("aFChunk", "oleObject", "package", "control") and not it.is_outside for it in around):
        judgement.add("suspicious", "other files or controls are embedded in the document: they are not read")


def _judge_changes(stories: list[Story], judgement: Judgement) -> None:
    changes = [story.inserted for story in stories], [story.deleted for story in stories]
    inserted, deleted = ([words for words in chain(*found) if words.strip()] for found in changes)
    if inserted or deleted:
        named = (("inserted", inserted), ("deleted", deleted))
        first = "".join(f", first {name} {quoted(found[0])}" for name, found in named if found)
        count = f"{len(inserted)} insertions and {len(deleted)} deletions"
        judgement.add("ambiguous", f"tracked changes nobody has accepted ({count}{first}): read as if accepted")
    if any(story.differs for story in stories):
        judgement.add("suspicious", "the document says one thing to new programs and another to old ones")
    instructions = [words for story in stories for words in ("".join(story.instructions), *story.instructions)]
    if any(map(_RUNS.match, instructions)):
        judgement.add("hostile", "the document runs a program through a field (DDE)")
    if any(map(_FETCHES.search, instructions)):
        judgement.add("hostile", "the document fetches something from elsewhere through a field")


def _judge_beside(package: Package, comments: list[Element], stories: list[Story], judgement: Judgement) -> None:
    remarks = [it for part in comments for it in part if markup.local(it) == "comment"]
    if remarks:
        first = quoted(wordml.words_of(remarks[0]))
        judgement.add("ambiguous", f"{len(remarks)} comments, which are no part of the text, the first: {first}")
    about = [name for name in ("docprops/core.xml", "docprops/app.xml", "docprops/custom.xml") if name in package.names]
    beside = [
        *(("a comment", wordml.words_of(it)) for it in remarks),
        *(("metadata", markup.words_within(package.parse(name))) for name in about),
        *(("deleted text", words) for story in stories for words in story.deleted),
    ]
    pdf.judge_beside(beside, judgement)
