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
        text = said.own if thread and thread.category else said.text
        question = request_question(request.categories, lambda *_: self._classified(request, text))
        about, reading = self.model.ask(question, request)
        if reading:
            found = reading.fields[CATEGORY]
            if thread:
                answers = any(re.search(pattern, said.own) for pattern in request.patterns.values())
                # A model reads the whole conversation: what it says is not of the new message alone.
                found = in_thread(thread, found, answers=answers, alone=about["rung"] == RUNG)
            about["fields"] = {CATEGORY: found, **stated(said, request.patterns)}
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


def in_thread(thread: Thread, found: Field, *, answers: bool, alone: bool) -> Field:
    """What a thread wants, now that a message has come that may state a detail (`answers`), or something else.

    `found` is what the message wants, if it was looked at `alone`.

    It is sure if that is what the message is for, or if it wants what the thread was filed under; else nobody knows.
    """
    if not thread.category:
        return found if answers else found.model_copy(update={"confidence": 0.0})
    other = (found.value,) if found.value and found.value != thread.category else ()
    sure = answers or (alone and found.value == thread.category)
    return Field(
        value=thread.category,
        evidence=f"as in {thread.case}",
        confidence=thread.confidence if sure else 0.0,
        alternatives=other,
    )


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
