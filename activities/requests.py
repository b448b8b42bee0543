"""Requests: what is wanted in a message, by the classifier, and the details that it states."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import TYPE_CHECKING

from temporalio import activity

from activities.audit import Audit
from activities.conversation import Conversation, conversation_in
from activities.endpoints.embeddings import Embeddings
from activities.failures import at
from activities.languages import language_of
from activities.learning.classifiers import Classifiers, classify
from activities.model import Model
from activities.questions import request_question
from activities.store import Blobs
from schemas.case import ReadRequest
from schemas.proposal import Field, Proposal, Reading, Rung
from schemas.source import Thread
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
    model: Model
    classifiers: Classifiers
    audit: Audit
    embeddings: Embeddings | None = None

    @activity.defn(name="requests.read")
    def read(self, request: ReadRequest) -> Proposal:
        """Tell what is wanted, none of these included; the classifier or model that answered is named in `model`."""
        said, thread = conversation_in(self.blobs, request.document.source), request.document.source.thread
        # What a thread was filed under stays: only what its new message wants beside that is still to be told.
        filed = thread if thread and thread.category else None
        text = said.own if filed else said.text
        question = request_question(request.categories, lambda *_: self._classified(request, text))
        about, reading = self.model.ask(question, request)
        if reading:
            found = reading.fields[CATEGORY]
            about["fields"] = {CATEGORY: as_filed(filed, found) if filed else found, **stated(said, request.patterns)}
        if about["rung"] == RUNG:
            about["model"] = self._learned(request).digest[:12] or "examples of the charter"
        return self.model.told(request, Proposal(**about))

    def _learned(self, request: ReadRequest) -> "Classifier":
        return self.classifiers.of(request.case.partition("/")[0])

    def _classified(self, request: ReadRequest, text: str) -> Reading:
        """What the classifier says; a call for vectors is audited before and after."""
        learned = self._learned(request)
        if not learned.learned.embeddings:
            return Reading(fields={CATEGORY: classified(text, learned, None)})
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
        return Reading(fields={CATEGORY: found})


def as_filed(thread: Thread, found: Field) -> Field:
    """The category of the thread; another one that its new message wants makes it ambiguous."""
    other = (found.value,) if found.value and found.value != thread.category else ()
    evidence = f"as in {thread.case}"
    return Field(value=thread.category, evidence=evidence, confidence=thread.confidence, alternatives=other)


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
