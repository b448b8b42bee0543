"""The model: rungs in order, and an endpoint that answers well, badly, or not at all."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import log
from typing import Any

import httpx2
import pytest
from openai import OpenAI
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.endpoints.endpoint import Endpoint
from activities.endpoints.ledger import Ledger
from activities.evidence import place
from activities.model import Model, Readers
from activities.parsers import Parsers
from activities.questions import UNSUPPORTED, InvoiceFields
from activities.store import Blobs
from schemas.case import ReadRequest
from schemas.invoice import FIELDS
from schemas.proposal import Field as Read
from schemas.proposal import Proposal, Rung
from schemas.source import PAGES as STORED
from schemas.source import Box, Document, Page, Source, TextLine, Verdict
from starters.demo import SAMPLES

KEY = "sk-a-key-nobody-may-see"
PAGES = ["Northwind Paper GmbH\nInvoice no. RE-2026-0117", "Total to pay:   119.00 EUR"]
RUNGS: tuple[Rung, ...] = ("embedded-xml", "endpoint", "embedded-reader")
Answer = Callable[[httpx2.Request], httpx2.Response]


def named(fields: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Fields as an endpoint answers them: each in its place."""
    return {it["name"]: {key: value for key, value in it.items() if key != "name"} for it in fields}


def field(name: str, value: str, evidence: str, confidence: float = 0.97) -> dict[str, Any]:
    return {"name": name, "value": value, "evidence": evidence, "confidence": confidence}


SUPPLIER = field("supplier", "Northwind Paper GmbH", "Northwind Paper GmbH")
GROSS = field("gross_amount", "119.00", "Total to pay: 119.00 EUR")


def choice(content: str | None, finish: str = "stop", **message: str) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, **message}
    return {"index": 0, "finish_reason": finish, "logprobs": None, "message": said}


def completion(*choices: dict[str, Any]) -> Answer:
    usage = {"prompt_tokens": 300, "completion_tokens": 21, "total_tokens": 321}
    about = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "small"}
    return lambda _: httpx2.Response(200, json={**about, "choices": list(choices), "usage": usage})


def reads(*fields: dict[str, Any], lines: list[dict[str, Any]] | None = None) -> Answer:
    return completion(choice(json.dumps({"fields": named(fields), "lines": lines or []})))


def with_probabilities(tokens: Iterable[tuple[str, float]], *fields: dict[str, Any]) -> Answer:
    """The answer with these tokens as likely as said where they come first, and all around them certain."""
    content, told = json.dumps({"fields": named(fields), "lines": []}), [{"token": "```json\n", "logprob": -9.0}]
    for token, likelihood in tokens:
        before, _, content = content.partition(token)
        told += [{"token": before, "logprob": 0.0}, {"token": token, "logprob": log(likelihood)}]
    told.append({"token": content, "logprob": 0.0, "bytes": list(content.encode())})
    whole = "".join(str(one["token"]) for one in told[1:])
    return completion({**choice(whole), "logprobs": {"content": told}})


def fails(status: int, **headers: str) -> Answer:
    quoted = {"error": {"message": f"bad input: {PAGES[0]} (key {KEY})", "type": "any"}}
    return lambda _: httpx2.Response(status, json=quoted, headers=headers)


def breaks(error: type[httpx2.TransportError]) -> Answer:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise error(f"while sending {PAGES[0]}", request=request)

    return answer


class Provider:
    """An endpoint at the wire: it answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[dict[str, Any]] = []

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(json.loads(request.content))
        return self.answers.pop(0)(request)

    def client(self) -> OpenAI:
        wire = httpx2.Client(transport=httpx2.MockTransport(self._handle))
        return OpenAI(api_key=KEY, base_url="http://provider.test/v1", max_retries=0, http_client=wire)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture(scope="module")
def parsers() -> Iterator[Parsers]:
    with Parsers(size=1) as parsers:
        yield parsers


@pytest.fixture
def model(blobs: Blobs, parsers: Parsers, audit: Audit, provider: Provider) -> Iterator[Model]:
    with provider.client() as client:
        yield Model(blobs, Readers(parsers, {"default": Endpoint(client, "small")}), audit, Ledger(audit.engine))


@pytest.fixture
def without_endpoint(model: Model) -> Model:
    return replace(model, readers=Readers(model.readers.parsers))


@pytest.fixture
def text(blobs: Blobs, source: Source) -> Document:
    """A document with a text, and no data embedded in it."""
    return Document(source=source, format="pdf", verdict=Verdict(), text=blobs.put(STORED.dump_json(pages())))


def pages() -> tuple[Page, ...]:
    """PAGES with every line in a tenth of the page of its own."""
    return tuple(
        Page(lines=tuple(TextLine(text=words, box=tenth(row)) for row, words in enumerate(text.split("\n"))))
        for text in PAGES
    )


def tenth(row: int) -> Box:
    return Box(left=0.1, top=row / 10, right=0.9, bottom=(row + 1) / 10)


@pytest.fixture
def both(blobs: Blobs, text: Document) -> Document:
    """A document with a text and an e-invoice embedded in it."""
    xml = (SAMPLES / "kade-koffie-KK-2026-0311.xml").read_bytes()
    return text.model_copy(update={"xml": blobs.put(xml)})


def read(model: Model, case: str, document: Document, rungs: tuple[Rung, ...] = RUNGS, after: str = "") -> Proposal:
    """On the queue of cases, and on that of the endpoint when it is to be asked."""
    request = ReadRequest(case=case, document=document, rungs=rungs, after=after)
    proposal = ActivityEnvironment().run(model.read_invoice, request)
    while proposal.ask:
        request = request.model_copy(update={"asked": proposal.ask, "after": proposal.after})
        proposal = ActivityEnvironment().run(model.read_invoice, request)
    return proposal


def failure(model: Model, case: str, document: Document) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        read(model, case, document)
    return caught.value


def entries(model: Model, case: str, kind: str) -> list[dict[str, Any]]:
    return [dict(body or {}) for link, body in model.audit.entries(case) if link.kind == kind]


def test_embedded_xml_answers_before_any_model_is_asked(
    model: Model, case: str, both: Document, provider: Provider
) -> None:
    proposal = read(model, case, both)

    assert (proposal.rung, proposal.fields["invoice_number"].value) == ("embedded-xml", "KK-2026-0311")
    assert provider.asked == []


def test_endpoint_answers_where_there_is_no_xml(model: Model, case: str, text: Document, provider: Provider) -> None:
    provider.answers = [reads(SUPPLIER)]

    assert read(model, case, text).rung == "endpoint"


def test_embedded_reader_answers_where_there_is_no_endpoint(without_endpoint: Model, case: str, text: Document) -> None:
    assert read(without_endpoint, case, text).rung == "embedded-reader"


def test_rungs_are_tried_in_the_order_of_the_request(
    model: Model, case: str, both: Document, provider: Provider
) -> None:
    provider.answers = [reads(SUPPLIER)]

    assert read(model, case, both, ("endpoint", "embedded-xml")).rung == "endpoint"


def test_rung_the_policy_does_not_name_is_not_tried(
    model: Model, case: str, both: Document, provider: Provider
) -> None:
    assert read(model, case, both, ("embedded-reader",)).rung == "embedded-reader"
    assert provider.asked == []


def test_parser_that_was_stopped_is_passed_over_and_said(
    model: Model, case: str, both: Document, provider: Provider
) -> None:
    provider.answers = [reads(SUPPLIER)]
    with Parsers(size=1, seconds=0.001) as hasty:
        proposal = read(replace(model, readers=replace(model.readers, parsers=hasty)), case, both)

    assert proposal.rung == "endpoint"
    assert proposal.after == "embedded-xml: the parser was stopped after 0.001 s"


def test_what_no_rung_can_read_is_left_to_a_person(without_endpoint: Model, case: str, text: Document) -> None:
    scan = text.model_copy(update={"text": None})

    proposal = read(without_endpoint, case, scan)

    assert (proposal.rung, proposal.fields) == ("person", {})


def test_reason_why_better_rungs_did_not_answer_is_kept(model: Model, case: str, text: Document) -> None:
    proposal = read(model, case, text, ("embedded-reader",), after="endpoint: answered 500")

    assert (proposal.rung, proposal.after) == ("embedded-reader", "endpoint: answered 500")


def test_every_reading_is_audited_with_the_rung_that_answered(
    without_endpoint: Model, case: str, text: Document
) -> None:
    proposal = read(without_endpoint, case, text)

    link, body = without_endpoint.audit.entries(case)[-1]
    assert body is not None
    assert (link.kind, body["rung"], body["source"]) == ("model.read", "embedded-reader", text.source.digest)
    assert proposal.head is not None
    assert proposal.head.seq == link.seq


def test_answer_is_read_with_where_it_stands(model: Model, case: str, text: Document, provider: Provider) -> None:
    provider.answers = [reads(SUPPLIER, GROSS)]

    fields = read(model, case, text).fields

    assert {name: (read.value, read.page, read.box, read.confidence) for name, read in fields.items()} == {
        "supplier": ("Northwind Paper GmbH", 1, tenth(0), 0.97),
        "gross_amount": ("119.00", 2, tenth(0), 0.97),
    }


def test_embedded_reader_says_where_on_the_page_too(without_endpoint: Model, case: str, text: Document) -> None:
    number = read(without_endpoint, case, text).fields["invoice_number"]

    assert (number.value, number.page, number.box) == ("RE-2026-0117", 1, tenth(1))


@pytest.mark.parametrize(
    ("evidence", "rows"),
    [
        ("Total: 119.00", (1, 2)),
        ("Invoice no. 7", (0, 0)),
        ("no. 7 Total:", (0, 1)),
        ("VAT: 19.00", (3, 5)),  # a label and its value in columns of their own
        ("Gesamt", (6, 6)),
        ("19.00", (5, 5)),  # not the end of another number
        ("Skonto -3,00", (7, 7)),
    ],
)
def test_evidence_is_found_where_a_person_would_look(evidence: str, rows: tuple[int, int]) -> None:
    texts = ("Invoice no. 7", "Total:", "119.00", "VAT:", "EUR", "19.00", "G e s a m t", "Skonto\xa0\u22123,00")
    page = Page(lines=tuple(TextLine(text=text, box=tenth(row)) for row, text in enumerate(texts)))

    found = place(Read(evidence=evidence, page=2), (Page(), page))

    assert found.box == Box(left=0.1, top=rows[0] / 10, right=0.9, bottom=(rows[1] + 1) / 10)


def test_answer_says_which_model_with_which_prompt_and_for_how_many_tokens(
    model: Model, case: str, text: Document, provider: Provider
) -> None:
    provider.answers = [reads(SUPPLIER)]

    proposal = read(model, case, text)

    assert (proposal.model, proposal.tokens, len(proposal.prompt_version)) == ("small", 321, 12)


def test_lines_wait_in_the_blob_store(model: Model, case: str, text: Document, provider: Provider) -> None:
    lines = [{"description": f"item {number}", "quantity": "1"} for number in range(3)]
    provider.answers = [reads(SUPPLIER, lines=lines)]

    proposal = read(model, case, text)

    assert proposal.lines is not None
    assert [line["description"] for line in json.loads(model.blobs.get(proposal.lines))] == [
        "item 0",
        "item 1",
        "item 2",
    ]
    assert proposal.line_count == 3


@pytest.mark.parametrize("evidence", ["Southwind Paper GmbH", "", "   "])
def test_evidence_that_does_not_stand_in_the_document_lowers_the_confidence(
    model: Model, case: str, text: Document, provider: Provider, evidence: str
) -> None:
    provider.answers = [reads(field("supplier", "Southwind Paper GmbH", evidence, 0.99))]

    supplier = read(model, case, text).fields["supplier"]

    assert (supplier.page, supplier.confidence) == (None, UNSUPPORTED)


def test_unsupported_evidence_never_raises_a_low_confidence(
    model: Model, case: str, text: Document, provider: Provider
) -> None:
    provider.answers = [reads(field("supplier", "?", "not there", 0.1))]

    assert read(model, case, text).fields["supplier"].confidence == 0.1


def test_document_goes_to_the_model_as_data_apart_from_the_instructions(
    model: Model, case: str, text: Document, provider: Provider
) -> None:
    provider.answers = [reads(SUPPLIER)]

    read(model, case, text)

    system, user = provider.asked[0]["messages"]
    assert PAGES[0] not in system["content"]
    assert user["content"].startswith("<document>\n")
    assert all(page in user["content"] for page in PAGES)


def test_call_is_audited_before_and_after(model: Model, case: str, text: Document, provider: Provider) -> None:
    provider.answers = [reads(SUPPLIER)]

    read(model, case, text)

    kinds = [link.kind for link, _ in model.audit.entries(case)]
    assert kinds == ["case.started", "model.begun", "model.ended", "model.read"]
    assert entries(model, case, "model.ended")[0]["tokens"] == 321


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "30"}, 0.25),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "86400"}, 3600),
    ],
)
def test_rate_limit_is_waited_out_as_long_as_the_provider_says(
    model: Model, case: str, text: Document, provider: Provider, headers: dict[str, str], seconds: float
) -> None:
    provider.answers = [fails(429, **headers)]

    error = failure(model, case, text)

    assert (error.type, error.non_retryable) == ("provider.429", False)
    assert error.next_retry_delay == timedelta(seconds=seconds)


def test_rate_limit_until_an_instant_is_waited_out(model: Model, case: str, text: Document, provider: Provider) -> None:
    in_two_minutes = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    provider.answers = [fails(429, **{"retry-after": in_two_minutes})]

    delay = failure(model, case, text).next_retry_delay

    assert delay is not None
    assert timedelta(minutes=1) < delay <= timedelta(minutes=2)


@pytest.mark.parametrize(
    "headers",
    [{}, {"retry-after": "soon"}, {"retry-after": "-5"}, {"retry-after-ms": "nan"}, {"retry-after-ms": "inf"}],
)
def test_advice_that_says_nothing_leaves_the_wait_to_the_retry_policy(
    model: Model, case: str, text: Document, provider: Provider, headers: dict[str, str]
) -> None:
    provider.answers = [fails(429, **headers)]

    error = failure(model, case, text)

    assert (error.next_retry_delay, error.non_retryable) == (None, False)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_what_may_pass_is_tried_again(model: Model, case: str, text: Document, provider: Provider, status: int) -> None:
    provider.answers = [fails(status)]

    error = failure(model, case, text)

    assert (error.type, error.non_retryable) == (f"provider.{status}", False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_what_will_not_pass_is_not_tried_again(
    model: Model, case: str, text: Document, provider: Provider, status: int
) -> None:
    provider.answers = [fails(status)]

    error = failure(model, case, text)

    assert (error.type, error.non_retryable) == (f"provider.{status}", True)


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (httpx2.ReadTimeout, "provider.timeout"),
        (httpx2.ConnectTimeout, "provider.timeout"),
        (httpx2.ConnectError, "provider.unreachable"),
        (httpx2.RemoteProtocolError, "provider.unreachable"),
    ],
)
def test_silence_and_broken_lines_are_tried_again(
    model: Model, case: str, text: Document, provider: Provider, broken: type[httpx2.TransportError], kind: str
) -> None:
    provider.answers = [breaks(broken)]

    error = failure(model, case, text)

    assert (error.type, error.non_retryable) == (kind, False)


UNUSABLE = {
    "refusal": completion(choice(None, refusal=f"I will not read {PAGES[0]}")),
    "wrong schema": completion(choice(json.dumps({"fields": {"color": {"value": PAGES[0]}}, "lines": []}))),
    "confidence above one": reads(field("supplier", PAGES[0], "", 1.7)),
    "no choices": completion(),
    "empty": completion(choice("")),
    "prose": completion(choice(f"The supplier is {PAGES[0]}")),
    "truncated JSON": completion(choice(f'{{"fields": {{"supplier": {{"value": "{PAGES[0][:20]}')),
    "cut at the token limit": completion(choice('{"fields": {', finish="length")),
    "content filter": completion(choice(None, finish="content_filter")),
}


@pytest.fixture(params=UNUSABLE)
def unusable(request: pytest.FixtureRequest, provider: Provider) -> str:
    name: str = request.param
    provider.answers = [UNUSABLE[name]]
    return name


def test_unusable_answer_is_not_asked_for_again(model: Model, case: str, text: Document, unusable: str) -> None:
    error = failure(model, case, text)

    assert (error.type, error.non_retryable) == ("model.unusable", True)


def test_unusable_answer_is_audited_as_failed(model: Model, case: str, text: Document, unusable: str) -> None:
    failure(model, case, text)

    (ended,) = entries(model, case, "model.ended")
    assert ended["failed"].startswith("model.unusable")


def test_unusable_answer_has_its_price_all_the_same(model: Model, case: str, text: Document, unusable: str) -> None:
    failure(model, case, text)

    of_case, _ = model.ledger.spent(case)
    assert of_case.tokens == 321


def test_what_was_answered_once_is_not_asked_again(model: Model, case: str, text: Document, provider: Provider) -> None:
    """As when the worker is lost between the answer and the end of the step."""
    provider.answers = [reads(SUPPLIER)]

    first, again = read(model, case, text), read(model, case, text)

    assert again.fields == first.fields
    assert len(provider.asked) == 1


def test_answer_tells_how_likely_the_model_held_each_value(
    model: Model, case: str, text: Document, provider: Provider
) -> None:
    telling = replace(model.readers.endpoints["default"], logprobs=True)
    telling_model = replace(model, readers=replace(model.readers, endpoints={"default": telling}))
    provider.answers = [with_probabilities((("Northwind", 0.9), (" Paper GmbH", 0.8)), SUPPLIER, GROSS)]

    first, again = read(telling_model, case, text), read(telling_model, case, text)

    assert first.fields["supplier"].likelihood == pytest.approx(0.9 * 0.8)
    assert again.fields == first.fields
    assert [asked["logprobs"] for asked in provider.asked] == [True]


def test_endpoint_that_is_not_said_to_give_probabilities_is_not_asked_for_them(
    model: Model, case: str, text: Document, provider: Provider
) -> None:
    provider.answers = [reads(SUPPLIER)]

    assert read(model, case, text).fields["supplier"].likelihood is None
    assert "logprobs" not in provider.asked[0]


def test_answer_tells_where_the_embedded_reader_reads_the_same(
    model: Model, case: str, text: Document, provider: Provider
) -> None:
    other = field("gross_amount", "19.00", "Total to pay: 119.00 EUR")
    provider.answers = [reads(field("invoice_number", "re-2026-0117", "RE-2026-0117"), other, field("iban", "X", "X"))]

    found = read(model, case, text).fields

    assert {name: found[name].seconded for name in found} == {
        "invoice_number": True,
        "gross_amount": False,
        "iban": None,
    }


def test_what_must_not_be_sent_is_not_and_the_answer_has_it_again(
    model: Model, case: str, blobs: Blobs, source: Source, provider: Provider
) -> None:
    iban, mail = "DE89 3704 0044 0532 0130 00", "ann@example.com"
    lines = tuple(
        TextLine(text=words, box=tenth(row)) for row, words in enumerate((f"IBAN {iban}", f"Write to {mail}"))
    )
    stored = blobs.put(STORED.dump_json((Page(lines=lines),)))
    document = Document(source=source, format="pdf", verdict=Verdict(), text=stored)
    careful = replace(model.readers.endpoints["default"], personal_data="redact")
    provider.answers = [reads(field("iban", "[IBAN_1]", "IBAN [IBAN_1]"))]

    found = read(replace(model, readers=replace(model.readers, endpoints={"default": careful})), case, document)

    sent = json.dumps(provider.asked)
    assert [secret for secret in (iban, mail) if secret in sent] == []
    assert (found.fields["iban"].value, found.fields["iban"].page) == (iban, 1)


def test_unusable_answer_is_not_quoted_in_the_error(model: Model, case: str, text: Document, unusable: str) -> None:
    error = failure(model, case, text)

    assert "Northwind" not in f"{error!r} {error.details}"


@pytest.mark.parametrize(
    "answer", [fails(400), fails(401), fails(429), fails(500), breaks(httpx2.ReadTimeout), breaks(httpx2.ConnectError)]
)
def test_error_holds_neither_the_document_nor_the_key(
    model: Model, case: str, text: Document, provider: Provider, answer: Answer
) -> None:
    provider.answers = [answer]

    error = failure(model, case, text)

    told = f"{error!r} {error.details} {entries(model, case, 'model.ended')}"
    assert [secret for secret in ("Northwind", KEY) if secret in told] == []


def test_endpoint_is_asked_for_every_field_of_an_invoice() -> None:
    assert tuple(InvoiceFields.model_fields) == FIELDS


def test_failure_names_the_endpoint_only_when_it_is_the_endpoints(
    model: Model, case: str, text: Document, provider: Provider
) -> None:
    provider.answers = [fails(503)]

    failures = [failure(model, case, text), failure(model, case, text.model_copy(update={"text": "f" * 64}))]

    assert [(each.type, list(each.details)) for each in failures] == [("provider.503", ["endpoint"]), ("blob.lost", [])]


def test_failed_call_is_audited_as_failed(model: Model, case: str, text: Document, provider: Provider) -> None:
    provider.answers = [fails(503)]

    failure(model, case, text)

    kinds = [link.kind for link, _ in model.audit.entries(case)]
    assert kinds == ["case.started", "model.begun", "model.ended"]
    assert "503" in entries(model, case, "model.ended")[0]["failed"]


def test_endpoint_is_asked_once_an_attempt(model: Model, case: str, text: Document, provider: Provider) -> None:
    provider.answers = [fails(500), reads(SUPPLIER)]

    failure(model, case, text)

    assert len(provider.asked) == 1


def test_attempt_after_a_failed_one_answers(model: Model, case: str, text: Document, provider: Provider) -> None:
    provider.answers = [fails(500), reads(SUPPLIER)]
    failure(model, case, text)

    assert read(model, case, text).fields["supplier"].value == "Northwind Paper GmbH"
