"""The calibration that a policy names, as a case is judged by it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError

from activities.failures import kept
from activities.store import Altered, Blobs
from schemas.confidence import Calibration, quality_of, signals_of
from schemas.finding import Finding
from schemas.message import Digest
from schemas.policy import Policy
from schemas.proposal import Proposal
from schemas.routing import Brake
from schemas.source import PAGES, Document


class Calibrated(NamedTuple):
    """How sure a case is of its fields, and how far that lets it go. Empty: as sure as the reader says."""

    confidences: Mapping[str, float]
    brake: Brake


def calibrated(
    blobs: Blobs, policy: Policy, document: Document, proposal: Proposal, findings: Sequence[Finding]
) -> Calibrated:
    """Judge what a reader read; without a calibration, or after a person, nothing changes.

    A calibration that proves no threshold, or is not to be had, leaves every case to a person.
    """
    if policy.calibration is None or proposal.rung == "person":
        return Calibrated({}, Brake())
    found = named(blobs, policy.calibration)
    brake = brake_of(found, policy.calibration, proposal.model)
    if found is None:
        return Calibrated({}, brake)
    pages = PAGES.validate_json(kept(blobs, document.text, "the text")) if document.text else ()
    signals = signals_of(proposal.fields, proposal.rung, quality_of(proposal.rung, pages), findings)
    return Calibrated(found.confidences(signals), brake)


def brake_of(found: Calibration | None, digest: Digest, model: str = "") -> Brake:
    """How far the calibration that a policy names lets cases go, where this model answered."""
    other = found is not None and model and found.classifier not in ("", model)
    if found is not None and (threshold := found.choice.threshold) is not None and not other:
        return Brake(min_confidence=threshold)
    why = "proves no threshold for its risk" if found else "is gone from the blob store, or altered"
    why = "was made for another classifier" if other else why
    return Brake(stage_cap="supervised", reason=f"the calibration {digest[:12]} {why}")


def braked(brake: Brake, policy: Policy, found: Calibration | None) -> Brake:
    """The brake as it is, with what the calibration that the policy names holds back."""
    return brake.joined(brake_of(found, policy.calibration)) if policy.calibration else brake


def named(blobs: Blobs, digest: Digest | None) -> Calibration | None:
    if digest is None:
        return None
    try:
        return Calibration.model_validate_json(blobs.get(digest))
    except (FileNotFoundError, Altered, ValidationError):
        return None
