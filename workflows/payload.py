"""What arrives from outside, read without trusting it."""

from typing import Any, TypeVar

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

T = TypeVar("T")


def parsed(raw: RawValue, shape: type[T]) -> T | None:
    """The value when it has this shape; None for any other payload at all.

    Some encodings (bytes, null) come through the converter as they are, whatever was asked for: hence the second look.
    """
    try:
        value = workflow.payload_converter().from_payload(raw.payload, shape)
    except Exception:  # noqa: BLE001  (converters fail in as many ways as there are encodings)
        return None
    return value if isinstance(value, shape) else None


NOTHING = RawValue(Payload())
"""Stands for an input that was not exactly one payload: no shape fits it."""


class OnePayload(Interceptor):
    """A case started with no input, or with two, must end and say so; by itself the SDK would never get past it."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002, ARG002
        return _OnePayload


class _OnePayload(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002
        if len(input.args) != 1:
            input.args = [NOTHING]
        return await super().execute_workflow(input)
