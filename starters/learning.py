"""Learning a classifier from a labelled file, and keeping it as an artefact in the home."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from temporalio.exceptions import ApplicationError

from activities.learning.fitting import Answered
from schemas.message import Message, digest_of
from schemas.triage import CATEGORY, Classification, Example
from starters.commands.evaluate import labelled_in
from starters.refused import Refused
from workers.build import embeddings
from workers.settings import Settings


class Kept(Message):
    """What was learned, and where it is kept."""

    artefact: str
    categories: tuple[str, ...]
    examples: int
    none: int
    embeddings: str = ""
    """The model whose vectors it looks at too."""
    least: float
    """Below this probability a message is none of these."""


class Lesson(NamedTuple):
    kept: Kept
    classifier: str
    """As cases name it."""
    answers: Sequence[Answered]
    """What was said of messages by classifiers that had not seen them."""


def learn(settings: Settings, process: str, file: Path) -> Lesson:
    from activities.learning.categories import TooFew, as_expected
    from activities.learning.categories import learn as learned_from
    from activities.learning.classifier import NAMED, load, save

    labelled = labelled_in(file, (CATEGORY,))
    if any(label.source is not None or CATEGORY not in label.expected for label in labelled):
        raise Refused(f"{file}: each line needs a text and an expected {CATEGORY}, null for none of these")
    # Each once: what stands there twice would judge itself.
    once = dict.fromkeys((label.text, label.expected[CATEGORY]) for label in labelled)
    examples = [Example(text=text, category=category) for text, category in once]
    try:
        with embeddings(settings) as asked:
            vectors = asked.vectors([one.text for one in examples]) if asked else ()
        taught = learned_from(process, examples, vectors, settings.embeddings)
    except ApplicationError as error:
        raise Refused(f"the vectors of {settings.embeddings} could not be had: {error}") from None
    except TooFew as error:
        raise Refused(f"{file}: {error}") from None
    path, learned = save(taught.classifier, settings.model_folder), taught.classifier.learned
    kept = Kept(
        artefact=str(path),
        categories=learned.categories,
        examples=len(examples),
        none=sum(one.category is None for one in examples),
        embeddings=settings.embeddings,
        least=round(learned.calibration.least, 4),
    )
    answers = [answered(examples[place], taught.unseen[place]) for place in as_expected(examples, taught.unseen)]
    return Lesson(kept, load(path).digest[:NAMED], answers)


def answered(example: Example, found: Classification) -> Answered:
    """None of these goes to a person, whatever its confidence."""
    wanted = found.category is not None
    return Answered(
        digest_of(example.text.encode()), found.confidence, wrong=found.category != example.category, clean=wanted
    )
