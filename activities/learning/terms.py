"""Terms: what of a message a classifier looks at, namely its words, pairs of them, and the letters they begin with."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

WORD = re.compile(r"\w+|\?")
"""A question mark is a word: it tells a question from a statement."""
APART = range(2, 5)
"""Two words of a sentence belong together over this distance, in either order."""
LETTERS = range(2, 6)
LONGEST = 8000
"""Characters of a message that are looked at; what somebody wants is said before that."""


def words_of(text: str) -> set[str]:
    words = _words(text)
    pairs = {f"{first} {second}" for first, second in pairwise(words)}
    apart = {"~".join(sorted(pair)) for step in APART for pair in zip(words, words[step:], strict=False)}
    return {*words, *pairs, *apart}


def letters_of(text: str) -> set[str]:
    """Runs of letters inside a word and over its edges: they hold across endings and slips of the pen."""
    return {run for word in set(_words(text)) for run in _runs(f" {word} ")}


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text[:LONGEST].casefold())
    return WORD.findall("".join(char for char in plain if not unicodedata.combining(char)))


def _runs(word: str) -> Iterator[str]:
    for size in LETTERS:
        for start in range(max(1, len(word) - size + 1)):
            yield word[start : start + size]
