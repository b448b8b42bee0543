"""Learning a classifier from a labelled file, and keeping it as an artefact in the home."""

from pathlib import Path

from temporalio.exceptions import ApplicationError

from schemas.message import Message
from schemas.triage import CATEGORY, Example
from starters.commands.evaluate import labelled_in
from starters.refused import Refused
from workers.build import embeddings
from workers.settings import Settings


class Taught(Message):
    """What was learned, and where it is kept."""

    artefact: str
    categories: tuple[str, ...]
    examples: int
    none: int
    embeddings: str = ""
    """The model whose vectors it looks at too."""
    least: float
    """Below this probability a message is none of these."""


def learn(settings: Settings, process: str, file: Path) -> Taught:
    from activities.learning.categories import TooFew
    from activities.learning.categories import learn as learned_from
    from activities.learning.classifier import save

    labelled = labelled_in(file, (CATEGORY,))
    if any(label.source is not None or CATEGORY not in label.expected for label in labelled):
        raise Refused(f"{file}: each line needs a text and an expected {CATEGORY}, null for none of these")
    examples = [Example(text=label.text, category=label.expected[CATEGORY]) for label in labelled]
    try:
        with embeddings(settings) as asked:
            vectors = asked.vectors([one.text for one in examples]) if asked else ()
        found = learned_from(process, examples, vectors, settings.embeddings)
    except ApplicationError as error:
        raise Refused(f"the vectors of {settings.embeddings} could not be had: {error}") from None
    except TooFew as error:
        raise Refused(f"{file}: {error}") from None
    return Taught(
        artefact=str(save(found, settings.model_folder)),
        categories=found.learned.categories,
        examples=len(examples),
        none=sum(one.category is None for one in examples),
        embeddings=settings.embeddings,
        least=round(found.learned.calibration.least, 4),
    )
