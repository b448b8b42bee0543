"""Requests: what is wanted in a message, by the classifier, and the details that it states."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from time import monotonic
from typing import TYPE_CHECKING

from temporalio import activity

from activities.audit import Audit
from activities.conversation import Conversation, conversation_in
from activities.endpoints.embeddings import Embeddings
from activities.failures import at
from activities.languages import language_of
from activities.learning.classifiers import Classifiers, classify
from activities.store import Blobs
from schemas.case import ReadRequest
from schemas.proposal import Field, Proposal, Rung
from schemas.triage import CATEGORY

if TYPE_CHECKING:
    from activities.learning.classifier import Classifier

RUNG: Rung = "embedded-reader"
EVIDENCE = 160
STATED = 0.95
"""How sure a detail is that stands in the message as it is spelt: another one may be meant."""


@dataclass(frozen=True)
class Requests:
    blobs: Blobs
    classifiers: Classifiers
    audit: Audit
    embeddings: Embeddings | None = None

    @activity.defn(name="requests.read")
    def read(self, request: ReadRequest) -> Proposal:
        """Tell what is wanted, none of these included; the classifier that answered is named in `model`."""
        started = monotonic()
        said = conversation_in(self.blobs, request.document.source)
        proposal = Proposal(rung="person", after=request.after)
        if RUNG in request.rungs:
            found, model = self._wanted(request, said)
            proposal = Proposal(
                rung=RUNG,
                fields={CATEGORY: found, **stated(said, request.patterns)},
                model=model,
                after=request.after,
                seconds=round(monotonic() - started, 3),
            )
        body = {"source": request.document.source.digest, **proposal.model_dump(mode="json", exclude={"head"})}
        return proposal.model_copy(update={"head": self.audit.record(request.case, "model.read", body)})

    def _wanted(self, request: ReadRequest, said: Conversation) -> tuple[Field, str]:
        """What the thread was filed under stays, and what its new message surely wants beside that is told."""
        thread = request.document.source.thread
        if thread is None or not thread.category:
            return self._classified(request, said.text)
        found, model = self._classified(request, said.own)
        other = (found.value,) if found.value and found.value != thread.category else ()
        filed = f"as in {thread.case}"
        kept_ = Field(value=thread.category, evidence=filed, confidence=thread.confidence, alternatives=other)
        return kept_, model

    def _classified(self, request: ReadRequest, text: str) -> tuple[Field, str]:
        """The category and who told it; a call for vectors is audited before and after."""
        learned = self.classifiers.of(request.case.partition("/")[0])
        model = learned.digest[:12] or "examples of the charter"
        if not learned.learned.embeddings:
            return classified(text, learned, None), model
        call = {
            "source": request.document.source.digest,
            "attempt": activity.info().attempt,
            "model": learned.learned.embeddings,
        }
        self.audit.record(request.case, "model.begun", call)
        try:
            found = classified(text, learned, self.embeddings)
        except Exception as error:  # noqa: BLE001  (whatever it was, a person goes on without it)
            self.audit.record(request.case, "model.ended", {**call, "failed": f"{type(error).__name__}: {error}"})
            raise at(RUNG, error) from None
        self.audit.record(request.case, "model.ended", call)
        return found, model


def classified(text: str, learned: "Classifier", embeddings: Embeddings | None) -> Field:
    """The category as a field; when it is none of these, the nearest are its alternatives."""
    found = classify(text, learned, embeddings)
    shown = " ".join(text.split())[:EVIDENCE]
    near = () if found.category else tuple(found.likeliest)
    return Field(value=found.category, evidence=shown, confidence=found.confidence, alternatives=near)


def stated(said: Conversation, patterns: Mapping[str, str]) -> dict[str, Field]:
    """What was said in so many words: who sent it, its language, and the details by how they are spelt."""
    text = said.text
    found = {}
    for name, pattern in patterns.items():
        values = tuple(dict.fromkeys(match.group() for match in re.finditer(pattern, text)))
        if values:
            found[name] = Field(value=values[0], evidence=values[0], confidence=STATED, alternatives=values[1:])
    if language := language_of(text):
        found["language"] = Field(value=language, confidence=1)
    sender = said.message.sender
    if address := parseaddr(sender)[1]:
        found["sender"] = Field(value=address, evidence=sender, confidence=1)
    return found
