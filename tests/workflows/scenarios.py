"""Every shape a case can take, run to its end: the tests look at them, the recorder keeps their histories."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event
from uuid import uuid4

import httpx2
from openai import OpenAI

from activities.crms.port import CrmPort
from activities.endpoints.endpoint import Endpoint
from activities.model import Readers
from activities.post import Post
from schemas.approval import MESSAGES_PER_PERSON, Withdrawal
from schemas.case import Outcome
from schemas.policy import ApprovalPolicy
from schemas.source import Source
from tests import contract_desk, request_desk
from tests.crms import Refusing
from tests.desk import (
    CLEAN,
    CLERK,
    DAMAGED,
    DEPUTY,
    DISAGREEING,
    HOSTILE,
    ONLY_TEXT,
    OVER_LIMIT,
    OWNER,
    PATIENCE,
    Case,
    Desk,
    approval,
    policy,
)
from tests.receivers import mailing
from workers.build import build_worker
from workers.models import ModelSettings

Shape = Callable[[Desk], Awaitable[Case]]


async def outcome_of(case: Case) -> Outcome:
    return await asyncio.wait_for(case.result(), PATIENCE)


async def straight_through(desk: Desk) -> Case:
    return await desk.start(CLEAN, policy())


async def approved(desk: Desk) -> Case:
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)
    await desk.decide(case, "approve", note="checked with purchasing")
    return case


async def corrected(desk: Desk) -> Case:
    case = await desk.start(DISAGREEING, policy())
    await desk.asked(case)
    await desk.decide(case, "correct", corrections={"gross_amount": "2748.90"})
    await desk.asked(case, times=2)
    await desk.decide(case, "approve", by=DEPUTY)
    return case


async def rejected(desk: Desk) -> Case:
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)
    await desk.decide(case, "reject", note="never ordered")
    return case


async def expired(desk: Desk) -> Case:
    return await desk.start(OVER_LIMIT, policy(approval=approval(on_deadline="reject")), hasty=True)


async def expired_with_owner(desk: Desk) -> Case:
    return await desk.start(OVER_LIMIT, policy(), hasty=True)


async def owner_decided(desk: Desk) -> Case:
    soon = {"remind_after": timedelta(milliseconds=1), "patience": timedelta(milliseconds=2)}
    case = await desk.start(OVER_LIMIT, policy(approval=approval(**soon)))
    await desk.asked(case, times=3)
    await desk.decide(case, "approve", by=OWNER)
    return case


async def before_steps(desk: Desk) -> Case:
    """A case that began under the older policy: one question, without steps."""
    older = ApprovalPolicy(approvers=(CLERK, DEPUTY), owner=OWNER)
    case = await desk.start(OVER_LIMIT, policy(approval=older))
    await desk.asked(case)
    await desk.decide(case, "correct", corrections={"supplier": "Brandt"})
    await desk.asked(case, times=2)
    await desk.decide(case, "approve")
    return case


async def malformed_signal(desk: Desk) -> Case:
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)
    await case.signal("decide", "yes, fine")
    await case.signal("decide", b"\x00\xff")
    await case.signal("aprove", "yes")
    await desk.decide(case, "approve")
    return case


async def by_signal(desk: Desk) -> Case:
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)
    await case.signal("decide", desk.say(case, "approve"))
    return case


async def withdrawn_in_a_flood(desk: Desk) -> Case:
    """More messages than are recorded, and then a decision that its sender takes back before it is delivered."""
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)
    given_up = desk.say(case, "approve")
    for _ in range(MESSAGES_PER_PERSON + 1):
        await case.signal("decide", "let me in")
    await case.signal("withdraw", Withdrawal(id=given_up.id))
    await case.execute_update("decide", given_up)
    await desk.decide(case, "reject")
    return case


async def unreadable(desk: Desk) -> Case:
    return await desk.start(DAMAGED, policy())


async def hostile(desk: Desk) -> Case:
    return await desk.start(HOSTILE, policy())


async def bad_start(desk: Desk) -> Case:
    """Entered by a starter of another release, whose start this one cannot read."""
    case = desk.named("bad-start")
    desk.parts.cases.open(case, Source(digest=desk.parts.blobs.put(b"a bill"), name="bill", size=6), "tester")
    return await desk.start_with(case, [{"source": "an invoice, I think"}])


async def shadowed(desk: Desk) -> Case:
    return await desk.start(CLEAN, policy(stage="shadow"))


async def cancelled(desk: Desk) -> Case:
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)
    await case.cancel()
    return case


async def cancelled_while_reading(desk: Desk) -> Case:
    """By the endpoint, which has been asked and does not answer."""
    asked, released = Event(), Event()

    def silent(request: httpx2.Request) -> httpx2.Response:
        asked.set()
        released.wait(PATIENCE)
        raise httpx2.ReadTimeout("at last", request=request)

    async with with_endpoint(desk, silent) as slow:
        case = await slow.start(ONLY_TEXT, policy())
        assert await asyncio.to_thread(asked.wait, PATIENCE)
        await case.cancel()
        try:
            await outcome_of(case)
        finally:
            released.set()
    return case


@asynccontextmanager
async def with_endpoint(desk: Desk, answer: Callable[[httpx2.Request], httpx2.Response]) -> AsyncIterator[Desk]:
    """The same desk with a model endpoint, which answers like this, and a queue of its own."""
    with OpenAI(api_key="-", max_retries=0, http_client=httpx2.Client(transport=httpx2.MockTransport(answer))) as wire:
        model = replace(desk.parts.model, readers=Readers(desk.parts.parsers, {"default": Endpoint(wire, "small")}))
        known = (ModelSettings(name="default", model="small"),)
        other = replace(desk, parts=replace(desk.parts, model=model, models=known), queue=uuid4().hex)
        async with build_worker(other.client, other.queue, other.parts, rehearsal=True):
            yield other


@asynccontextmanager
async def with_crm(desk: Desk, port: CrmPort) -> AsyncIterator[Desk]:
    """The same desk with another CRM, and a queue of its own."""
    asking = {name: replace(getattr(desk.parts, name), crm=port) for name in ("rules", "contract_rules")}
    parts = replace(desk.parts, crm=replace(desk.parts.crm, port=port), **asking)
    other = replace(desk, parts=parts, queue=uuid4().hex)
    async with build_worker(other.client, other.queue, other.parts, rehearsal=True):
        yield other


async def refused_by_crm(desk: Desk) -> Case:
    """An approved case that the CRM refuses; it takes what a person then makes of it."""
    refusing = Refusing(desk.parts.crm.port, "RE-26-3310")
    refusing.may.set()
    async with with_crm(desk, refusing) as other:
        case = await other.start(OVER_LIMIT, policy())
        row = await other.asked(case)
        await other.decide(case, "approve")
        await other.at_step(case, row.step, after=row.draft)
        await other.decide(case, "correct", corrections={"invoice_number": "RE-26-3310 A"})
        await other.asked(case, times=3)
        await other.decide(case, "approve", by=DEPUTY)
        await outcome_of(case)
    return case


async def contract_signed_off(desk: Desk) -> Case:
    """By the business owner, then by five at the same time, then by the executive."""
    case = await contract_desk.start(desk, contract_desk.contract(contract_desk.LARGE))
    for step in ("business", "review", "executive"):
        for person in sorted(await contract_desk.asked(desk, case, step)):
            await desk.decide(case, "approve", by=person)
    return case


async def contract_refused(desk: Desk) -> Case:
    case = await contract_desk.start(desk, contract_desk.contract())
    await contract_desk.asked(desk, case, "business")
    await desk.decide(case, "reject", by="business-owner", note="no budget")
    return case


async def request_filed(desk: Desk) -> Case:
    return await request_desk.start(desk, request_desk.COMPLETE)


async def request_completed(desk: Desk) -> Case:
    """A detail is missing: the desk asks, whoever submitted it answers, the desk enters it and approves."""
    case = await request_desk.start(desk, request_desk.INCOMPLETE)
    await desk.asked(case)
    await desk.decide(case, "ask", by=request_desk.SERVICE, note="Which order is it about?")
    await desk.decide(case, "answer", by="tester", note="It is HL-31022")
    before = desk.row(case).draft
    await desk.decide(case, "correct", by=request_desk.SERVICE, corrections={"order_number": "HL-31022"})
    await desk.at_step(case, "service", after=before)
    await desk.decide(case, "approve", by=request_desk.SERVICE)
    return case


async def request_superseded(desk: Desk) -> Case:
    case = await request_desk.start(desk, request_desk.INCOMPLETE)
    await desk.asked(case)
    await outcome_of(await request_desk.start(desk, "It is HL-20418.", answers=case))
    return case


async def request_taken_over(desk: Desk) -> Case:
    """By the case of an answer, which a person then looks at."""
    waits = await request_desk.start(desk, request_desk.INCOMPLETE)
    await desk.asked(waits)
    case = await request_desk.start(desk, "I do not know its number.", answers=waits)
    await desk.asked(case)
    await desk.decide(case, "approve", by=request_desk.SERVICE)
    return case


async def request_replied(desk: Desk) -> Case:
    with mailing() as mailbox:
        post = Post("127.0.0.1", mailbox.port, "service@example.com")
        parts = replace(desk.parts, replies=replace(desk.parts.replies, post=post))
        other = replace(desk, parts=parts, queue=uuid4().hex)
        async with build_worker(other.client, other.queue, parts, rehearsal=True):
            case = await request_desk.start(other, request_desk.INCOMPLETE, replies="approved")
            await other.asked(case)
            await other.decide(case, "approve", by=request_desk.SERVICE)
            await outcome_of(case)
        assert len(mailbox.mails) == 1
    return case


async def request_of_none(desk: Desk) -> Case:
    case = await request_desk.start(desk, request_desk.NONE)
    await desk.asked(case)
    await desk.decide(case, "approve", by=request_desk.SERVICE)
    return case


SHAPES: tuple[Shape, ...] = (
    straight_through,
    approved,
    corrected,
    rejected,
    expired,
    expired_with_owner,
    owner_decided,
    before_steps,
    malformed_signal,
    by_signal,
    withdrawn_in_a_flood,
    unreadable,
    hostile,
    bad_start,
    shadowed,
    cancelled,
    cancelled_while_reading,
    contract_signed_off,
    contract_refused,
    refused_by_crm,
    request_filed,
    request_completed,
    request_of_none,
    request_superseded,
    request_taken_over,
    request_replied,
)
