"""Sentences: the pages of a contract as passages that a clause does not run across."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from activities.parsing.layout import MAX_PAGE

LONGEST = 1200
MOST = 5000
_HEADING = re.compile(
    r"^(?:(?:§|Article|Section|Clause|Ziffer|Artikel)\s?\d|\d{1,2}(?:\.\d{1,2}){0,3}\.?\s+[A-ZÄÖÜ]|[A-Z ]{6,60}$)"
)
_ENDS = re.compile(r"(?<=[.;])\s+(?=[A-ZÄÖÜ(\d§])")
_ABBREVIATED = re.compile(
    r"(?:\b(?:Ltd|Inc|Co|No|Nr|Art|Abs|Corp|Mr|Ms|Dr|B\.V|N\.V|S\.A|e\.g|i\.e|z\.B)\.|\b\d{1,2}\.)$"
)


class Sentence(NamedTuple):
    page: int
    text: str


def sentences_of(pages: Sequence[str]) -> list[Sentence]:
    """Paragraphs end at blank lines and headings; a sentence that runs over a page's end stays with its first page."""
    found = [sentence for number, page in enumerate(pages, 1) for sentence in _of_page(number, page[:MAX_PAGE])]
    return found[:MOST]


def _of_page(number: int, page: str) -> Iterator[Sentence]:
    for paragraph in _paragraphs(page):
        start = 0
        for end in _ENDS.finditer(paragraph):
            if _ABBREVIATED.search(paragraph, max(0, end.start() - 8), end.start()):
                continue
            yield Sentence(number, paragraph[start : end.start()][:LONGEST])
            start = end.end()
        if rest := paragraph[start:].strip():
            yield Sentence(number, rest[:LONGEST])


def _paragraphs(page: str) -> Iterator[str]:
    gathered: list[str] = []
    for line in page.replace("\r", "").split("\n"):
        said = " ".join(line.split())
        if (not said or _HEADING.match(said)) and gathered:
            yield " ".join(gathered)
            gathered = []
        if said:
            gathered.append(said)
    if gathered:
        yield " ".join(gathered)
