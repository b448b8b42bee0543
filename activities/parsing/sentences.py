"""Sentences: the pages of a contract as passages that a clause does not run across."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from activities.parsing.layout import MAX_PAGE

LONGEST, SHARED = 1200, 200
ENDLESS = 20_000
"""What goes on for longer than this without a stop is no sentence of anybody."""
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
            yield from _pieces(number, paragraph[start : end.start()])
            start = end.end()
        if rest := paragraph[start:].strip():
            yield from _pieces(number, rest)


def _pieces(number: int, said: str) -> Iterator[Sentence]:
    """One that is too long becomes several, which share some words: a clause may straddle the end of one."""
    for start in range(0, min(max(len(said) - SHARED, 1), ENDLESS), LONGEST - SHARED):
        yield Sentence(number, said[start : start + LONGEST])


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
