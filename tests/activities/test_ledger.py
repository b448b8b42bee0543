"""The ledger of model calls: what all workers know of an endpoint, and what has been spent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine
from sqlmodel import Session
from temporalio.exceptions import ApplicationError

from activities.audit import Audit
from activities.endpoints.endpoint import Usage
from activities.endpoints.ledger import Call, Ledger
from schemas.breaker import ENOUGH, FIRST
from schemas.budget import Budget, Limit
from schemas.tables import EndpointRow
from workers.database import connect_database

UNLIMITED = Budget()
SILENCE = ApplicationError("nobody there", type="provider.timeout")


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


@pytest.fixture
def other(database_url: str) -> Iterator[Ledger]:
    """That of another worker."""
    engine = connect_database(database_url)
    yield Ledger(engine)
    engine.dispose()


def call(case: str, question: str = "q") -> Call:
    return Call(case, "main", "small", "v1", "0" * 64, 1, question)


def fail(ledger: Ledger, case: str, times: int = ENOUGH) -> None:
    for _ in range(times):
        ledger.begin(call(case), UNLIMITED)
        ledger.end(call(case), 1, Usage(), failed=SILENCE)


def rest_is_over(ledger: Ledger) -> None:
    with Session(ledger.engine) as session, session.begin():
        row = session.get_one(EndpointRow, "main")
        row.breaker = {**row.breaker, "until": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}


def kinds(ledger: Ledger, chain: str) -> list[str]:
    return [link.kind for link, _ in Audit(ledger.engine).entries(chain)]


def test_endpoint_that_fails_one_worker_is_left_alone_by_all(ledger: Ledger, other: Ledger, case: str) -> None:
    fail(ledger, case)

    assert "it is left alone until" in other.objection("main")
    with pytest.raises(ApplicationError, match="left alone") as refused:
        other.begin(call(case), UNLIMITED)
    assert refused.value.non_retryable


def test_one_probe_that_is_answered_closes_it_for_all(ledger: Ledger, other: Ledger, case: str) -> None:
    fail(ledger, case)
    rest_is_over(ledger)

    other.begin(call(case), UNLIMITED)
    meanwhile = ledger.objection("main")
    other.end(call(case), 1, Usage(), answer="a" * 64)

    assert "left alone" in meanwhile
    assert ledger.objection("main") == ""
    assert kinds(ledger, "endpoint/main") == ["endpoint.opened", "endpoint.closed"]


def test_probe_that_fails_leaves_it_alone_for_longer(ledger: Ledger, case: str) -> None:
    fail(ledger, case)
    rest_is_over(ledger)
    before = datetime.now(UTC)
    fail(ledger, case, times=1)

    with Session(ledger.engine) as session:
        until = datetime.fromisoformat(session.get_one(EndpointRow, "main").breaker["until"])
    assert until - before >= 2 * FIRST


def test_held_endpoint_stays_held_by_every_worker_that_comes(ledger: Ledger, database_url: str, case: str) -> None:
    ledger.hold("main", "ann", "it invents tax")
    ledger.engine.dispose()

    anew = Ledger(connect_database(database_url))
    held = anew.objection("main")
    anew.resume("main", "ann")

    assert held == "it is held by ann: it invents tax"
    assert anew.objection("main") == ""
    assert kinds(anew, "endpoint/main") == ["endpoint.held", "endpoint.resumed"]
    assert Audit(anew.engine).verify("endpoint/main") == []
    anew.engine.dispose()


def test_rejected_key_leaves_the_endpoint_alone_at_once(ledger: Ledger, case: str) -> None:
    ledger.begin(call(case), UNLIMITED)
    ledger.end(call(case), 1, Usage(), failed=ApplicationError("answered 401", type="provider.401"))

    assert "answered 401" in ledger.objection("main")


@pytest.mark.parametrize("kind", ["provider.400", "provider.429", "model.unusable"])
def test_endpoint_that_is_there_is_asked_on(ledger: Ledger, case: str, kind: str) -> None:
    for _ in range(2 * ENOUGH):
        ledger.begin(call(case), UNLIMITED)
        ledger.end(call(case), 1, Usage(), failed=ApplicationError("no", type=kind))

    assert ledger.objection("main") == ""


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        (Budget(case=Limit(tokens=1000)), "the budget of the case is used up"),
        (Budget(case=Limit(cost=Decimal("0.5"))), "the budget of the case is used up"),
        (Budget(day=Limit(tokens=900)), "the budget of the day is used up"),
        (Budget(day=Limit(cost=Decimal("0.49"))), "the budget of the day is used up"),
        (Budget(case=Limit(tokens=1001), day=Limit(cost=Decimal("0.51"))), ""),
    ],
)
def test_beyond_the_budget_nobody_asks(ledger: Ledger, case: str, budget: Budget, why: str) -> None:
    ledger.begin(call(case), budget)
    ledger.end(call(case), 1, Usage(900, 100, Decimal("0.5")), answer="a" * 64)

    if why:
        with pytest.raises(ApplicationError, match=why):
            ledger.begin(call(case, "another"), budget)
    assert budget.objection(*ledger.spent(case)) == why
    assert "of the budget of" in budget.warning(*ledger.spent(case))


def test_day_is_that_of_the_process_and_the_case_its_own(ledger: Ledger, case: str) -> None:
    ledger.begin(call(case), UNLIMITED)
    ledger.end(call(case), 1, Usage(900, 100, Decimal("0.5")), answer="a" * 64)

    sibling, stranger = ledger.spent("invoice-intake/other"), ledger.spent("request-triage/other")

    assert [(spent.tokens, str(spent.cost)) for spent in (*sibling, *stranger)] == [
        (0, "0"),
        (1000, "0.5"),
        (0, "0"),
        (0, "0"),
    ]
