"""Judging labelled messages as request triage would, with the artefact of their categories."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from temporalio.exceptions import ApplicationError

from activities.documents import ingested
from activities.endpoints.embeddings import Embeddings
from activities.learning.calibration import brake_of, named
from activities.learning.classifier import NAMED, NoModel
from activities.parsers import Parsers
from activities.requests import RUNG, classified
from schemas.policy import Policy
from schemas.proposal import Field, Proposal
from schemas.routing import Brake, refusal, route
from schemas.scoring import Judged, Labelled
from schemas.triage import CATEGORY
from starters.launch import Measure
from starters.mail import split
from starters.refused import Refused
from workers.build import classifiers, embeddings, readers
from workers.records import blobs_of

if TYPE_CHECKING:
    from activities.learning.classifier import Classifier


@contextmanager
def judging_requests(measure: Measure, process: str) -> Iterator[Callable[[Labelled], Judged]]:
    try:
        learned = classifiers(measure.settings).of(process, measure.model)
    except NoModel as error:
        hint = f"'casework calibrate {process} --labelled FILE' learns one from labelled messages"
        raise Refused(f"{error}: {hint}") from None
    except FileNotFoundError as error:
        hint = f"'casework calibrate {process} --labelled FILE' learns from your own messages"
        raise Refused(
            f"no artefact is in {measure.settings.model_folder}, and {error.filename} is missing: {hint}"
        ) from None
    trusted = {"stage": "autonomous", "autonomous_rungs": (RUNG,)}
    with readers(measure.settings) as rungs, embeddings(measure.settings) as vectors:
        policy, brake = measure.policy.model_copy(update=trusted), Brake()
        if digest := policy.calibration:
            brake = brake_of(named(blobs_of(measure.settings), digest), digest, learned.digest[:NAMED])
        yield RequestJudge(rungs.parsers, learned, vectors, policy, brake, measure.folder).judge


@dataclass(frozen=True)
class RequestJudge:
    """The category alone is judged: what else a case needs depends on the charter, and not on the message."""

    parsers: Parsers
    learned: "Classifier"
    embeddings: Embeddings | None
    policy: Policy
    brake: Brake
    folder: Path

    def judge(self, label: Labelled) -> Judged:
        text = label.text
        if label.source is not None:
            mail = split((self.folder / label.source).read_bytes()).mail
            text = f"{mail.subject}\n{mail.text}"
        verdict = ingested(self.parsers, text).verdict
        if refused := refusal(verdict):
            return Judged(verdict=verdict.status, rung="none", reasons=refused.reasons)
        found = self._classified(text)
        proposal = Proposal(rung=RUNG, fields={CATEGORY: found})
        unsure = self.policy.model_copy(update={"min_confidence": 0})
        chosen = route(verdict, proposal, (), self.policy, self.brake)
        surest = route(verdict, proposal, (), unsure, Brake())
        # None of these is an answer, and one for a person.
        wanted = found.value is not None
        return Judged(
            verdict=verdict.status,
            rung=proposal.rung,
            fields=proposal.fields,
            confidence=found.confidence,
            clean=wanted and surest.kind == "auto",
            straight=wanted and chosen.kind == "auto",
            reasons=chosen.reasons,
        )

    def _classified(self, text: str) -> Field:
        try:
            return classified(text, self.learned, self.embeddings)
        except ApplicationError as error:
            raise Refused(str(error)) from None
