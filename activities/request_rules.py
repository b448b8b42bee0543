"""The rules of requests: what a person must look at, what is missing, and the ticket frozen from a message."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine
from temporalio import activity

from activities.audit import append
from activities.conversation import Conversation, conversation_in, headers_in
from activities.knowledge import Bases
from activities.learning.calibration import brake_of, named
from activities.replying import reply_to
from activities.rules import LONGEST, sample_findings
from activities.store import Blobs, writing
from activities.threads import Threads
from schemas.case import Checked, Draft, Record
from schemas.finding import Finding
from schemas.policy import Priority, RequestPolicy
from schemas.proposal import Field, Proposal
from schemas.reply import REPLY, Reply
from schemas.routing import Brake
from schemas.tables import BrakeRow
from schemas.triage import CATEGORY, RequestCheck

PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high")


@dataclass(frozen=True)
class RequestRules:
    engine: Engine
    blobs: Blobs
    key: bytes
    """By which the cases are drawn that a person always sees."""
    bases: Bases
    threads: Threads

    @activity.defn(name="rules.check_request")
    def check_request(self, request: RequestCheck) -> Checked:
        """Find what is wrong, freeze the ticket that would be written, and read the brake."""
        said = conversation_in(self.blobs, request.document.source)
        message = headers_in(self.blobs, request.document.source, said.message)
        proposal, policy, text = request.proposal, request.policy, said.text
        reply = reply_to(message, text, values_of(proposal), policy, self.bases)
        draft = draft_of(request, said).model_copy(update={"reply": reply})
        digest = self.blobs.put(draft.model_dump_json().encode())
        limit = Brake()
        if policy.calibration and proposal.rung != "person":
            limit = brake_of(named(self.blobs, policy.calibration), policy.calibration, proposal.model)
        findings = (
            *request_findings(proposal, policy),
            *proof_findings(proposal, limit.min_confidence, in_thread=bool(said.earlier)),
            *reply_findings(reply, policy),
            *sample_findings(request.case, policy, proposal, self.key),
        )
        with writing(self.engine, request.case) as session:
            row = session.get(BrakeRow, request.process)
            found = [finding.model_dump() for finding in findings]
            head = append(session, request.case, "rules.checked", {"draft": digest, "findings": found})
        # What it proves it proves of categories: how sure the other fields are is not measured by it.
        limit = limit.model_copy(update={"min_confidence": 0})
        brake = limit.joined(Brake.model_validate(row.model_dump())) if row else limit
        newer = self.threads.newer(request.case)
        return Checked(findings=findings, draft=digest, brake=brake, head=head, reply=reply, newer=newer)


def values_of(proposal: Proposal) -> dict[str, str]:
    return {name: field.value for name, field in proposal.fields.items() if field.value}


def priority_of(values: dict[str, str], policy: RequestPolicy, text: str) -> Priority:
    """What a person said, else high for urgent words, else the category's own."""
    for known in PRIORITIES:
        if values.get("priority") == known:
            return known
    if any(word.casefold() in text.casefold() for word in policy.urgent):
        return "high"
    category = policy.categories.get(values.get(CATEGORY, ""))
    return category.priority if category else "normal"


def draft_of(request: RequestCheck, said: Conversation) -> Draft:
    """One ticket for a thread, whichever of its cases files it, and an activity for each message."""
    values, policy = values_of(request.proposal), request.policy
    thread = request.document.source.thread
    ref = f"{thread.root if thread else request.case}:apply"
    sender = values.get("sender", "")
    party = Record(kind="party", ref=f"party:mail:{sender.casefold()}", values={"name": sender})
    ticket = Record(
        kind="ticket",
        ref=ref,
        values={
            "subject": said.first.subject or said.first.text[:LONGEST].partition("\n")[0],
            "category": values.get(CATEGORY),
            "priority": priority_of(values, policy, said.text),
            "language": values.get("language"),
            "details": {name: values[name] for name in policy.details if name in values},
        },
        links={"party": party.ref} if sender else {},
    )
    note = f"Message taken in by casework, read by {request.proposal.rung}, case {request.case}"
    activity_ = Record(kind="activity", ref=f"{request.case}:activity", values={"text": note}, links={"ticket": ref})
    records = (*((party,) if sender else ()), ticket, activity_)
    return Draft(case=request.case, source=request.document.source.digest, main=ref, records=records)


def request_findings(proposal: Proposal, policy: RequestPolicy) -> Iterator[Finding]:
    values = values_of(proposal)
    yield from _category_findings(proposal, policy)
    for name, field in proposal.fields.items():
        if name != REPLY and len(field.value or "") > LONGEST:
            message = f"{name} is longer than {LONGEST} characters"
            yield Finding(code="field.too_long", severity="block", field=name, message=message)
        if field.value and field.alternatives:
            message = f"the message has {' and '.join((field.value, *field.alternatives))}"
            yield Finding(code="field.ambiguous", severity="review", field=name, message=message)
    if (priority := values.get("priority")) and priority not in PRIORITIES:
        message = f"a priority is one of {', '.join(PRIORITIES)}"
        yield Finding(code="priority.unknown", severity="block", field="priority", message=message)
    if (language := values.get("language")) and language not in policy.languages:
        message = f"it is written in {language}; the classifier knows {', '.join(policy.languages)}"
        yield Finding(code="language.other", severity="review", field="language", message=message)


def proof_findings(proposal: Proposal, least: float, *, in_thread: bool) -> Iterator[Finding]:
    """That the policy's calibration does not vouch for the category: it was made of first messages alone."""
    read = proposal.fields.get(CATEGORY, Field())
    if not read.value or not least:
        return
    if in_thread:
        message = "the calibration proves nothing of answers"
    elif read.confidence < least:
        message = f"confidence {read.confidence:.2f} is below {least:.2f}, which the calibration proves"
    else:
        return
    yield Finding(code="category.unproved", severity="review", field=CATEGORY, message=message)


def reply_findings(reply: Reply | None, policy: RequestPolicy) -> Iterator[Finding]:
    """That somebody sees a reply before it is sent, where the policy wants that."""
    if reply and policy.replies == "approved":
        cites = f", citing {', '.join(reply.cites)}" if reply.cites else ""
        yield Finding(code="reply.unapproved", severity="review", message=f"a reply would be sent{cites}")


def _category_findings(proposal: Proposal, policy: RequestPolicy) -> Iterator[Finding]:
    read = proposal.fields.get(CATEGORY, Field())
    if read.value is None:
        near = f"; the nearest are {', '.join(read.alternatives)}" if read.alternatives else ""
        message = f"none of the categories is wanted{near}"
        yield Finding(code="category.none", severity="review", field=CATEGORY, message=message)
        return
    if (category := policy.categories.get(read.value)) is None:
        message = f"the charter has no category {read.value!r}: it has {', '.join(policy.categories)}"
        yield Finding(code="category.unknown", severity="block", field=CATEGORY, message=message)
        return
    values = values_of(proposal)
    for name in category.needs:
        if name not in values:
            message = f"{name} is not stated; to ask the sender: {policy.details[name].ask}"
            yield Finding(code="detail.missing", severity="review", field=name, message=message)
