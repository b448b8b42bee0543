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
    found = _found(blobs, policy.calibration)
    if found is None:
        return Calibrated({}, _stopped("the calibration that the policy names is gone or altered"))
    pages = PAGES.validate_json(kept(blobs, document.text, "the text")) if document.text else ()
    signals = signals_of(proposal.fields, proposal.rung, quality_of(proposal.rung, pages), findings)
    threshold = found.choice.threshold
    if threshold is None:
        brake = _stopped(f"calibration {policy.calibration[:8]} proves no threshold for its risk")
    else:
        brake = Brake(min_confidence=threshold)
    return Calibrated(found.confidences(signals), brake)


def _stopped(reason: str) -> Brake:
    return Brake(stage_cap="supervised", reason=reason)


def _found(blobs: Blobs, digest: Digest) -> Calibration | None:
    try:
        return Calibration.model_validate_json(blobs.get(digest))
    except (FileNotFoundError, Altered, ValidationError):
        return None
