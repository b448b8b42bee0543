"""Drift: each kind is seen, quiet weeks are left in peace, and what a person released is not held again."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Engine
from temporalio.testing import ActivityEnvironment

from activities.audit import STAGE, Audit
from activities.brakes import Brakes
from activities.cases import Cases
from activities.learning.drift import signals
from activities.observing import Observing
from activities.store import Blobs, writing
from activities.watching import Watching
from schemas.calibration import upper_bound
from schemas.drift import WATCHER, Looked, Watch
from schemas.observed import Observed
from schemas.routing import Brake
from schemas.tables import CaseRow
from tests.weeks import DAY, START, Change, days

WEEKS = int(os.environ.get("WEEKS", "12"))
FALSE_ALARMS = 0.03
"""The share of quiet weeks with an alarm in any of its seven looks that is stated."""
PROCESS = "invoice-intake"

CHANGES: dict[str, Change] = {
    "verdicts": lambda random: {"verdict": "missing"} if random.random() < 0.3 else {},
    "document kinds": lambda random: {"format": "image"} if random.random() < 0.3 else {},
    "sizes": lambda random: {"size": int(random.lognormvariate(12, 1))},
    "confidence": lambda random: {"confidence": random.betavariate(10, 3)},
    "corrections": lambda random: {"corrected": ("gross_amount",) if random.random() < 0.5 else ()},
    "input mix": lambda random: {"category": "f" * 12} if random.random() < 0.3 else {},
    "latency": lambda random: {"asked_at": None, "ended_at": START + timedelta(days=99)},
}


def drifted(found: Looked) -> set[str]:
    return {one.name for one in found.signals if one.drifted}


@pytest.mark.parametrize("kind", CHANGES)
def test_drift_of_each_kind_is_seen_and_told_by_its_name_alone(kind: str) -> None:
    random = Random(kind)
    before = days(random, 28, 40)
    recent = days(random, 7, 40, START + 28 * DAY, CHANGES[kind])

    assert {one.name for one in signals(before, recent) if one.drifted} == {kind}


def test_too_few_cases_are_told_and_not_judged() -> None:
    random = Random(1)

    found = signals(days(random, 28, 40), days(random, 1, 20, START + 28 * DAY, CHANGES["sizes"]))

    assert [one.name for one in found if one.tested or one.drifted] == []


@pytest.mark.parametrize("a_day", [8, 40])
def test_quiet_weeks_seldom_pull_the_brake(a_day: int) -> None:
    random = Random(a_day)
    cases, alarms = days(random, 35, a_day), 0
    for week in range(WEEKS):
        first = START + (35 + 7 * week) * DAY
        cases = [one for one in cases if one.started_at >= first - 35 * DAY] + days(random, 7, a_day, first)
        alarms += any(alarm(cases, first + day * DAY) for day in range(7))
    most = upper_bound(alarms, WEEKS, 0.95)
    print(f"{a_day} a day: {alarms} of {WEEKS} quiet weeks had an alarm; at most {most:.2%}")  # noqa: T201

    assert alarms <= 1 + FALSE_ALARMS * WEEKS


def alarm(cases: list[Observed], now: datetime) -> bool:
    since = now - 7 * DAY
    before = [one for one in cases if since - 28 * DAY <= one.started_at < since]
    return any(one.drifted for one in signals(before, [one for one in cases if since <= one.started_at < now]))


@pytest.fixture
def watching(engine: Engine, blobs: Blobs, audit: Audit) -> Watching:
    return Watching(Observing(Cases(engine, blobs), audit), audit, Brakes(engine))


@pytest.fixture
def entered(engine: Engine) -> Callable[..., None]:
    """Enter cases of so many days up to now into the table; of the recent ones each document is large."""

    def enter(now: datetime, first: int, last: int, size: int) -> None:
        with writing(engine) as session:
            for one in days(Random(size + first), first - last, 20, now - first * DAY):
                row = one.model_dump(include={"started_at", "asked_at", "ended_at", "outcome", "decided_by"})
                grown = int(one.size * size)
                session.add(CaseRow(id=one.case, process=PROCESS, status="closed", source_size=grown, **row))

    return enter


def look(watching: Watching) -> Looked:
    return ActivityEnvironment().run(watching.act, Watch(process=PROCESS))


def test_drift_holds_the_process_once_and_the_audit_has_the_evidence(
    watching: Watching, entered: Callable[..., None]
) -> None:
    now = datetime.now(START.tzinfo)
    entered(now, 21, 7, 1)
    entered(now, 7, 0, 9)

    first, second = look(watching), look(watching)

    assert (drifted(first), first.pulled, second.pulled, second.held) == ({"sizes"}, True, False, True)
    assert watching.brakes.get(PROCESS).stage_cap == "supervised"
    ((link, body),) = watching.audit.entries(f"{STAGE}{PROCESS}")
    assert body
    assert (link.kind, body["by"], body["signals"][0]["name"]) == ("brake.pulled", WATCHER, "sizes")  # type: ignore[index]
    assert watching.audit.verify(f"{STAGE}{PROCESS}") == []


def test_what_a_person_released_is_not_held_again(watching: Watching, entered: Callable[..., None]) -> None:
    now = datetime.now(START.tzinfo)
    entered(now, 21, 7, 1)
    entered(now, 7, 0, 9)
    look(watching)
    watching.brakes.release(PROCESS, "a supplier sends larger files", "finance-lead")

    again = look(watching)
    entered(now + 7 * DAY, 7, 0, 8)
    later = watching.look(Watch(process=PROCESS), now + 7 * DAY)

    assert (again.pulled, drifted(again), drifted(later)) == (False, set(), set())
    assert watching.brakes.get(PROCESS) == Brake()


def test_new_drift_after_a_release_is_seen(watching: Watching, entered: Callable[..., None]) -> None:
    now = datetime.now(START.tzinfo)
    entered(now, 21, 7, 1)
    entered(now, 7, 0, 9)
    look(watching)
    watching.brakes.release(PROCESS, "a supplier sends larger files", "finance-lead")
    entered(now + 7 * DAY, 7, 0, 90)

    assert drifted(watching.look(Watch(process=PROCESS), now + 7 * DAY)) == {"sizes"}
