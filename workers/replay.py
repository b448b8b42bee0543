"""Replay: run a history against today's code, and say at which event and at which line they part."""

import json
import sys
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.converter import PayloadCodec
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle, NondeterminismError

from workers.temporal import plugin

WORKFLOW_CODE = str(Path(__file__).resolve().parents[1] / "workflows")
NOTE_CALL = "casework_note_call"


class Replayed(BaseModel):
    """How one history fared; `event` and `line` are empty where replay went through, or could not tell."""

    history: str
    events: int
    failed: bool = False
    problem: str = ""
    event: str = ""
    line: str = ""


async def replay(history: WorkflowHistory, codec: PayloadCodec | None = None) -> Replayed:
    calls: list[tuple[str, str]] = []
    replayer = Replayer(workflows=[], plugins=[plugin(codec)], interceptors=[CallLines(calls)])
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    about = Replayed(history=history.workflow_id, events=len(history.events))
    if result.replay_failure is None:
        return about
    failed = about.model_copy(update={"failed": True, "problem": str(result.replay_failure).splitlines()[0]})
    if not isinstance(result.replay_failure, NondeterminismError):
        return failed
    event, line = _parting(list(_recorded(history)), calls)
    return failed.model_copy(update={"event": event, "line": line})


def _recorded(history: WorkflowHistory) -> Iterator[tuple[str, str]]:
    """Each activity call that history knows of, in order: its name, and the event it stands in."""
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            name = event.activity_task_scheduled_event_attributes.activity_type.name
            yield name, f"event {event.event_id}, ActivityTaskScheduled {name}"
        elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            details = event.marker_recorded_event_attributes.details
            if "data" in details:
                name = json.loads(details["data"].payloads[0].data).get("activity_type", "")
                yield name, f"event {event.event_id}, MarkerRecorded (local activity) {name}"


def _parting(recorded: list[tuple[str, str]], calls: list[tuple[str, str]]) -> tuple[str, str]:
    """The first call that code and history disagree about."""
    for was, now in zip_longest(recorded, calls):
        if was is None:
            return "history ends here", now[1]
        if now is None or was[0] != now[0]:
            return was[1], now[1] if now else "the code makes no further call"
    return "", calls[-1][1] if calls else ""


class CallLines(Interceptor):
    """Remembers from which line of workflow code each activity was called: the SDK's error does not say."""

    def __init__(self, calls: list[tuple[str, str]]) -> None:
        self._calls = calls

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002
        # The sandbox keeps workflow code away from our list; this is the door the SDK has for it.
        input.unsafe_extern_functions[NOTE_CALL] = lambda name, line: self._calls.append((name, line))
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:  # noqa: A002
        _note(input.activity)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:  # noqa: A002
        _note(input.activity)
        return super().start_local_activity(input)


def _note(name: str) -> None:
    note: Callable[[str, str], None] = workflow.extern_functions()[NOTE_CALL]
    frame = sys._getframe()  # noqa: SLF001  (the way to a caller's line)
    while frame.f_back and not frame.f_code.co_filename.startswith(WORKFLOW_CODE):
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    note(name, f"{path.parent.name}/{path.name}:{frame.f_lineno}")
