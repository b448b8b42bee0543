"""Whether an example helps a model: the nearest labelled document, and what is right for it, beside the one to read.

`python -m tests.retrieval_figures`, with CASEWORK_MODEL and its URL set; DOCUMENTS says how many of the fixed sample.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from temporalio.exceptions import ApplicationError

from activities.learning.neighbours import LONGEST, Neighbour
from activities.questions import INVOICE
from schemas.invoice import FIELDS
from schemas.scoring import Labelled, same
from schemas.source import Page
from starters.commands.evaluate import labelled_in
from tests.figures import DATA
from tests.model_figures import SAMPLES, sample
from workers.build import readers
from workers.settings import Settings

DOCUMENTS = int(os.environ.get("DOCUMENTS", "24"))


def nearest(asked: Sequence[Labelled], others: Sequence[Labelled]) -> list[Labelled]:
    """Of the others, the one that is most like each, by TF-IDF of words and letters."""
    terms = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2)
    known = terms.fit_transform([one.text for one in others])
    return [others[int(row.argmax())] for row in (terms.transform([one.text for one in asked]) @ known.T).toarray()]


def instructions(example: Labelled | None) -> str:
    if example is None:
        return INVOICE.instructions
    values = {name: value for name, value in example.expected.items() if value}
    return INVOICE.after(Neighbour("", example.text[:LONGEST], values))


def main() -> None:
    settings = Settings.from_env()
    file, size = next(iter(SAMPLES.values()))
    held = sample(file, size)
    others = [one for one in labelled_in(DATA / "evaluate" / f"{file}.jsonl", FIELDS) if one not in held]
    asked = held[:DOCUMENTS]
    right: dict[str, Counter[str]] = {"without": Counter(), "with": Counter()}
    with readers(settings) as rungs:
        endpoint = rungs.endpoints["default"]
        for label, example in zip(asked, nearest(asked, others), strict=True):
            for way, shown in (("without", None), ("with", example)):
                found = _read(endpoint, label, shown)
                right[way].update(name for name, value in label.expected.items() if same(name, value, found.get(name)))
                print(way, dict(right[way]), flush=True)  # noqa: T201
    shares = {way: {name: round(count / len(asked), 3) for name, count in of.items()} for way, of in right.items()}
    print(json.dumps({"documents": len(asked), "right": shares}, indent=2))  # noqa: T201


def _read(endpoint: Any, label: Labelled, example: Labelled | None) -> dict[str, str | None]:
    try:
        said = endpoint.ask(instructions(example), INVOICE.shape, label.text)
    except ApplicationError as error:
        print(error, flush=True)  # noqa: T201
        return {}
    trusted = INVOICE.trusted(said.answer, [Page()])
    return {name: field.value for name, field in trusted.fields.items()}


if __name__ == "__main__":
    main()
