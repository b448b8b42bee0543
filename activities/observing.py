"""What cases came to, from the table of cases, their views and their audit: recomputed whenever somebody asks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlmodel import col, func, or_, select

from activities.audit import Audit
from activities.cases import Cases
from activities.store import Altered, reading
from schemas.case import View
from schemas.message import digest_of
from schemas.observed import Handled, Observed
from schemas.routing import SAMPLED
from schemas.tables import CaseRow, ModelCall

LATE = ("approval.escalated", "approval.handed")
OF_WHOM = ("category", "supplier", "second_party")
"""The field that tells what kind of input a case is, first found."""


@dataclass(frozen=True)
class Observing:
    cases: Cases
    audit: Audit

    def of(self, process: str, since: datetime, until: datetime) -> list[Observed]:
        """The cases of a process that stood open at some time in between, oldest first."""
        query = select(CaseRow).where(
            CaseRow.process == process,
            CaseRow.started_at < until,
            or_(col(CaseRow.ended_at).is_(None), col(CaseRow.ended_at) >= since),
        )
        with reading(self.cases.engine) as session:
            rows = session.exec(query.order_by(col(CaseRow.started_at))).all()
        return [self.one(row) for row in rows]

    def cost(self, process: str, since: datetime, until: datetime) -> float:
        """What endpoints cost, in the currency of the settings."""
        query = select(func.sum(ModelCall.cost_micros)).where(
            ModelCall.process == process, ModelCall.at >= since, ModelCall.at < until
        )
        with reading(self.cases.engine) as session:
            return (session.exec(query).one() or 0) / 1e6

    def one(self, row: CaseRow) -> Observed:
        try:
            view = self.cases.view(row)
        except (FileNotFoundError, Altered):  # 'casework audit verify' tells
            view = View()
        document = view.document
        return Observed(
            case=row.id,
            started_at=row.started_at,
            asked_at=row.asked_at,
            ended_at=row.ended_at,
            outcome=row.outcome,
            decided_by=row.decided_by,
            verdict=document.verdict.status if document else "",
            format=document.format if document else "",
            size=row.source_size,
            corrected=tuple(sorted({change.field for change in view.changes})),
            **self._audited(row.id),
        )

    def _audited(self, case: str) -> dict[str, Any]:
        """What the last run of the case left in the audit; nothing of an erased one."""
        told: dict[str, Any] = {}
        acts: list[Handled] = []
        late: list[datetime] = []
        votes: set[str] = set()
        for link, body in self.audit.entries(case):
            at = datetime.fromisoformat(link.at)
            if link.kind == "case.rerun":
                told, late, votes = {}, [], set()
            elif link.kind in LATE or (link.kind == "case.ended" and body and body.get("status") == "expired"):
                late.append(at)
            elif link.kind == "crm.failed" and body:
                told["refused_by_crm"] = told.get("refused_by_crm", False) or body.get("error") == "Refused"
            elif link.kind == "model.read" and body and body.get("rung") != "person":
                told |= _read(body)
            elif link.kind == "rules.checked" and body and "findings" not in told:
                told["findings"] = tuple(_codes(body))
                told["sampled"] = SAMPLED in told["findings"]
            elif link.kind == "person.decision" and body:
                acts.append(Handled(by=str(body.get("by", "")), at=at))
                votes |= _voted(body)
        return {**told, "acts": tuple(acts), "late": tuple(late), "disagreed": {"approve", "reject"} <= votes}


def _read(body: Mapping[str, object]) -> dict[str, Any]:
    fields = cast("Mapping[str, Mapping[str, Any]]", body.get("fields") or {})
    values = {name: field for name, field in fields.items() if field.get("value")}
    whom = next((values[name]["value"] for name in OF_WHOM if name in values), "")
    confidences = {name: float(field.get("confidence", 0)) for name, field in values.items()}
    return {
        "rung": str(body.get("rung", "")),
        "confidence": min(confidences.values(), default=None),
        "confidences": confidences,
        "category": digest_of(str(whom).casefold().encode())[:12] if whom else "",
    }


def _codes(body: Mapping[str, object]) -> Iterator[str]:
    for finding in cast("list[Mapping[str, Any]]", body.get("findings") or []):
        yield str(finding["code"])


def _voted(body: Mapping[str, object]) -> set[str]:
    decision = cast("Mapping[str, Any]", body.get("decision") or {})
    accepted = cast("Mapping[str, Any]", body.get("reply") or {}).get("accepted")
    return {str(decision.get("verdict"))} if accepted else set()
