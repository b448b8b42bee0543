"""A CRM that is out of order for ten minutes, or wants to be asked less: cases wait for it, and none fails."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import httpx2
import pytest

from activities.crms.port import CrmError, RateLimited, Unauthorised, Unavailable, Written
from schemas.case import Record
from starters.stalled import Stall, stalls
from tests.crms import Through
from tests.desk import CLEAN, PATIENCE, Case, Desk, policy
from tests.hubspot import answering
from tests.tryton import running
from tests.workflows.scenarios import outcome_of, with_crm

OUTAGE = timedelta(minutes=10)
ATTEMPTS = 11
"""How often a step is tried in ten minutes and more, the wait being doubled each time."""
CHECKS = 15
"""The same where it is doubled to a minute at most."""
Answer = Callable[[httpx2.Request], httpx2.Response]


@dataclass
class Out(Through):
    """Out of order for so many attempts at asking or at writing."""

    error: Callable[[], CrmError]
    asking: int = 0
    writing: int = 0

    def upsert(self, record: Record) -> Written:
        self.writing -= 1
        if self.writing >= 0:
            raise self.error()
        return self.crm.upsert(record)

    def find(self, kind: str, values: Mapping[str, str]) -> list[str]:
        self.asking -= 1
        if self.asking >= 0:
            raise self.error()
        return self.crm.find(kind, values)


@dataclass
class Disturbed(httpx2.HTTPTransport):
    """A line on which the first attempts by a method are answered like this."""

    answer: Answer
    method: str
    attempts: int = ATTEMPTS

    def __post_init__(self) -> None:
        super().__init__()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == self.method:
            self.attempts -= 1
            if self.attempts >= 0:
                return self.answer(request)
        return super().handle_request(request)


def unreachable(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused", request=request)


async def took(case: Case) -> timedelta:
    history = await case.fetch_history()
    first, last = history.events[0].event_time, history.events[-1].event_time
    return last.ToDatetime() - first.ToDatetime()


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (lambda: Unavailable("out of order"), {"asking": CHECKS}),
        (lambda: Unavailable("out of order"), {"writing": ATTEMPTS}),
        (lambda: Unauthorised("not let in"), {"writing": ATTEMPTS}),
        (lambda: RateLimited(OUTAGE / 10), {"writing": ATTEMPTS}),
    ],
    ids=["unavailable-asking", "unavailable-writing", "unauthorised", "rate-limited"],
)
async def test_case_waits_for_the_crm_and_is_applied_once(
    desk: Desk, error: Callable[[], CrmError], step: dict[str, int]
) -> None:
    async with with_crm(desk, Out(desk.parts.crm.port, error, **step)) as other:
        case = await other.start(CLEAN, policy(), hasty=True)
        outcome = await outcome_of(case)

    assert outcome.status == "applied"
    assert await took(case) >= OUTAGE
    assert desk.records() == [f"{case.id}:apply"]


@pytest.mark.parametrize("step", ["asking", "writing"])
async def test_why_a_case_waits_for_the_crm_is_told_while_it_waits(desk: Desk, step: str) -> None:
    """Asked for as long as it takes until the server knows: a failed attempt leaves no event to wait for."""
    async with with_crm(desk, Out(desk.parts.crm.port, lambda: Unavailable("out of order"), **{step: CHECKS})) as other:
        case = await other.start(CLEAN, policy())
        async with asyncio.timeout(PATIENCE):
            while not (told := await stalls(desk.client, [case.id])):
                pass
        status = desk.row(case).status
        await case.terminate()

    assert told == {Stall("crm.unavailable", "out of order"): 1}
    assert status == ("started" if step == "asking" else "writing")


@pytest.mark.parametrize(
    "answer",
    [lambda _: httpx2.Response(429, headers={"Retry-After": "60"}), lambda _: httpx2.Response(503), unreachable],
    ids=["throttled", "out-of-order", "unreachable"],
)
async def test_case_waits_for_tryton_and_is_applied_once(desk: Desk, tmp_path: Path, answer: Answer) -> None:
    (tmp_path / "tryton").mkdir()
    with running(tmp_path / "tryton") as tryton, tryton.port(transport=Disturbed(answer, "POST")) as port:
        async with with_crm(desk, port) as other:
            case = await other.start(CLEAN, policy(), hasty=True)
            outcome = await outcome_of(case)
        counts = [tryton.count(kind) for kind in ("party", "invoice", "activity")]

    assert outcome.status == "applied"
    assert await took(case) >= OUTAGE
    assert counts == [1, 1, 1]


async def test_case_waits_for_hubspot_and_is_applied_once(desk: Desk) -> None:
    """It is asked by the same method as it is written to, so the step that asks is the one that waits."""
    troubles = cycle([429, 503, None])

    def troubled(request: httpx2.Request) -> httpx2.Response:
        status = next(troubles)
        return httpx2.Response(status, headers={"Retry-After": "180"}) if status else unreachable(request)

    with answering() as hubspot, hubspot.port(transport=Disturbed(troubled, "POST", 9)) as port:
        async with with_crm(desk, port) as other:
            case = await other.start(CLEAN, policy(), hasty=True)
            outcome = await outcome_of(case)

    assert outcome.status == "applied"
    assert await took(case) >= OUTAGE
    assert [hubspot.count(kind) for kind in ("party", "invoice", "activity")] == [1, 1, 1]
