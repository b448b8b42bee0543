"""Neighbours: the approved case most like a document is shown to a model, and none that would teach nothing good."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.cases import Cases
from activities.endpoints.endpoint import Endpoint
from activities.endpoints.ledger import Ledger
from activities.learning.neighbours import Neighbours
from activities.model import Model, Readers
from activities.parsers import Parsers
from activities.store import Blobs
from schemas.case import Closing, Outcome, OutcomeStatus, ReadRequest, View
from schemas.proposal import Field, Proposal
from schemas.source import PAGES, Document, Page, Source, TextLine, Verdict, VerdictStatus
from tests.activities.test_model import Provider, choice, completion

PAPER, WIRE = "Northwind Paper, invoice RE-1, 500 sheets, 119.00 EUR", "Kupfer AG, Rechnung 77, 40 m Draht, 80.00 EUR"
MORE_PAPER = "Northwind Paper, invoice RE-2, 900 sheets, 238.00 EUR"


@pytest.fixture
def cases(audit: Audit, blobs: Blobs) -> Cases:
    return Cases(audit.engine, blobs)


def document(cases: Cases, text: str, verdict: VerdictStatus = "ok") -> Document:
    pages = cases.blobs.put(PAGES.dump_json((Page(lines=(TextLine(text=text),)),)))
    source = Source(digest=cases.blobs.put(text.encode()), name="invoice.pdf", size=len(text))
    return Document(source=source, format="pdf", verdict=Verdict(status=verdict), text=pages)


def ended(
    cases: Cases,
    name: str,
    text: str,
    *,
    by: str = "ap-clerk",
    status: OutcomeStatus = "applied",
    verdict: VerdictStatus = "ok",
) -> str:
    case, read = f"invoice-intake/{name}", document(cases, text, verdict)
    fields = {"supplier": Field(value=text.partition(",")[0], confidence=1), "gross_amount": Field(value="119.00")}
    cases.open(case, read.source, "tester")
    view = View(document=read, proposal=Proposal(rung="embedded-reader", fields=fields))
    cases.close(Closing(case=case, outcome=Outcome(status=status, decided_by=by), view=view))
    return case


def test_nearest_of_the_approved_cases_is_found(cases: Cases) -> None:
    paper, _ = ended(cases, "paper", PAPER), ended(cases, "wire", WIRE)

    found = Neighbours(cases).nearest("invoice-intake/new", MORE_PAPER)

    assert found is not None
    assert (found.case, found.text, found.values["supplier"]) == (paper, PAPER, "Northwind Paper")


@pytest.mark.parametrize(
    "how",
    [{"by": ""}, {"status": "rejected"}, {"verdict": "suspicious"}],
    ids=["nobody looked at it", "rejected", "it addresses a machine"],
)
def test_what_people_did_not_approve_is_no_example(cases: Cases, how: dict[str, str]) -> None:
    ended(cases, "paper", PAPER, **how)  # type: ignore[arg-type]

    assert Neighbours(cases).nearest("invoice-intake/new", MORE_PAPER) is None


def test_case_is_no_example_for_itself_nor_for_another_process(cases: Cases) -> None:
    paper, neighbours = ended(cases, "paper", PAPER), Neighbours(cases)

    assert [neighbours.nearest(case, PAPER) for case in (paper, "contract-approval/new")] == [None, None]


@pytest.fixture
def model(cases: Cases, audit: Audit) -> Iterator[tuple[Model, Provider]]:
    provider = Provider()
    with Parsers(size=1) as parsers, provider.client() as client:
        readers = Readers(parsers, {"default": Endpoint(client, "small", examples=True)})
        yield Model(cases.blobs, readers, audit, Ledger(audit.engine), Neighbours(cases)), provider


@pytest.mark.parametrize("shown", [True, False])
def test_endpoint_is_shown_it_where_its_settings_say_so_and_the_audit_names_it(
    model: tuple[Model, Provider], cases: Cases, case: str, *, shown: bool
) -> None:
    reading, provider = model
    paper = ended(cases, "paper", PAPER)
    provider.answers.append(completion(choice(json.dumps({"fields": {}, "lines": []}))))
    endpoint = replace(reading.readers.endpoints["default"], examples=shown)
    reading = replace(reading, readers=replace(reading.readers, endpoints={"default": endpoint}))
    request = ReadRequest(case=case, document=document(cases, MORE_PAPER), rungs=("endpoint",), asked="default")

    ActivityEnvironment().run(reading.read_invoice, request)

    instructions = provider.asked[0]["messages"][0]["content"]
    (begun,) = [body for link, body in reading.audit.entries(case) if link.kind == "model.begun"]
    assert begun is not None
    assert (PAPER in instructions, '"119.00"' in instructions, begun.get("example", "")) == (
        shown,
        shown,
        paper if shown else "",
    )
