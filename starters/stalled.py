"""Why open cases do not move: what their steps failed of last, as Temporal knows it."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
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
from temporalio.exceptions import ApplicationError, FailureError
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
        return await _regular(client, told) or await _local(client, execution)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return Stall("case.unstarted", "they were entered, and their start was broken off")


async def _regular(client: Client, told: DescribeWorkflowExecutionResponse) -> Stall | None:
    if (attempt := told.pending_workflow_task.attempt) > 1:
        return Stall("", f"their code fails in Temporal, attempt {attempt}")
    failures = (one.last_failure for one in told.pending_activities if one.HasField("last_failure"))
    return await _first(client, failures)


async def _local(client: Client, execution: WorkflowExecution) -> Stall | None:
    """Of a local step the server knows no more than the marker that its failed attempts leave."""
    asked = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace, execution=execution, maximum_page_size=LAST
    )
    told = await client.workflow_service.get_workflow_execution_history_reverse(asked, timeout=PATIENCE)
    markers = (it.marker_recorded_event_attributes for it in told.history.events)
    return await _first(client, (marker.failure for marker in markers if marker.HasField("failure")))


async def _first(client: Client, failures: Iterator[Failure]) -> Stall | None:
    """The innermost cause of the first, unsealed: what wraps it only says that a step has failed."""
    for failure in failures:
        error: BaseException = await client.data_converter.decode_failure(failure)
        while error.__cause__:
            error = error.__cause__
        kind = error.type if isinstance(error, ApplicationError) else None
        return Stall(kind or "timeout", error.message if isinstance(error, FailureError) else str(error))
    return None
