"""Who decides a case: a pure function of verdict, proposal, findings, policy and brake.

Rules:
- a malformed or hostile document is refused: there is nothing a person could approve;
- what is supervised, not sure enough, or not clean goes to a person, with every reason named;
- the brake only tightens: the lower stage and the higher threshold count.
"""

import hmac
from collections.abc import Sequence
from typing import Literal

from pydantic import Field as Bounded

from schemas.finding import Finding
from schemas.message import Message
from schemas.policy import STAGES, Policy, Stage
from schemas.proposal import Proposal
from schemas.source import Verdict


class Brake(Message):
    """What the database says a process may do at most, whatever its policy allows."""

    stage_cap: Stage = "autonomous"
    min_confidence: float = Bounded(default=0, ge=0, le=1)
    reason: str = ""

    def joined(self, other: "Brake") -> "Brake":
        """Both: the lower stage, with why it is so low, and the higher threshold."""
        lower = min(self, other, key=lambda brake: STAGES.index(brake.stage_cap))
        return lower.model_copy(update={"min_confidence": max(self.min_confidence, other.min_confidence)})


class Route(Message):
    kind: Literal["auto", "review", "reject"]
    reasons: tuple[str, ...] = ()
    stage: Stage = "supervised"


SAMPLED = "case.sampled"
"""The finding that a case is one of the random share that a person always sees."""


def sampled(case: str, share: float, key: bytes) -> bool:
    """Whether a case is of that share: always the same for one case, and foreseen by nobody without the key.

    A case's id follows from its document: without a key, who sends documents could pick those that nobody looks at.
    """
    return int.from_bytes(hmac.digest(key, f"sampled {case}".encode(), "sha256")[:4]) < share * 2**32


def refusal(verdict: Verdict) -> Route | None:
    """The route of a document that nobody can approve, or None."""
    if verdict.status not in ("malformed", "hostile"):
        return None
    return Route(kind="reject", reasons=(f"document is {verdict.status}", *verdict.reasons))


def route(verdict: Verdict, proposal: Proposal, findings: Sequence[Finding], policy: Policy, brake: Brake) -> Route:
    if refused := refusal(verdict):
        return refused
    stage = min(policy.stage, brake.stage_cap, key=STAGES.index)
    reasons = [
        *_distrust(stage, policy, brake, proposal),
        *(f"intake: {reason}" for reason in verdict.reasons or (verdict.status,) if verdict.status != "ok"),
        *proposal.doubts,
        *_doubts(proposal, max(policy.min_confidence, brake.min_confidence)),
        *(f"{finding.code}: {finding.message}" for finding in findings if stops(finding)),
    ]
    return Route(kind="review" if reasons else "auto", reasons=tuple(reasons), stage=stage)


def stops(finding: Finding) -> bool:
    return finding.severity in ("review", "block")


def _distrust(stage: Stage, policy: Policy, brake: Brake, proposal: Proposal) -> list[str]:
    """Reasons that lie in how far the process is trusted, not in this document.

    Shadow is none: nothing is written then, and what is wanted to know is what would have been.
    """
    reasons = []
    if stage == "supervised":
        capped = stage != policy.stage
        reasons.append(f"the brake holds this process at {stage}: {brake.reason}" if capped else f"stage {stage}")
    if proposal.rung == "person":
        shown_again = "entered by a person, and shown again before it is written"
        reasons.append(shown_again if proposal.fields else "nothing could read it: a person enters the fields")
    elif proposal.rung not in policy.autonomous_rungs:
        reasons.append(f"read by {proposal.rung}, which this policy does not trust alone")
    return reasons


def _doubts(proposal: Proposal, threshold: float) -> list[str]:
    return [
        f"{name}: confidence {field.confidence:.2f} is below {threshold:.2f}"
        for name, field in proposal.fields.items()
        if field.value is not None and field.confidence < threshold
    ]
