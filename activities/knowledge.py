"""The knowledge base: articles in Markdown, and those of their passages that answer a message."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from activities.languages import SMALL_WORDS

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

MOST = 2
"""Passages of one reply: what needs more of them is for a person to answer."""
NEAR = 0.8
"""A further passage is cited if it is so much as likely an answer as the first."""


class Passage(NamedTuple):
    """A paragraph of an article; `id` is the article's name and which paragraph of it this is: `returns#2`."""

    id: str
    title: str
    text: str


class Found(NamedTuple):
    passage: Passage
    support: float
    """The cosine of their weighed words, 0 to 1."""


@dataclass(frozen=True)
class Knowledge:
    """The articles of one language: `NAME.md`, a title line `# …`, then paragraphs with an empty line between."""

    folder: Path
    language: str

    def search(self, text: str, least: float) -> Sequence[Found]:
        """The passages that support an answer, best first; none below `least`."""
        if not self._passages:
            return ()
        words, rows = self._index
        supports = (rows @ words.transform([text]).T).toarray().ravel()
        order = supports.argsort()[::-1][:MOST]
        floor = max(least, NEAR * float(supports[order[0]]))
        return [Found(self._passages[at], float(supports[at])) for at in order if supports[at] >= floor]

    @cached_property
    def _passages(self) -> Sequence[Passage]:
        return [passage for path in sorted(self.folder.glob("*.md")) for passage in passages_of(path)]

    @cached_property
    def _index(self) -> "tuple[TfidfVectorizer, csr_matrix]":
        from sklearn.feature_extraction.text import TfidfVectorizer  # two seconds, which only a reply should cost

        small = SMALL_WORDS.get(self.language, "").split()
        words = TfidfVectorizer(stop_words=small or None, sublinear_tf=True)
        return words, words.fit_transform(f"{it.title} {it.title} {it.text}" for it in self._passages)


def passages_of(path: Path) -> Sequence[Passage]:
    paragraphs = [" ".join(it.split()) for it in path.read_text(encoding="utf-8").split("\n\n") if it.strip()]
    if not paragraphs or not paragraphs[0].startswith("# "):
        raise ValueError(f"{path.name} has no title: its first line is '# TITLE', with an empty line after it")
    title = paragraphs[0].removeprefix("# ")
    return [Passage(f"{path.stem}#{number}", title, text) for number, text in enumerate(paragraphs[1:], 1)]


@dataclass(frozen=True)
class Bases:
    """The knowledge bases at hand, one folder each with a folder for each language: `NAME/en/returns.md`.

    Read when first asked for: a worker is started again to take changed articles.
    """

    folder: Path
    _read: dict[tuple[str, str], Knowledge] = field(default_factory=dict)

    def of(self, name: str, language: str) -> Knowledge:
        return self._read.setdefault((name, language), Knowledge(self.folder / name / language, language))
