"""What arrives from outside, read without trusting it."""

from collections.abc import Sequence
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleSignalInput,
    HandleUpdateInput,
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
    """A start, signal or update with no payload, or with two, is answered like any other that makes no sense.

    By itself the SDK would call our code with too few or too many arguments, and the case would never get past it.
    """

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: A002, ARG002
        return _OnePayload


class _OnePayload(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002
        input.args = _one(input.args)
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002
        if workflow.get_signal_handler(input.signal):
            input.args = _one(input.args)
        await super().handle_signal(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:  # noqa: A002
        if workflow.get_update_handler(input.update):
            input.args = _one(input.args)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002
        if workflow.get_update_handler(input.update):
            input.args = _one(input.args)
        return await super().handle_update_handler(input)


def _one(args: Sequence[Any]) -> Sequence[Any]:
    return args if len(args) == 1 else [NOTHING]
