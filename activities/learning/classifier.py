"""The classifier: what is wanted in a message, by linear weights over its terms, or none of the categories.

Imported where something is classified, and there alone: it needs numpy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from activities.learning.terms import letters_of, words_of
from schemas.message import Message, digest_of
from schemas.triage import Classification

Floats = NDArray[np.float32]
KINDS = (words_of, letters_of)
TOLD = 3
NAMED = 12
"""Digits of its digest in the name of an artefact."""
MOST = 50.0
UNHEARD = -1.0
"""The margin of what no example speaks for: as far on the wrong side as the support vectors."""


class NoModel(Exception):
    """What is wrong with an artefact, in words for whoever named it."""


class Calibration(Message):
    """How margins become probabilities, and from where on a message is none of the categories.

    A message is in scope with the probability `logistic(slope * (best margin - margin of none) + offset)`; the
    categories share that by a softmax of `temperature` times their margins.
    """

    temperature: float
    slope: float = 0
    offset: float = 0
    least: float
    """Below this probability the answer is none: of being in scope where examples of none are known, else of the
    first category."""


class Learned(Message):
    """What stands in an artefact beside the numbers."""

    process: str
    categories: tuple[str, ...]
    vocabularies: tuple[tuple[str, ...], ...]
    knows_none: bool
    calibration: Calibration
    examples: int
    embeddings: str = ""
    """The model whose vectors it looks at too."""


@dataclass(frozen=True)
class Classifier:
    """`weights` has a row for each term, then one for each dimension of a vector, and a column for each category.

    Where examples of none are known, none has the last column.
    """

    learned: Learned
    worth: Floats
    weights: NDArray[np.float16]
    bias: Floats
    digest: str = ""

    def classify(self, text: str, vector: Sequence[float] = ()) -> Classification:
        if not any(words_of(text)):
            return Classification(confidence=1)
        return self.answer(self.margins(text, vector))

    def margins(self, text: str, vector: Sequence[float] = ()) -> Floats:
        found: Floats = self.bias.copy()
        for places, values in self._blocks(text):
            found += values @ self.weights[places].astype(np.float32)
        if self.learned.embeddings:
            found += shortened(np.array(vector, np.float32)) @ self.weights[len(self.worth) :].astype(np.float32)
        return found

    def answer(self, margins: Floats) -> Classification:
        count, how = len(self.learned.categories), self.learned.calibration
        best, none = margins[:count], float(margins[count]) if self.learned.knows_none else UNHEARD
        shares = softmax(best * how.temperature)
        scope = logistic(how.slope * (float(best.max()) - none) + how.offset) if self.learned.knows_none else 1.0
        order = np.argsort(-shares)[:TOLD]
        likeliest = {self.learned.categories[place]: round(scope * float(shares[place]), 4) for place in order}
        first = self.learned.categories[order[0]]
        sure = scope if self.learned.knows_none else likeliest[first]
        if sure < how.least:
            # Without an example of none, how sure that is cannot be told.
            return Classification(
                category=None, confidence=round(1 - sure, 4) if self.learned.knows_none else 0, likeliest=likeliest
            )
        return Classification(category=first, confidence=likeliest[first], likeliest=likeliest)

    def _blocks(self, text: str) -> "list[tuple[list[int], Floats]]":
        """For each kind of term the places of those it knows, and their weights, of length one together."""
        found = []
        for terms_of, places in zip(KINDS, self._places, strict=True):
            here = sorted(places[term] for term in terms_of(text) if term in places)
            found.append((here, shortened(self.worth[here])))
        return found

    @cached_property
    def _places(self) -> tuple[Mapping[str, int], ...]:
        places, start = [], 0
        for vocabulary in self.learned.vocabularies:
            places.append({term: place for place, term in enumerate(vocabulary, start)})
            start += len(vocabulary)
        return tuple(places)


def shortened(values: Floats) -> Floats:
    """The same direction, of a length that makes all kinds of terms weigh alike."""
    length = float(np.linalg.norm(values))
    return values / np.float32(length * len(KINDS) ** 0.5) if length else values


def softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max())
    shares: Floats = powers / powers.sum()
    return shares


def logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -MOST, MOST))))


def save(found: Classifier, folder: Path) -> Path:
    """Write it as `PROCESS-DIGEST.npz`, named by its own bytes: the same examples give the same file.

    Arrays and JSON, and read as such: loading an artefact runs no code, whoever made it.
    """
    about = np.frombuffer(found.learned.model_dump_json().encode(), np.uint8)
    file = BytesIO()
    np.savez_compressed(file, learned=about, worth=found.worth, weights=found.weights, bias=found.bias)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{found.learned.process}-{digest_of(file.getvalue())[:NAMED]}.npz"
    # Written aside and moved, so that a worker that looks for the newest never finds half of one.
    aside = path.with_suffix(f".{uuid4().hex}")
    aside.write_bytes(file.getvalue())
    aside.replace(path)
    return path


def load(path: Path) -> Classifier:
    try:
        data = path.read_bytes()
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            learned = Learned.model_validate_json(arrays["learned"].tobytes())
            return Classifier(learned, arrays["worth"], arrays["weights"], arrays["bias"], digest_of(data))
    except FileNotFoundError:
        raise NoModel(f"{path} is missing") from None
    except (BadZipFile, ValueError, KeyError, OSError):
        raise NoModel(f"{path} is no artefact of this version's 'casework calibrate': calibrate again") from None


def newest(folder: Path, process: str) -> Path | None:
    return max(folder.glob(f"{process}-*.npz"), key=lambda path: path.stat().st_mtime_ns, default=None)
