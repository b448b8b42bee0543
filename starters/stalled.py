"""Why open cases do not move: what their steps failed of last, as Temporal knows it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

PATIENCE = timedelta(seconds=1)
LAST = 4
"""Events of a history in which a local step that failed and waits for its next attempt is told, newest first."""


class Stall(NamedTuple):
    """`kind` is the failure's type, as activities/failures.py names it; empty when a case's code itself fails."""

    kind: str
    why: str


async def stalls(client: Client, cases: Sequence[str]) -> Counter[Stall]:
    """How many of these cases wait for another attempt, by what the last one failed of."""
    found = await asyncio.gather(*(_stall(client, case) for case in cases))
    return Counter(stall for stall in found if stall)


async def _stall(client: Client, case: str) -> Stall | None:
    execution = WorkflowExecution(workflow_id=case)
    asked = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
    try:
        # Not by the SDK's handle, which cannot describe a paused workflow.
        told = await client.workflow_service.describe_workflow_execution(asked, timeout=PATIENCE)
        return _regular(told) or await _local(client, execution)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return Stall("case.unstarted", "they were entered, and their start was broken off")


def _regular(told: DescribeWorkflowExecutionResponse) -> Stall | None:
    if (attempt := told.pending_workflow_task.attempt) > 1:
        return Stall("", f"their code fails in Temporal, attempt {attempt}")
    failures = (one.last_failure for one in told.pending_activities if one.HasField("last_failure"))
    return next(map(_of, failures), None)


async def _local(client: Client, execution: WorkflowExecution) -> Stall | None:
    """Of a local step the server knows no more than the marker that its failed attempts leave."""
    asked = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace, execution=execution, maximum_page_size=LAST
    )
    told = await client.workflow_service.get_workflow_execution_history_reverse(asked, timeout=PATIENCE)
    markers = (it.marker_recorded_event_attributes for it in told.history.events)
    return next((_of(marker.failure) for marker in markers if marker.HasField("failure")), None)


def _of(failure: Failure) -> Stall:
    """The innermost cause: what wraps it only says that a step has failed."""
    while failure.HasField("cause"):
        failure = failure.cause
    return Stall(failure.application_failure_info.type or "timeout", failure.message)
