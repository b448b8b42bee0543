"""Deciding: how a person's word reaches a case, and what is said when it does not."""

import asyncio
from typing import Any
from uuid import uuid4

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from schemas.approval import Act, Decision, Reply, Verb, Withdrawal
from schemas.tables import CaseRow
from workers.records import Records

PATIENCE, LAST_WORD = 3.5, 1.5
"""Seconds until a worker that does not answer is given up, and then until its last word: five in all."""
NOTHING = "0" * 64
"""The draft of a case in which nothing has been asked yet: no draft has this digest."""
NOT_TAKEN = (
    "no worker answered within 5 s: your decision was NOT taken. Is one running ('casework up' or 'casework "
    "worker')? With --queue the decision waits in the case until one is."
)

UNKNOWN = "nobody knows whether your decision was taken: 'casework show' tells what became of the case"
SLOW = "the worker was slow to answer"


def decision(row: CaseRow, by: str, verdict: Verb, *, draft: str | None, **said: Any) -> Decision:
    """What is sent: about the draft and step that wait now, else about the draft named."""
    about = {"draft": draft or row.draft or NOTHING, "step": row.step if draft in (None, row.draft) else ""}
    return Decision(id=str(uuid4()), by=by, verdict=verdict, **about, **said)


async def decide(client: Client, parts: Records, row: CaseRow, said: Decision) -> Reply:
    """Send as an update: the case answers. What comes after the end of a case is refused, and audited, here."""
    if row.status == "closed":
        return after_the_end(parts, row.id, said)
    case = client.get_workflow_handle(row.id)
    try:
        call = case.execute_update("decide", said, id=said.id, result_type=Reply)
        return await asyncio.wait_for(call, PATIENCE)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        return await _withdraw(case, parts, said)
    except WorkflowUpdateFailedError as error:
        return Reply(accepted=False, reason=getattr(error.cause, "message", str(error.cause)))
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return after_the_end(parts, row.id, said)
        raise


async def _withdraw(case: WorkflowHandle[Any, Any], parts: Records, said: Decision) -> Reply:
    """Take back what nobody has answered: the server keeps the update, and a worker that comes later would hear it.

    The signal is durable, so that 'not taken' is true of every later worker; one that is there says which came first.
    """
    withdrawal = Withdrawal(id=said.id)
    try:
        await case.signal("withdraw", withdrawal)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return after_the_end(parts, case.id, said)
        return Reply(accepted=False, reason=UNKNOWN)
    try:
        call = case.execute_update("withdraw", withdrawal, result_type=Reply)
        withdrawn: Reply = await asyncio.wait_for(call, LAST_WORD)
    except WorkflowUpdateFailedError:
        return Reply(accepted=False, reason=UNKNOWN)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        return Reply(accepted=False, reason=NOT_TAKEN)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return after_the_end(parts, case.id, said)
        return Reply(accepted=False, reason=NOT_TAKEN)
    late = Reply(accepted=True, reason=SLOW)
    return Reply(accepted=False, reason=NOT_TAKEN) if withdrawn.accepted else late


async def queue(client: Client, parts: Records, row: CaseRow, said: Decision) -> Reply:
    """Send as a signal: it is kept by the server until a worker comes, and nobody answers."""
    if row.status == "closed":
        return after_the_end(parts, row.id, said)
    try:
        await client.get_workflow_handle(row.id).signal("decide", said)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return after_the_end(parts, row.id, said)
        raise
    return Reply(accepted=True, reason="queued: the case will hear it; 'casework show' tells what came of it")


def after_the_end(parts: Records, case: str, said: Decision) -> Reply:
    """Refuse and audit what came too late; what had been heard before the case ended keeps the answer it got then."""
    for link, body in parts.audit.entries(case):
        act = Act.model_validate(body) if link.kind == "person.decision" and body else None
        if said.id and act and act.decision and act.decision.id == said.id:
            return act.reply.model_copy(update={"reason": act.reply.reason or SLOW})
    row = parts.cases.get(case)
    ended = f" ({row.outcome})" if row and row.outcome else ""
    reply = Reply(accepted=False, reason=f"the case has ended{ended}")
    late = Act(kind="decision", channel="update", by=said.by, decision=said, reply=reply)
    parts.audit.record(case, "person.decision", late.model_dump(mode="json"))
    return reply
