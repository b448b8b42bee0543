"""Cases under the payload codec: nothing readable in histories, and no bytes at all that stop a case."""

import os
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.workflowservice.v1 import QueryWorkflowRequest
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.testing import WorkflowEnvironment

from activities.erasure import Eraser, digests_in
from tests.activities.test_codec import key_file
from tests.desk import CLEAN, OVER_LIMIT, Desk, open_desk, policy
from tests.workflows import scenarios
from tests.workflows.scenarios import outcome_of
from workers.codec import CASE, ENCODING, KEY, Codec, case_keys, codec_of
from workers.replay import replay
from workers.settings import Settings
from workers.temporal import plugin

SEALED = {"encoding": ENCODING, KEY: b"k1", CASE: b""}
GARBAGE = (
    Payload(metadata=SEALED, data=b"x"),
    Payload(metadata=SEALED, data=os.urandom(1_000_000)),
    Payload(metadata={"encoding": ENCODING}, data=os.urandom(300)),
    Payload(metadata={**SEALED, KEY: b"\xff", CASE: b"\0"}),
    Payload(metadata={"encoding": b"\xff\0"}, data=os.urandom(300)),
)


@pytest.fixture
def codec(tmp_path: Path, database_url: str) -> Codec:
    keys = key_file(tmp_path, k1=os.urandom(32))
    codec = codec_of(Settings(home=tmp_path, database_url=database_url, codec_keys=keys))
    assert codec is not None
    return codec


@pytest.fixture
async def sealed(server: WorkflowEnvironment, tmp_path: Path, database_url: str, codec: Codec) -> AsyncIterator[Desk]:
    client = await Client.connect(server.client.service_client.config.target_host, plugins=[plugin(codec)])
    async with open_desk(client, client, tmp_path, database_url) as desk:
        yield desk


def told(node: Any, name: str) -> Iterator[str]:
    """What stands under this name anywhere in a history, but for search attributes and the SDK's own notes."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if key == name and isinstance(value, str):
            yield value
        elif key not in ("searchAttributes", "data"):
            yield from told(value, name)
    for value in node if isinstance(node, list) else ():
        yield from told(value, name)


@pytest.mark.parametrize("shape", [scenarios.refused_by_crm, scenarios.contract_signed_off])
async def test_sealed_case_replays_from_a_history_that_nobody_else_reads(
    sealed: Desk, codec: Codec, shape: scenarios.Shape
) -> None:
    case = await shape(sealed)
    outcome = await outcome_of(case)
    history = await case.fetch_history()

    assert (await replay(history, codec)).problem == ""
    assert sealed.faults(case, outcome) == []
    assert set(told(history.to_json_dict(), "encoding")) == {b64encode(ENCODING).decode()}
    assert set(told(history.to_json_dict(), "message")) <= {"Encoded failure"}


async def test_card_is_sealed_too(sealed: Desk, server: WorkflowEnvironment) -> None:
    case = await sealed.start(OVER_LIMIT, policy())
    await sealed.asked(case)
    asked = QueryWorkflowRequest(
        namespace="default",
        execution=WorkflowExecution(workflow_id=case.id),
        query=WorkflowQuery(query_type="__temporal_workflow_metadata"),
    )

    answer = await server.client.workflow_service.query_workflow(asked)
    await case.terminate()

    assert [it.metadata["encoding"] for it in answer.query_result.payloads] == [ENCODING]
    assert "Brandt" not in MessageToJson(answer)


async def test_garbage_as_signal_and_update_is_recorded_and_the_case_goes_on(
    sealed: Desk, server: WorkflowEnvironment
) -> None:
    case = await sealed.start(OVER_LIMIT, policy())
    await sealed.asked(case)
    stranger = server.client.get_workflow_handle(case.id)
    for payload in GARBAGE:
        await stranger.signal("decide", RawValue(payload))
        await stranger.execute_update("decide", RawValue(payload), result_type=RawValue)
    await sealed.decide(case, "approve")

    assert (await outcome_of(case)).status == "applied"
    assert Counter(sealed.heard(case)) == {("person.unreadable", False): 2 * len(GARBAGE), ("person.decision", True): 1}


async def test_garbage_as_start_ends_unprocessable(sealed: Desk) -> None:
    for place, payload in enumerate(GARBAGE):
        case = await sealed.start_with(sealed.named(f"garbage-{place}"), [RawValue(payload)])

        assert (await outcome_of(case)).status == "unprocessable"


async def test_erased_case_leaves_nothing_and_what_others_need_stays(sealed: Desk, codec: Codec) -> None:
    case, other = await scenarios.corrected(sealed), await sealed.start(CLEAN, policy())
    outcome = await outcome_of(case)
    await outcome_of(other)
    kept = sealed.parts.cases.view(sealed.row(other))
    before = set(blobs_of(sealed))
    eraser = Eraser(sealed.parts.audit, sealed.parts.blobs)

    count = eraser.erase(case.id, "privacy", "asked")
    left = set(blobs_of(sealed))
    row = sealed.row(case)

    assert kept.source and kept.document and outcome.receipt  # noqa: PT018
    assert (row.outcome, row.record, row.source_name, row.view) == ("applied", outcome.receipt.record, "", None)
    assert (sealed.faults(case, outcome), [body for _, body in sealed.acts(case) if body]) == ([], [])
    assert len(before - left) == count
    assert before - left >= {row.source, outcome.draft}
    assert {kept.source.digest, kept.draft} <= left <= {*digests_in(kept.model_dump()), sealed.row(other).view}
    assert (await replay(await case.fetch_history(), Codec(codec.keys, case_keys(sealed.parts.audit.engine)))).failed
    assert eraser.erase(case.id, "privacy", "again") == 0


def blobs_of(desk: Desk) -> list[str]:
    blobs = desk.parts.blobs
    return [Path(path).name for path in blobs.files.find(blobs.root)]
