"""The classifiers at hand: artefacts in the home, and until there is one, what the charter's own examples teach."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from activities.endpoints.embeddings import Embeddings
from activities.failures import unusable
from schemas.scoring import Labelled
from schemas.triage import CATEGORY, Classification, Example

if TYPE_CHECKING:
    from activities.learning.classifier import Classifier


def examples_in(text: str) -> Iterator[Example]:
    """Labelled lines, as `casework evaluate` takes them, as examples."""
    for line in text.split("\n"):
        if line.strip():
            label = Labelled.model_validate_json(line)
            yield Example(text=label.text, category=label.expected[CATEGORY])


def classify(text: str, learned: "Classifier", embeddings: Embeddings | None) -> Classification:
    """With the vectors that it was taught with, and no others: those of another model mean something else."""
    needed = learned.learned.embeddings
    if needed and (embeddings is None or embeddings.model != needed):
        raise unusable(f"the classifier was taught with the vectors of {needed}: CASEWORK_EMBEDDINGS must name it")
    return learned.classify(text, embeddings.vectors([text])[0] if needed and embeddings else ())


@dataclass(frozen=True)
class Classifiers:
    """Loaded once each, since many cases ask; a newer artefact is taken from the next case on."""

    models: Path
    charters: Path
    _loaded: "dict[tuple[str, int], Classifier]" = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, process: str, path: Path | None = None) -> "Classifier":
        """The one in `path`, else the newest of this process, else one learned here from the charter's examples."""
        from activities.learning.classifier import load, newest

        found = path or newest(self.models, process)
        with self._lock:
            key = (str(found), found.stat().st_mtime_ns if found and found.exists() else 0)
            if key not in self._loaded:
                self._loaded.clear()
                self._loaded[key] = load(found) if found else self._taught(process)
            return self._loaded[key]

    def _taught(self, process: str) -> "Classifier":
        from activities.learning.categories import learn

        text = (self.charters / f"{process}.examples.jsonl").read_text(encoding="utf-8")
        return learn(process, list(examples_in(text))).classifier
