"""Objections: why something that was said to a case does not count, in words for the person who said it."""

from datetime import datetime

from schemas.approval import Channel, Decision
from schemas.policy import Proof
from schemas.standing import Ask, Standing

QUESTIONS_PER_STEP = 3


def objection(wait: Standing, decision: Decision, now: datetime, channel: Channel, proof: Proof | None) -> str:
    """Why this does not count, in words for the person who said it; empty when it does."""
    ask = wait.ask
    if decision.id in wait.withdrawn:
        return "its sender has withdrawn it: they were told that it was not taken"
    if ask is None:
        return "nothing is asked yet"
    if wait.decision is not None:
        return f"already decided by {wait.decision.by}"
    if wait.phase == "expired":
        return "the deadline has passed and the case has expired"
    if channel == "update" and wait.late(now):
        return "the deadline has passed"
    if proof == "code" and decision.by in wait.coded:
        return "this code was used: sign the decision, or wait for the next step's code"
    return (
        _unproven(ask, decision, now, proof)
        or _not_theirs(wait, ask, decision)
        or _misdirected(wait, ask, decision)
        or ask.misuse(decision)
    )


def _unproven(ask: Ask, decision: Decision, now: datetime, proof: Proof | None) -> str:
    if proof is None:
        return "nothing proves who this is from: the signature or the code is wrong"
    if proof == "signature" and (not decision.id or decision.expires is None):
        return "a signed decision needs an id and an expiry"
    if decision.expires and now >= decision.expires:
        return "its signature has expired: decide again"
    # Where a word is enough, so is a proof; and whoever has a key cannot be spoken for by a word alone.
    enough = proof in ask.accepts or "asserted" in ask.accepts
    if not enough or (proof == "asserted" and decision.by in ask.keys):
        ways = " or ".join(way for way in ask.accepts if way != "asserted") or "signature"
        return f"nothing proves who this is from: this takes a {ways}"
    return ""


def _not_theirs(wait: Standing, ask: Ask, decision: Decision) -> str:
    """Why whoever said this has no right to."""
    by, verdict, held = decision.by, decision.verdict, ", ".join(wait.holders)
    if verdict == "comment":
        return "" if by in ask.everybody else f"{by!r} has nothing to do with this case"
    if verdict == "answer":
        asked = wait.question is not None and by in (ask.submitter, ask.owner)
        return "" if asked else f"no question waits for an answer of {by!r}"
    if by in ask.excluded:
        return f"{by!r} may not decide this case: {ask.excluded[by]}"
    if by == ask.owner and (verdict == "release" or (verdict == "delegate" and decision.seat)):
        return ""
    if by not in wait.holders:
        return f"{by!r} may not decide this case: it is with {held}"
    if wait.claimed and by != wait.claimed:
        return f"{wait.claimed} has claimed it, and must release it first"
    return ""


def _misdirected(wait: Standing, ask: Ask, decision: Decision) -> str:
    assert wait.current is not None
    if decision.draft != ask.draft:
        return f"that is another draft: the one to decide is {ask.draft[:12]}"
    if decision.step not in ("", ask.step):
        return f"that is another step: the one to decide is {ask.step}"
    if decision.verdict == "claim" and wait.current.rule != "any":
        return "several people decide this step: nobody can claim it"
    if decision.verdict == "ask" and (wait.question or len(wait.questions) >= QUESTIONS_PER_STEP):
        return f"a question is open already, or there were {QUESTIONS_PER_STEP}"
    return _wrong_hand(wait, ask, decision) if decision.verdict == "delegate" else ""


def _wrong_hand(wait: Standing, ask: Ask, decision: Decision) -> str:
    """Why a seat cannot go from one to the other."""
    assert wait.current is not None
    seat = decision.seat or decision.by
    if seat not in wait.holders or (decision.seat and decision.by not in (seat, ask.owner)):
        return f"{seat!r} holds no seat that {decision.by!r} can hand on"
    if decision.to in ask.excluded:
        return f"{decision.to!r} may not decide this case: {ask.excluded[decision.to]}"
    if decision.to not in {*ask.delegates, *wait.current.people} - {seat}:
        return f"a seat cannot be handed to {decision.to!r}: the policy names who takes one"
    if not wait.current.handed(seat, decision.to).can_be_met:
        return "then too few people would be left to decide"
    return ""
