"""Decided cases as labelled ones: the audit tells what was read, the approved draft what is right."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from activities.audit import Audit, Body
from activities.cases import Cases
from activities.store import Altered
from schemas.case import View
from schemas.confidence import EXPOSURE, quality_of, signals_of
from schemas.finding import Finding
from schemas.policy import Policy
from schemas.proposal import Proposal
from schemas.routing import SAMPLED, Brake, route
from schemas.scoring import Judged, Labelled
from schemas.source import PAGES
from schemas.tables import CaseRow


class Decision(NamedTuple):
    """A case that people approved, as it would stand in a labelled file, and as it was judged when it was read."""

    row: CaseRow
    label: Labelled
    judged: Judged


@dataclass(frozen=True)
class Decided:
    cases: Cases
    audit: Audit

    def of(self, process: str, policy: Policy) -> Iterator[Decision]:
        """Every case of the process that a person has looked at and that was written; erased ones are no examples.

        In an autonomous stage people see the doubtful cases and the sampled ones. Only these stand for all cases, so
        only these may test a threshold (`clean`); the others teach all the same. Below, people see every case.
        """
        for row in self.cases.listing("closed"):
            if row.process == process and row.outcome == "applied" and row.decided_by:
                try:
                    found = self._decision(row, policy)
                except (FileNotFoundError, Altered):
                    continue  # 'casework audit verify' tells
                if found:
                    yield found

    def _decision(self, row: CaseRow, policy: Policy) -> Decision | None:
        view, read = self.cases.view(row), self._read(row.id)
        if read is None or view.document is None or view.proposal is None:
            return None
        proposal, findings = read
        final = {name: field.value for name, field in view.proposal.fields.items()}
        expected = {name: value for name, value in final.items() if value or _value(proposal, name)}
        sampled = any(finding.code == SAMPLED for finding in findings)
        judged = self._judged(view, proposal, findings, policy)
        if row.stage == "autonomous" and not sampled:
            judged = judged.model_copy(update={"clean": False})
        return Decision(row, Labelled(source=row.source, expected=expected), judged)

    def _read(self, case: str) -> tuple[Proposal, tuple[Finding, ...]] | None:
        """What the last run of the case read before anybody corrected it, and what was found on first checking it."""
        proposal, checked = None, None
        for link, body in self.audit.entries(case):
            if link.kind == "model.read" and body:
                proposal, checked = Proposal.model_validate(body), None
            elif link.kind == "rules.checked" and body:
                checked = checked or body
        if proposal is None or checked is None or proposal.rung == "person":
            return None
        return proposal, _findings(checked)

    def _judged(self, view: View, proposal: Proposal, findings: tuple[Finding, ...], policy: Policy) -> Judged:
        assert view.document is not None
        text = view.document.text
        pages = PAGES.validate_json(self.cases.blobs.get(text)) if text else ()
        about = [finding for finding in findings if finding.code not in (*EXPOSURE, SAMPLED)]
        trusting = {"stage": "autonomous", "autonomous_rungs": (proposal.rung,), "min_confidence": 0}
        chosen = route(view.document.verdict, proposal, about, policy.model_copy(update=trusting), Brake())
        return Judged(
            verdict=view.document.verdict.status,
            rung=proposal.rung,
            fields=proposal.fields,
            confidence=min((field.confidence for field in proposal.fields.values() if field.value), default=0),
            clean=chosen.kind == "auto",
            signals=signals_of(proposal.fields, proposal.rung, quality_of(proposal.rung, pages), about),
        )


def _value(proposal: Proposal, name: str) -> str | None:
    field = proposal.fields.get(name)
    return field.value if field else None


def _findings(checked: Body) -> tuple[Finding, ...]:
    told = checked["findings"]
    assert isinstance(told, list)
    return tuple(Finding.model_validate(finding) for finding in told)
