"""Histories of every shape against today's code: cases wait for weeks, and must still go on after a deploy."""

import base64
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.converter import WorkflowSerializationContext
from temporalio.worker import Replayer

from tests.workflows.beside import BESIDE
from tests.workflows.scenarios import SHAPES
from workers.codec import ENCODING, Codec
from workers.replay import replay
from workers.temporal import SCHEDULED, WORKFLOWS, plugin

HISTORIES = Path(__file__).parent / "histories"
RECORDED = sorted(HISTORIES.glob("*/*.json"))
PLAIN = ("search_attributes", "header", "user_metadata", "data")
NEWEST = max(HISTORIES.iterdir(), key=lambda folder: [int(part) for part in folder.name.split(".")])


def recorded(path: Path) -> WorkflowHistory:
    """Under the id that it had: notices are named by it."""
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    started = history.events[0].workflow_execution_started_event_attributes
    return replace(history, workflow_id=started.workflow_id)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_recorded_case_still_replays(path: Path) -> None:
    replayed = await replay(recorded(path))

    assert replayed.problem == ""


@pytest.mark.parametrize("path", [path for path in RECORDED if path.parent == NEWEST], ids=lambda path: path.stem)
async def test_recorded_case_replays_while_it_is_traced(path: Path) -> None:
    replayer = Replayer(workflows=[], plugins=[plugin()], interceptors=[TracingInterceptor()])

    await replayer.replay_workflow(recorded(path))


@pytest.mark.parametrize("path", [path for path in RECORDED if path.parent == NEWEST], ids=lambda path: path.stem)
async def test_recorded_case_replays_sealed(path: Path) -> None:
    history, plain = recorded(path), recorded(path)
    codec = Codec({"k1": os.urandom(32)}, lambda case: case.encode()).with_context(
        WorkflowSerializationContext("default", history.workflow_id)
    )
    for payload in payloads_in(history.events):
        payload.CopyFrom((await codec.encode([payload]))[0])

    replayed = await replay(history, codec)

    assert {payload.metadata["encoding"] for payload in payloads_in(history.events)} == {ENCODING}
    assert (replayed.problem, len(list(payloads_in(plain.events))) > 1) == ("", True)


def payloads_in(node: Any) -> Iterator[Payload]:
    if isinstance(node, Payload):
        yield node
    else:
        for one in _inside(node):
            yield from payloads_in(one)


def _inside(node: Any) -> Iterable[Any]:
    """What our codec seals of a history: neither search attributes nor what the SDK notes for itself."""
    if hasattr(node, "ListFields"):
        return (value for field, value in node.ListFields() if field.name not in PLAIN)
    if hasattr(node, "items"):
        return (value for name, value in node.items() if name not in PLAIN)
    return node if isinstance(node, Iterable) and not isinstance(node, str | bytes) else ()


def test_every_shape_has_a_history_recorded_with_the_newest_version() -> None:
    assert {path.stem for path in NEWEST.glob("*.json")} == {shape.__name__ for shape in (*SHAPES, *BESIDE)}


def test_every_workflow_has_a_history() -> None:
    started = [recorded(path).events[0].workflow_execution_started_event_attributes for path in NEWEST.glob("*.json")]
    registered = {workflow._Definition.must_from_class(kind).name for kind in (*WORKFLOWS, *SCHEDULED)}

    assert {it.workflow_type.name for it in started} == registered


@pytest.mark.parametrize(
    ("was", "call"),
    [
        ("crm.apply", "Crm.apply"),
        ("rules.check_invoice", "Rules.check_invoice"),
        ("documents.ingest", "ingesting"),
    ],
)
async def test_divergence_names_the_event_and_the_line(was: str, call: str) -> None:
    path = next(path for path in RECORDED if path.stem == "straight_through")
    altered = _renamed(json.loads(path.read_text()), was, f"{was}.as_it_was")

    replayed = await replay(WorkflowHistory.from_json("altered", json.dumps(altered)))

    module, _, number = replayed.line.partition(":")
    assert replayed.failed
    assert f"{was}.as_it_was" in replayed.event
    assert call in Path(module).read_text().splitlines()[int(number) - 1]


def _renamed(history: dict[str, object], was: str, name: str) -> dict[str, object]:
    """The same history, as if an activity had been called something else when it was recorded."""
    text = json.dumps(history).replace(f'"name": "{was}"', f'"name": "{name}"')
    whole: dict[str, object] = json.loads(text)
    for event in whole["events"]:  # type: ignore[attr-defined]
        data = event.get("markerRecordedEventAttributes", {}).get("details", {}).get("data")
        for payload in data["payloads"] if data else ():
            plain = base64.b64decode(payload["data"]).replace(was.encode(), name.encode())
            payload["data"] = base64.b64encode(plain).decode()
    return whole
