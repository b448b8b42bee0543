"""The model: reading a document, rung by rung, from the surest to the least sure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel
from temporalio import activity

from activities import evidence
from activities.audit import Audit
from activities.endpoint import Endpoint
from activities.failures import at, kept
from activities.parsers import Parsers
from activities.pool import ParserStopped
from activities.questions import CONTRACT, INVOICE, Question
from activities.store import Blobs
from schemas.case import ReadRequest
from schemas.proposal import Proposal, Reading, Rung
from schemas.source import PAGES, Page

A = TypeVar("A", bound=BaseModel)


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
    endpoint: Endpoint | None = None

    def read(self, question: Question[A], rung: Rung, pages: Sequence[Page], xml: bytes | None) -> Answer | None:
        """One rung's answer; None when it does not apply to this document."""
        if rung == "embedded-xml" and xml and question.structured:
            return Answer(question.structured(self.parsers, xml))
        if rung == "embedded-reader" and pages:
            reading = question.embedded(self.parsers, [page.text for page in pages])
            return Answer(evidence.located(reading, pages))
        if rung == "endpoint" and pages and self.endpoint:
            text = "\f".join(page.text for page in pages)
            answer, tokens = self.endpoint.ask(question.instructions, question.shape, text)
            return Answer(question.trusted(answer, pages), self.endpoint.model, question.version, tokens)
        return None


@dataclass(frozen=True)
class Model:
    blobs: Blobs
    readers: Readers
    audit: Audit

    @activity.defn(name="model.read_invoice")
    def read_invoice(self, request: ReadRequest) -> Proposal:
        """Give the first answer among the rungs asked for; without any, an empty proposal for a person to fill."""
        about, reading = self._ask(INVOICE, request)
        lines = reading.lines if reading else ()
        stored = json.dumps([line.model_dump() for line in lines]).encode() if lines else None
        about |= {"lines": self.blobs.put(stored) if stored else None, "line_count": len(lines)}
        return self._told(request, Proposal(**about))

    @activity.defn(name="model.read_contract")
    def read_contract(self, request: ReadRequest) -> Proposal:
        """Give the first answer, as for invoices."""
        about, reading = self._ask(CONTRACT, request)
        return self._told(request, Proposal(**about, clauses=reading.clauses if reading else ()))

    def _told(self, request: ReadRequest, proposal: Proposal) -> Proposal:
        body = {"source": request.document.source.digest, **proposal.model_dump(mode="json", exclude={"head"})}
        return proposal.model_copy(update={"head": self.audit.record(request.case, "model.read", body)})

    def _ask(self, question: Question[A], request: ReadRequest) -> tuple[dict[str, Any], Reading | None]:
        """What a proposal says whatever is read, and what was read, if anything was."""
        started, after = monotonic(), [request.after] if request.after else []
        told: dict[str, Any] = {"rung": "person"}
        reading = None
        for rung in request.rungs:
            try:
                answer = self._read(question, rung, request)
            except ParserStopped as stopped:
                after.append(f"{rung}: {stopped}")
                continue
            if answer is not None:
                reading = answer.reading
                told = {"rung": rung, "fields": reading.fields, "model": answer.model, "tokens": answer.tokens}
                told["prompt_version"] = answer.prompt_version
                break
        return {**told, "after": "; ".join(after), "seconds": round(monotonic() - started, 3)}, reading

    def _read(self, question: Question[A], rung: Rung, request: ReadRequest) -> Answer | None:
        """One rung's answer; a call outside is audited before and after."""
        document, endpoint = request.document, self.readers.endpoint
        if rung == "embedded-xml":
            xml = kept(self.blobs, document.xml, "the e-invoice") if document.xml else None
            return self.readers.read(question, rung, (), xml)
        pages = PAGES.validate_json(kept(self.blobs, document.text, "the text")) if document.text else ()
        if rung != "endpoint" or not pages or endpoint is None:
            return self.readers.read(question, rung, pages, None)
        call = {
            "source": document.source.digest,
            "attempt": activity.info().attempt,
            "model": endpoint.model,
            "prompt_version": question.version,
        }
        self.audit.record(request.case, "model.begun", call)
        try:
            answer = self.readers.read(question, rung, pages, None)
        except Exception as error:  # noqa: BLE001  (whatever it was, the case goes on without this rung)
            self.audit.record(request.case, "model.ended", {**call, "failed": f"{type(error).__name__}: {error}"})
            raise at(rung, error) from None
        self.audit.record(request.case, "model.ended", {**call, "tokens": answer.tokens if answer else 0})
        return answer
