"""Edge cases: those that teach most about where the reader and its thresholds go wrong, with the reasons."""

from collections.abc import Iterator

from schemas.observed import Observed

SURE = 0.95
REASONS = {
    "low": "low confidence, yet approved unchanged",
    "high": "high confidence, yet corrected",
    "unreadable": "unreadable",
    "hostile": "hostile, abusive, or addressed to a machine",
    "crm": "refused by the CRM",
    "people": "people disagreed",
    "readings": "what was read disagrees with itself",
}
UNREADABLE = ("missing", "malformed")
HOSTILE = ("hostile", "suspicious", "abusive")


def reasons(one: Observed, threshold: float) -> Iterator[str]:
    """Why it is one; `threshold` is the least confidence of its policy."""
    approved = one.seen and one.outcome == "applied"
    if approved and not one.corrected and one.confidence is not None and one.confidence < threshold:
        yield REASONS["low"]
    if any(one.confidences.get(field, 0) >= max(threshold, SURE) for field in one.corrected):
        yield REASONS["high"]
    if one.verdict in UNREADABLE:
        yield REASONS["unreadable"]
    if one.verdict in HOSTILE:
        yield REASONS["hostile"]
    if one.refused_by_crm:
        yield REASONS["crm"]
    if one.disagreed:
        yield REASONS["people"]
    if any(code.endswith(".disagree") for code in one.findings):
        yield REASONS["readings"]
