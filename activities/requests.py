"""Requests: what is wanted in a message, by the classifier, and the details that it states."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from time import monotonic
from typing import TYPE_CHECKING

from temporalio import activity

from activities.audit import Audit
from activities.classifiers import Classifiers
from activities.documents import said_in
from activities.failures import kept
from activities.languages import language_of
from activities.store import Blobs
from schemas.case import ReadRequest
from schemas.mail import Mail
from schemas.proposal import Field, Proposal
from schemas.triage import CATEGORY

if TYPE_CHECKING:
    from activities.classifier import Classifier

EVIDENCE = 160
STATED = 0.95
"""How sure a detail is that stands in the message as it is spelt: another one may be meant."""


@dataclass(frozen=True)
class Requests:
    blobs: Blobs
    classifiers: Classifiers
    audit: Audit

    @activity.defn(name="requests.read")
    def read(self, request: ReadRequest) -> Proposal:
        """Tell what is wanted, none of these included; the classifier that answered is named in `model`."""
        started = monotonic()
        message = Mail.model_validate_json(kept(self.blobs, request.document.source.digest, "the message"))
        if "embedded-reader" in request.rungs:
            learned = self.classifiers.of(request.case.partition("/")[0])
            fields = {**classified(said_in(message), learned), **stated(message, request.patterns)}
            proposal = Proposal(
                rung="embedded-reader",
                fields=fields,
                model=learned.digest[:12] or "examples of the charter",
                after=request.after,
                seconds=round(monotonic() - started, 3),
            )
        else:
            proposal = Proposal(rung="person", after=request.after)
        body = {"source": request.document.source.digest, **proposal.model_dump(mode="json", exclude={"head"})}
        return proposal.model_copy(update={"head": self.audit.record(request.case, "model.read", body)})


def classified(text: str, learned: "Classifier") -> dict[str, Field]:
    found = learned.classify(text)
    others = tuple(name for name in found.likeliest if name != found.category)
    shown = " ".join(text.split())[:EVIDENCE]
    near = () if found.category else others
    return {CATEGORY: Field(value=found.category, evidence=shown, confidence=found.confidence, alternatives=near)}


def stated(message: Mail, patterns: Mapping[str, str]) -> dict[str, Field]:
    """What the message says in so many words: who sent it, its language, and the details by how they are spelt."""
    text = said_in(message)
    found = {}
    for name, pattern in patterns.items():
        values = tuple(dict.fromkeys(match.group() for match in re.finditer(pattern, text)))
        if values:
            found[name] = Field(value=values[0], evidence=values[0], confidence=STATED, alternatives=values[1:])
    if language := language_of(text):
        found["language"] = Field(value=language, confidence=1)
    if address := parseaddr(message.sender)[1]:
        found["sender"] = Field(value=address, evidence=message.sender, confidence=1)
    return found
