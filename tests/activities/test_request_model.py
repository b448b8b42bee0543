"""The model on requests: a category of the policy or none of these, by words that stand in the message."""

import json
from collections.abc import Iterator

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.endpoints.endpoint import Endpoint
from activities.endpoints.ledger import Ledger
from activities.learning.classifiers import Classifiers
from activities.model import Model, Readers
from activities.parsers import Parsers
from activities.questions import NONE, UNSUPPORTED
from activities.requests import Requests
from activities.store import Blobs
from schemas.case import ReadRequest
from schemas.mail import Mail
from schemas.proposal import Field, Proposal
from schemas.source import PAGES, Document, Page, Source, TextLine, Verdict
from schemas.triage import CATEGORY
from tests.activities.test_model import Provider, choice, completion
from workers.settings import Settings

SAID = "Where is our order HL-20418?"
CASE = "request-triage/1"


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def requests(blobs: Blobs, audit: Audit, provider: Provider) -> Iterator[Requests]:
    settings = Settings()
    with Parsers(size=1) as parsers, provider.client() as client:
        readers = Readers(parsers, {"default": Endpoint(client, "small")})
        classifiers = Classifiers(settings.model_folder, settings.charters)
        yield Requests(blobs, Model(blobs, readers, audit, Ledger(audit.engine)), classifiers, audit)


def read(requests: Requests, provider: Provider, value: str, evidence: str) -> Proposal:
    said = {"fields": {CATEGORY: {"value": value, "evidence": evidence, "confidence": 0.9}}}
    provider.answers.append(completion(choice(json.dumps(said))))
    data = Mail(sender="ada@finch-labs.example", text=SAID).model_dump_json().encode()
    text = requests.blobs.put(PAGES.dump_json((Page(lines=(TextLine(text=SAID),)),)))
    source = Source(digest=requests.blobs.put(data), name="message.eml", size=len(data))
    request = ReadRequest(
        case=CASE,
        document=Document(source=source, format="text", verdict=Verdict(), text=text),
        rungs=("endpoint", "embedded-reader"),
        asked="default",
        patterns={"order_number": r"HL-\d{5}"},
        categories=("order_status", "return_request"),
    )
    return ActivityEnvironment().run(requests.read, request)


def test_model_is_offered_the_categories_and_the_classifier_seconds_it(requests: Requests, provider: Provider) -> None:
    proposal = read(requests, provider, "order_status", "Where is our order")

    asked, found = provider.asked[0], proposal.fields[CATEGORY]
    assert "order_status, return_request" in asked["messages"][0]["content"]
    assert '["order_status","return_request","none_of_these"]' in json.dumps(asked, separators=(",", ":"))
    assert (proposal.rung, found.value, found.confidence, found.seconded) == ("endpoint", "order_status", 0.9, True)
    assert proposal.fields["order_number"].value == "HL-20418"


@pytest.mark.parametrize(
    ("value", "evidence", "category", "confidence"),
    [(NONE, "Where is our order", None, 0.9), ("return_request", "I send it back", "return_request", UNSUPPORTED)],
    ids=["none of these", "words that nobody said"],
)
def test_what_a_model_says_is_taken_as_far_as_it_can_be(
    requests: Requests, provider: Provider, value: str, evidence: str, category: str | None, confidence: float
) -> None:
    found = read(requests, provider, value, evidence).fields.get(CATEGORY, Field())

    assert (found.value, found.confidence) == (category, confidence)


def test_category_that_the_policy_does_not_have_is_no_answer(requests: Requests, provider: Provider) -> None:
    with pytest.raises(ApplicationError, match="cannot be used"):
        read(requests, provider, "refund_everything", "Where is our order")
