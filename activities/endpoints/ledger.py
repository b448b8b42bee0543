"""The ledger of model calls: whether one may be made, what it came to, and what has been answered already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select
from temporalio.exceptions import ApplicationError

from activities.audit import ENDPOINTS, append
from activities.endpoints.endpoint import Usage
from activities.failures import answered
from activities.store import reading, writing
from schemas.breaker import Breaker, BreakerState
from schemas.budget import Budget, Spent
from schemas.message import Digest
from schemas.tables import EndpointRow, ModelCall

MICROS = 1_000_000


class Call(NamedTuple):
    """One question to one endpoint, of one case."""

    case: str
    endpoint: str
    model: str
    prompt_version: str
    source: Digest
    attempt: int
    question: Digest
    example: str = ""
    """The case that it was shown."""

    @property
    def told(self) -> dict[str, object]:
        left_out = ("case", "question") if self.example else ("case", "question", "example")
        return {name: value for name, value in self._asdict().items() if name not in left_out}


class Status(NamedTuple):
    """How an endpoint stands, and what was asked of it in the last 24 hours."""

    name: str
    state: BreakerState
    why: str
    calls: int
    failed: int
    seconds: float
    """Of a call, on average."""
    tokens: int
    cost: Decimal


@dataclass(frozen=True)
class Ledger:
    engine: Engine

    def objection(self, endpoint: str) -> str:
        """Why this endpoint is left alone just now, or empty. Nothing is changed by asking."""
        now = datetime.now(UTC)
        with reading(self.engine) as session:
            breaker = _breaker(session, endpoint)
        return "" if breaker.asked(now) else _standing(breaker, now)

    def spent(self, case: str) -> tuple[Spent, Spent]:
        """What the case has taken, and what its process has taken today."""
        with reading(self.engine) as session:
            return _spent(session, case, datetime.now(UTC))

    def begin(self, call: Call, budget: Budget) -> None:
        """Note that a call is made. Raises when none may be: others may have spent the budget by now."""
        now = datetime.now(UTC)
        with writing(self.engine, call.case, f"{ENDPOINTS}{call.endpoint}") as session:
            breaker = _breaker(session, call.endpoint)
            asked = breaker.asked(now)
            why = budget.objection(*_spent(session, call.case, now)) if asked else _standing(breaker, now)
            if why:
                append(session, call.case, "model.held", {**call.told, "why": why})
            elif asked is not None:
                _keep(session, call.endpoint, breaker, asked)
                append(session, call.case, "model.begun", call.told)
        if why:
            raise ApplicationError(why, type="model.held", non_retryable=True)

    def end(
        self, call: Call, seconds: float, usage: Usage, *, answer: Digest | None = None, failed: Exception | None = None
    ) -> bool:
        """Note what it came to: in the audit, in the figures, and for the breaker. Whether it may be asked again."""
        now = datetime.now(UTC)
        # Other errors' own words may quote the document.
        problem = str(failed) if isinstance(failed, ApplicationError) else type(failed).__name__ if failed else ""
        row = ModelCall(
            id=str(uuid4()),
            endpoint=call.endpoint,
            process=call.case.partition("/")[0],
            case_id=call.case,
            question=call.question,
            at=now,
            seconds=round(seconds, 3),
            tokens_in=usage.read,
            tokens_out=usage.written,
            cost_micros=int(usage.cost * MICROS),
            failed=problem,
            answer=answer,
        )
        with writing(self.engine, call.case, f"{ENDPOINTS}{call.endpoint}") as session:
            session.add(row)
            told = {"tokens": usage.read + usage.written, "cost": str(usage.cost), "seconds": row.seconds}
            append(session, call.case, "model.ended", {**call.told, **({"failed": problem} if failed else {}), **told})
            breaker = _breaker(session, call.endpoint)
            after = breaker.told(answered(failed), now, problem)
            _keep(session, call.endpoint, breaker, after)
            if breaker.until != after.until and (after.until is None or not after.probing):
                kind = "endpoint.opened" if after.until else "endpoint.closed"
                append(session, f"{ENDPOINTS}{call.endpoint}", kind, {"why": after.why, "case": call.case})
        return after.state(now) == "closed"

    def answer(self, call: Call) -> Digest | None:
        """What this very question of this case was answered: nobody is asked it again."""
        asked = select(ModelCall.answer).where(ModelCall.question == call.question, col(ModelCall.answer).is_not(None))
        with reading(self.engine) as session:
            return session.exec(asked.limit(1)).first()

    def hold(self, endpoint: str, by: str, why: str) -> None:
        """Let nobody ask it until it is resumed."""
        self._set(endpoint, "endpoint.held", {"by": by, "why": why}, Breaker(held=f"by {by}: {why}"))

    def resume(self, endpoint: str, by: str) -> None:
        """Close its breaker, whoever or whatever opened it."""
        self._set(endpoint, "endpoint.resumed", {"by": by}, Breaker())

    def _set(self, endpoint: str, kind: str, body: dict[str, object], breaker: Breaker) -> None:
        with writing(self.engine, f"{ENDPOINTS}{endpoint}") as session:
            _keep(session, endpoint, None, breaker)
            append(session, f"{ENDPOINTS}{endpoint}", kind, body)

    def standing(self, endpoints: Sequence[str]) -> list[Status]:
        """How each of these stands, and any other that was ever asked or held."""
        now = datetime.now(UTC)
        with reading(self.engine) as session:
            known = session.exec(select(EndpointRow.name)).all()
            return [_status(session, name, now) for name in dict.fromkeys((*endpoints, *sorted(known)))]


def _breaker(session: Session, endpoint: str) -> Breaker:
    row = session.get(EndpointRow, endpoint)
    return Breaker.model_validate(row.breaker) if row else Breaker()


def _keep(session: Session, endpoint: str, before: Breaker | None, after: Breaker) -> None:
    if after == before:
        return
    row = session.get(EndpointRow, endpoint) or EndpointRow(name=endpoint)
    row.breaker = after.model_dump(mode="json")
    session.add(row)


def _standing(breaker: Breaker, now: datetime) -> str:
    state = breaker.state(now)
    if state == "held":
        return f"it is held {breaker.held}"
    until = f" until {breaker.until:%H:%M:%S} UTC" if breaker.until else ""
    return f"it is left alone{until}: {breaker.why}"


def _spent(session: Session, case: str, now: datetime) -> tuple[Spent, Spent]:
    tokens = func.coalesce(func.sum(col(ModelCall.tokens_in) + col(ModelCall.tokens_out)), 0)
    taken = select(tokens, func.coalesce(func.sum(ModelCall.cost_micros), 0))
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    of_case = taken.where(ModelCall.case_id == case)
    of_day = taken.where(ModelCall.process == case.partition("/")[0], ModelCall.at >= today)
    found = (session.exec(query).one() for query in (of_case, of_day))
    one, day = (Spent(tokens=int(tokens), cost=Decimal(int(micros)) / MICROS) for tokens, micros in found)
    return one, day


def _status(session: Session, endpoint: str, now: datetime) -> Status:
    breaker = _breaker(session, endpoint)
    tokens = col(ModelCall.tokens_in) + col(ModelCall.tokens_out)
    failures = func.count().filter(col(ModelCall.failed) != "")
    sums = (func.coalesce(func.sum(of), 0) for of in (col(ModelCall.seconds), tokens, col(ModelCall.cost_micros)))
    recent = (ModelCall.endpoint == endpoint, ModelCall.at >= now - timedelta(days=1))
    calls, failed, seconds, used, micros = session.execute(select(func.count(), failures, *sums).where(*recent)).one()
    return Status(
        name=endpoint,
        state=breaker.state(now),
        why=breaker.held or breaker.why,
        calls=calls,
        failed=failed,
        seconds=round(seconds / calls, 3) if calls else 0,
        tokens=used,
        cost=Decimal(int(micros)) / MICROS,
    )
