"""Vectors of an endpoint: looked at where they were taught with, audited, and missed by nobody when they fail."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import OpenAI
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.endpoints.embeddings import TOGETHER, Embeddings
from activities.endpoints.ledger import Ledger
from activities.learning.categories import learn
from activities.learning.classifier import Classifier, save
from activities.learning.classifiers import Classifiers, classify
from activities.model import Model, Readers
from activities.parsers import Parsers
from activities.requests import Requests
from activities.store import Blobs
from schemas.case import ReadRequest
from schemas.mail import Mail
from schemas.source import PAGES, Document, Page, Source, TextLine, Verdict
from schemas.triage import CATEGORY, Example

WARM, COLD = (
    ("sun", "fire", "oven", "summer", "desert", "stove"),
    ("ice", "snow", "frost", "winter", "glacier", "sleet"),
)
EXAMPLES = [Example(text=word, category=name) for name, words in (("warm", WARM), ("cold", COLD)) for word in words]


class Provider:
    """An endpoint at the wire that knows which words are warm."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.status = 200

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        self.asked.append(body["input"])
        vectors = [[1.0, 0.0] if text in (*WARM, "lava") else [0.0, 1.0] for text in body["input"]]
        data: list[dict[str, Any]] = [
            {"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        told = {"object": "list", "model": body["model"], "data": data[::-1], "usage": usage}
        return httpx2.Response(self.status, json=told)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def embeddings(provider: Provider) -> Iterator[Embeddings]:
    wire = httpx2.Client(transport=httpx2.MockTransport(provider.handle))
    with OpenAI(api_key="-", base_url="http://provider.test/v1", max_retries=0, http_client=wire) as client:
        yield Embeddings(client, "small")


@pytest.fixture
def learned(embeddings: Embeddings) -> Classifier:
    return learn("request-triage", EXAMPLES, embeddings.vectors([one.text for one in EXAMPLES]), "small").classifier


def test_vectors_tell_what_words_do_not(learned: Classifier, embeddings: Embeddings) -> None:
    assert classify("lava", learned, embeddings).category == "warm"
    assert classify("hail", learned, embeddings).category == "cold"


def test_vectors_come_in_the_order_of_the_texts_however_many(provider: Provider, embeddings: Embeddings) -> None:
    texts = ["ice"] * TOGETHER + ["sun"]

    vectors = embeddings.vectors(texts)

    assert vectors == [[0.0, 1.0]] * TOGETHER + [[1.0, 0.0]]
    assert [len(texts) for texts in provider.asked] == [TOGETHER, 1]


@pytest.mark.parametrize("other", [None, "large"])
def test_vectors_of_another_model_are_not_taken_for_its_own(
    learned: Classifier, embeddings: Embeddings, other: str | None
) -> None:
    with pytest.raises(ApplicationError, match="CASEWORK_EMBEDDINGS must name it"):
        classify("lava", learned, Embeddings(embeddings.client, other) if other else None)


@pytest.fixture
def request_(blobs: Blobs, case: str) -> ReadRequest:
    data = Mail(text="lava").model_dump_json().encode()
    source = Source(digest=blobs.put(data), name="message.txt", size=len(data))
    text = blobs.put(PAGES.dump_json((Page(lines=(TextLine(text="lava"),)),)))
    document = Document(source=source, format="text", verdict=Verdict(), text=text)
    return ReadRequest(case=case, document=document, rungs=("embedded-reader",))


@pytest.fixture
def requests(
    blobs: Blobs, audit: Audit, learned: Classifier, embeddings: Embeddings, case: str, tmp_path: Path
) -> Iterator[Requests]:
    path = save(learned, tmp_path)
    path.rename(path.with_name(f"{case.partition('/')[0]}-{path.name.rpartition('-')[2]}"))
    with Parsers() as parsers:
        model = Model(blobs, Readers(parsers), audit, Ledger(audit.engine))
        yield Requests(blobs, model, Classifiers(tmp_path, tmp_path), audit, embeddings)


def test_call_for_vectors_is_audited_before_and_after(requests: Requests, request_: ReadRequest) -> None:
    proposal = ActivityEnvironment().run(requests.read, request_)

    kinds = [link.kind for link, _ in requests.audit.entries(request_.case)]
    assert proposal.fields[CATEGORY].value == "warm"
    assert kinds[-3:] == ["model.begun", "model.ended", "model.read"]


def test_endpoint_that_fails_is_audited_and_names_the_rung(
    requests: Requests, request_: ReadRequest, provider: Provider
) -> None:
    provider.status = 503

    with pytest.raises(ApplicationError, match="answered 503") as failed:
        ActivityEnvironment().run(requests.read, request_)

    _, body = list(requests.audit.entries(request_.case))[-1]
    assert failed.value.details == ("embedded-reader",)
    assert body is not None
    assert "answered 503" in str(body["failed"])


def test_without_its_rung_a_person_reads_the_message(requests: Requests, request_: ReadRequest) -> None:
    asked = request_.model_copy(update={"rungs": (), "after": "embedded-reader: gone"})

    proposal = ActivityEnvironment().run(requests.read, asked)

    assert (proposal.rung, proposal.fields, proposal.after) == ("person", {}, "embedded-reader: gone")
