"""The model on contracts: the same rungs, other questions."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.endpoints.endpoint import Endpoint
from activities.endpoints.ledger import Ledger
from activities.evidence import supports
from activities.model import Model, Readers
from activities.parsers import Parsers
from activities.questions import UNSUPPORTED, ContractFields
from activities.store import Blobs
from schemas.case import ReadRequest
from schemas.contract import FIELDS
from schemas.proposal import Proposal, Rung, endpoint_of
from schemas.source import PAGES, Box, Document, Page, Source, TextLine, Verdict
from tests.activities.test_model import Provider, choice, completion, field, named

LINES = (
    "Service Agreement between Aldermere Instruments GmbH",
    "and Tern Analytics Ltd (the Supplier).",
    "The Customer shall indemnify the Supplier.",
)
STANDS = Box(left=0, top=0.5, right=1, bottom=0.6)


@pytest.fixture(scope="module")
def parsers() -> Iterator[Parsers]:
    with Parsers(size=1) as parsers:
        yield parsers


def read(model: Model, case: str, source: Source, *rungs: Rung, xml: bytes | None = None) -> Proposal:
    page = Page(lines=tuple(TextLine(text=text, box=STANDS) for text in LINES))
    text = model.blobs.put(PAGES.dump_json((page,)))
    stored = model.blobs.put(xml) if xml else None
    document = Document(source=source, format="docx", verdict=Verdict(), page_count=1, text=text, xml=stored)
    request = ReadRequest(case=case, document=document, rungs=rungs, asked=endpoint_of(rungs[0]))
    return ActivityEnvironment().run(model.read_contract, request)


def answers(provider: Provider, fields: list[dict[str, Any]], *clauses: dict[str, str]) -> None:
    provider.answers.append(completion(choice(json.dumps({"fields": named(fields), "clauses": clauses}))))


def test_the_embedded_reader_gives_fields_and_clauses_where_they_stand(
    blobs: Blobs, parsers: Parsers, audit: Audit, case: str, source: Source
) -> None:
    proposal = read(Model(blobs, Readers(parsers), audit, Ledger(audit.engine)), case, source, "embedded-reader")

    assert proposal.fields["second_party"].value == "Tern Analytics Ltd"
    assert [(clause.kind, clause.quote, clause.box) for clause in proposal.clauses] == [("indemnity", LINES[2], STANDS)]


def test_the_endpoint_is_asked_about_a_contract_and_its_clauses_are_looked_up(
    blobs: Blobs, parsers: Parsers, audit: Audit, case: str, source: Source
) -> None:
    provider = Provider()
    said = {"kind": "indemnity", "quote": "shall indemnify the Supplier"}
    invented = {"kind": "penalty", "quote": "shall pay a penalty"}
    answers(
        provider, [field("second_party", "Tern Analytics Ltd", "Tern Analytics Ltd (the Supplier)")], said, invented
    )

    with provider.client() as client:
        model = Model(blobs, Readers(parsers, {"default": Endpoint(client, "small")}), audit, Ledger(audit.engine))
        proposal = read(model, case, source, "endpoint")

    assert "one contract" in provider.asked[0]["messages"][0]["content"]
    assert proposal.fields["second_party"].confidence == 0.97
    assert [(clause.quote, clause.page) for clause in proposal.clauses] == [
        (said["quote"], 1),
        (invented["quote"], None),
    ]


def test_a_value_whose_words_do_not_say_it_is_not_trusted(
    blobs: Blobs, parsers: Parsers, audit: Audit, case: str, source: Source
) -> None:
    provider = Provider()
    answers(provider, [field("end_date", "2028-01-01", LINES[0])])

    with provider.client() as client:
        model = Model(blobs, Readers(parsers, {"default": Endpoint(client, "small")}), audit, Ledger(audit.engine))
        proposal = read(model, case, source, "endpoint")

    assert proposal.fields["end_date"].confidence == UNSUPPORTED


def test_the_xml_of_an_invoice_is_no_contract(
    blobs: Blobs, parsers: Parsers, audit: Audit, case: str, source: Source
) -> None:
    model = Model(blobs, Readers(parsers), audit, Ledger(audit.engine))

    assert read(model, case, source, "embedded-xml", xml=b"<Invoice/>").rung == "person"


def test_the_clauses_stand_in_the_audit(
    blobs: Blobs, parsers: Parsers, audit: Audit, case: str, source: Source
) -> None:
    read(Model(blobs, Readers(parsers), audit, Ledger(audit.engine)), case, source, "embedded-reader")

    bodies = [body for link, body in audit.entries(case) if link.kind == "model.read"]
    assert LINES[2] in json.dumps(bodies)


def test_an_endpoint_may_answer_every_field() -> None:
    assert tuple(ContractFields.model_fields) == FIELDS


@pytest.mark.parametrize(
    ("name", "value", "words", "expected"),
    [
        ("term", "P2Y", "twenty-four months", True),
        ("term", "P36M", "twenty-four months", False),
        ("value", "48000.00", "EUR 48,000.00", True),
        ("value", "84000.00", "EUR 48,000.00", False),
        ("start_date", "2026-03-01", "on 1 March 2026", True),
        ("start_date", "2026-03-02", "on 1 March 2026", False),
        ("liability_cap", "150% of the fees", "limited to 150% of the fees", True),
    ],
)
def test_words_support_the_value_they_can_be_read_as(name: str, value: str, words: str, expected: bool) -> None:
    assert supports(words, name, value) is expected
