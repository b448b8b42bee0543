"""The model: reading a document, rung by rung, from the surest to the least sure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import evidence
from activities.audit import Audit
from activities.endpoints.endpoint import Endpoint, Said, Usage, Wasted
from activities.endpoints.ledger import Call, Ledger
from activities.failures import at, kept, lasting
from activities.learning.neighbours import Neighbours
from activities.parsers import Parsers
from activities.pool import ParserStopped
from activities.questions import CONTRACT, INVOICE, Question
from activities.store import Blobs
from schemas.case import ReadRequest
from schemas.message import digest_of
from schemas.proposal import Field, Proposal, Reading, Rung, endpoint_of
from schemas.scoring import same
from schemas.source import PAGES, Page

A = TypeVar("A", bound=BaseModel)
LIKELIHOODS = "likelihoods"
"""Where they are kept, beside the fields of an answer."""


class Answer(NamedTuple):
    """What a rung read, and what is to be known about it."""

    reading: Reading
    model: str = ""
    prompt_version: str = ""
    tokens: int = 0


@dataclass(frozen=True)
class Readers:
    """The rungs above a person: each one way to read. Nothing is written here."""

    parsers: Parsers
    endpoints: Mapping[str, Endpoint] = attribute(default_factory=dict)

    def read(self, question: Question[A], rung: Rung, pages: Sequence[Page], xml: bytes | None) -> Answer | None:
        """One rung's answer; None when it does not apply to this document."""
        if rung == "embedded-xml" and xml and question.structured:
            return Answer(question.structured(self.parsers, xml))
        if rung == "embedded-reader" and pages:
            reading = question.embedded(self.parsers, [page.text for page in pages])
            return Answer(evidence.located(reading, pages))
        if pages and (endpoint := self.endpoints.get(endpoint_of(rung))):
            return self.trusted(
                question, endpoint, endpoint.ask(question.instructions, question.shape, text_of(pages)), pages
            )
        return None

    def trusted(self, question: Question[A], endpoint: Endpoint, said: Said[A], pages: Sequence[Page]) -> Answer:
        """What of an endpoint's answer is trusted, and for each value what speaks for it: it is not asked again."""
        reading = question.trusted(said.answer, pages)
        try:
            second = question.embedded(self.parsers, [page.text for page in pages]).fields
        except (ParserStopped, ApplicationError):  # the classifier's vectors may not be had
            second = {}
        fields = {
            name: field.model_copy(
                update={"likelihood": said.likelihoods.get(name), "seconded": _seconded(name, field, second.get(name))}
            )
            for name, field in reading.fields.items()
        }
        tokens = said.usage.read + said.usage.written
        return Answer(reading.model_copy(update={"fields": fields}), endpoint.model, question.version, tokens)


def _seconded(name: str, field: Field, other: Field | None) -> bool | None:
    return same(name, other.value, field.value) if other is not None and other.value and field.value else None


def text_of(pages: Sequence[Page]) -> str:
    return "\f".join(page.text for page in pages)


@dataclass(frozen=True)
class Model:
    """Its activities run on two kinds of queues: that of cases, where no endpoint is asked, and each endpoint's."""

    blobs: Blobs
    readers: Readers
    audit: Audit
    ledger: Ledger
    neighbours: Neighbours | None = None

    @activity.defn(name="model.read_invoice")
    def read_invoice(self, request: ReadRequest) -> Proposal:
        """Give the first answer among the rungs asked for; without any, an empty proposal for a person to fill."""
        about, reading = self.ask(INVOICE, request)
        lines = reading.lines if reading else ()
        stored = json.dumps([line.model_dump() for line in lines]).encode() if lines else None
        about |= {"lines": self.blobs.put(stored) if stored else None, "line_count": len(lines)}
        return self.told(request, Proposal(**about))

    @activity.defn(name="model.read_contract")
    def read_contract(self, request: ReadRequest) -> Proposal:
        """Give the first answer, as for invoices."""
        about, reading = self.ask(CONTRACT, request)
        return self.told(request, Proposal(**about, clauses=reading.clauses if reading else ()))

    def told(self, request: ReadRequest, proposal: Proposal) -> Proposal:
        """Audit what was read; what is still to be asked for is no act."""
        if proposal.ask:
            return proposal
        body = {"source": request.document.source.digest, **proposal.model_dump(mode="json", exclude={"head"})}
        return proposal.model_copy(update={"head": self.audit.record(request.case, "model.read", body)})

    def ask(self, question: Question[A], request: ReadRequest) -> tuple[dict[str, Any], Reading | None]:
        """What a proposal says whatever is read, and what was read, if anything was."""
        started, after = monotonic(), [request.after] if request.after else []
        told: dict[str, Any] = {"rung": "person"}
        reading, doubts = None, request.doubts
        for rung in request.rungs:
            name = endpoint_of(rung)
            if request.asked and name != request.asked:
                continue
            if name and not request.asked:
                if name not in self.readers.endpoints or not request.document.text:
                    unknown = name not in self.readers.endpoints and rung != "endpoint"
                    after += [f"{rung}: no endpoint of that name is set up here"] if unknown else []
                    continue
                over = request.budget.objection(*self.ledger.spent(request.case))
                if why := over or self.ledger.objection(name):
                    after.append(f"{rung}: {why}")
                    doubts = (*doubts, over) if over and over not in doubts else doubts
                    continue
                told["ask"] = name
                break
            try:
                answer = self._read(question, rung, request)
            except ParserStopped as stopped:
                after.append(f"{rung}: {stopped}")
                continue
            if answer is not None:
                reading = answer.reading
                told = {"rung": rung, "fields": reading.fields, "model": answer.model, "tokens": answer.tokens}
                told["prompt_version"] = answer.prompt_version
                told["warning"] = request.budget.warning(*self.ledger.spent(request.case)) if name else ""
                break
        seconds = round(monotonic() - started, 3)
        return {**told, "after": "; ".join(after), "doubts": doubts, "seconds": seconds}, reading

    def _read(self, question: Question[A], rung: Rung, request: ReadRequest) -> Answer | None:
        """One rung's answer."""
        document, endpoint = request.document, self.readers.endpoints.get(endpoint_of(rung))
        if rung == "embedded-xml":
            xml = kept(self.blobs, document.xml, "the e-invoice") if document.xml else None
            return self.readers.read(question, rung, (), xml)
        pages = PAGES.validate_json(kept(self.blobs, document.text, "the text")) if document.text else ()
        if endpoint is None or not pages:
            return self.readers.read(question, rung, pages, None)
        try:
            return self._answered(question, endpoint, request, pages)
        except Exception as error:  # noqa: BLE001  (whatever it was, the case goes on without this rung)
            raise at(rung, error) from None

    def _answered(
        self, question: Question[A], endpoint: Endpoint, request: ReadRequest, pages: Sequence[Page]
    ) -> Answer:
        """An endpoint's answer. What it answered this case before a worker was lost is not asked again."""
        asked = (request.case, request.document.text, endpoint.name, endpoint.model, question.version)
        call = Call(
            case=request.case,
            endpoint=endpoint.name,
            model=endpoint.model,
            prompt_version=question.version,
            source=request.document.source.digest,
            attempt=activity.info().attempt,
            question=digest_of(json.dumps(asked).encode()),
        )
        if known := self.ledger.answer(call):
            stored = json.loads(kept(self.blobs, known, "the answer"))
            said = Said(question.shape.model_validate(stored), likelihoods=stored.get(LIKELIHOODS, {}))
        else:
            said = self._asked(question, endpoint, request, call, pages)
        return self.readers.trusted(question, endpoint, said, pages)

    def _asked(
        self, question: Question[A], endpoint: Endpoint, request: ReadRequest, call: Call, pages: Sequence[Page]
    ) -> Said[A]:
        """Ask it, with an entry in the audit before and after."""
        text, instructions = text_of(pages), question.instructions
        if endpoint.examples and self.neighbours and (example := self.neighbours.nearest(request.case, text)):
            call, instructions = call._replace(example=example.case), question.after(example)
        self.ledger.begin(call, request.budget)
        started = monotonic()
        try:
            said = endpoint.ask(instructions, question.shape, text)
        except Exception as error:
            wasted = error.usage if isinstance(error, Wasted) else Usage()
            again = self.ledger.end(call, monotonic() - started, wasted, failed=error)
            if not again and isinstance(error, ApplicationError):
                raise lasting(error) from None  # the next rung is asked now, and not after a pause for nothing
            raise
        stored = {**said.answer.model_dump(mode="json"), LIKELIHOODS: said.likelihoods}
        self.ledger.end(call, monotonic() - started, said.usage, answer=self.blobs.put(json.dumps(stored).encode()))
        return said
