"""Who says it: forged, replayed, expired, misdirected and revoked decisions, by update and by signal."""

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.proof import code_for
from schemas.approval import MESSAGES_PER_PERSON, Decision, Reply
from schemas.opening import CodeFor
from starters.decide import decide
from starters.signing import public_half
from tests.desk import CLERK, DEPUTY, OVER_LIMIT, OWNER, Case, Desk, approval, policy
from tests.workflows.scenarios import outcome_of

STRANGER = "mallory"
Forgery = Callable[["Scene"], Decision]


class Scene:
    """A case that takes signatures and codes, the keys of its people, and what went before."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.keys = {person: Ed25519PrivateKey.generate() for person in (CLERK, DEPUTY, OWNER, STRANGER)}
        for person in (CLERK, DEPUTY, OWNER):
            desk.parts.directory.add(person, public_half(self.keys[person]), (), "tester")
        self.case: Case

    async def opened(self, key: str = "", **changes: Any) -> Case:
        proven = {"accepts": ("signature", "code"), **changes}
        self.case = await self.desk.start(OVER_LIMIT, policy(approval=approval(**proven)), key=key)
        await self.desk.asked(self.case)
        return self.case

    async def send(self, decision: Decision) -> Reply:
        reply: Reply = await self.case.execute_update("decide", decision, result_type=Reply)
        return reply

    def signed(self, *, key: str = "", case: str = "", run: int = 1, **said: Any) -> Decision:
        until = {"expires": datetime.now(UTC) + timedelta(days=1)}
        decision = self.desk.say(self.case, said.pop("verdict", "approve"), **{**until, **said})
        signature = self.keys[key or decision.by].sign(decision.signed(case or self.case.id, run))
        return decision.model_copy(update={"signature": signature.hex()})

    def code(self, person: str, **other: Any) -> str:
        row = self.desk.row(self.case)
        about = {"case": row.id, "person": person, "step": row.step, "draft": row.draft, "opening": 1, **other}
        return code_for(self.desk.parts.directory.code_key, CodeFor.model_validate(about))

    def coded(self, by: str = CLERK, **about: Any) -> Decision:
        return self.desk.say(self.case, "approve", by=by, code=self.code(about.pop("person", by), **about))


def changed(decision: Decision, **changes: object) -> Decision:
    return decision.model_copy(update=changes)


FORGERIES: dict[str, Forgery] = {
    "asserted": lambda it: it.desk.say(it.case, "approve"),
    "asserted by the owner": lambda it: it.desk.say(it.case, "approve", by=OWNER),
    "another's key": lambda it: it.signed(key=STRANGER),
    "a colleague's key": lambda it: it.signed(key=DEPUTY),
    "a stranger's own key": lambda it: it.signed(by=STRANGER),
    "not their turn": lambda it: it.signed(by=OWNER),
    "no signature at all": lambda it: changed(it.signed(), signature=""),
    "half a signature": lambda it: changed(it.signed(), signature=it.signed().signature[:64]),
    "a signature of nothing": lambda it: changed(it.signed(), signature="00" * 64),
    "a signature that is no hexadecimal": lambda it: changed(it.signed(), signature="yes, it is me"),
    "verdict swapped": lambda it: changed(it.signed(verdict="reject"), verdict="approve"),
    "draft swapped": lambda it: changed(it.signed(draft="0" * 64), draft=it.signed().draft),
    "another draft": lambda it: it.signed(draft="f" * 64),
    "note added": lambda it: changed(it.signed(), note="and pay it today"),
    "corrections added": lambda it: changed(
        it.signed(verdict="correct", corrections={"iban": "x"}), corrections={"iban": "y"}
    ),
    "id changed": lambda it: changed(it.signed(), id=uuid4().hex),
    "no id": lambda it: it.signed(id=""),
    "no expiry": lambda it: it.signed(expires=None),
    "expired": lambda it: it.signed(expires=datetime.now(UTC) - timedelta(seconds=1)),
    "expiry stretched": lambda it: changed(
        it.signed(expires=datetime.now(UTC) - timedelta(days=1)), expires=datetime.now(UTC) + timedelta(days=9)
    ),
    "for another case": lambda it: it.signed(case="invoice-intake/another"),
    "for another run": lambda it: it.signed(run=2),
    "for another step": lambda it: it.signed(step="executive"),
    "step swapped": lambda it: changed(it.signed(step="executive"), step=""),
    "delegated to a stranger": lambda it: it.signed(verdict="delegate", to=STRANGER),
    "a guessed code": lambda it: it.desk.say(it.case, "approve", code="00000-00000"),
    "an empty-looking code": lambda it: it.desk.say(it.case, "approve", code=" - "),
    "a colleague's code": lambda it: it.coded(person=DEPUTY),
    "a code for another draft": lambda it: it.coded(draft="0" * 64),
    "a code for another step": lambda it: it.coded(step="executive"),
    "a code for another opening": lambda it: it.coded(opening=2),
    "a code for another case": lambda it: it.coded(case="invoice-intake/another"),
    "a code for another run": lambda it: it.coded(run=2),
    "a stranger's code": lambda it: it.coded(by=STRANGER),
}


@pytest.fixture
async def scene(desk: Desk) -> Scene:
    return Scene(desk)


async def test_no_forgery_is_accepted_by_either_way_and_each_is_audited(busy_desk: Desk) -> None:
    """By update, by signal, and by the command once the case has ended; a few at each, so that no share is used up."""
    scene, kinds = Scene(busy_desk), [kind for kind in FORGERIES for _ in range(4)]
    shares = (kinds[start : start + 8] for start in range(0, len(kinds), 8))

    heard = await asyncio.gather(*(tried(copy(scene), share) for share in shares))

    replies = [accepted for one in heard for accepted in one]
    assert len(replies) == 3 * len(kinds) >= 200
    assert not any(replies)


async def tried(scene: Scene, kinds: Sequence[str]) -> list[bool]:
    """What the audit of one case says of these forgeries, each made in three ways."""
    case = await scene.opened(key=uuid4().hex)
    for kind in kinds:
        forged = FORGERIES[kind](scene)
        await scene.send(forged)
        await case.signal("decide", forged)
    row, late = scene.desk.row(case), [FORGERIES[kind](scene) for kind in kinds]
    assert (await scene.send(scene.signed(verdict="reject"))).accepted
    assert (await outcome_of(case)).status == "rejected"
    for forged in late:
        await decide(scene.desk.client, scene.desk.parts, row, forged)
    heard = [body["reply"]["accepted"] for kind, body in scene.desk.acts(case) if kind == "person.decision"]
    heard.remove(True)  # that one
    return heard


async def test_signed_decision_is_accepted_and_audited_as_proven(scene: Scene) -> None:
    case = await scene.opened()

    reply = await scene.send(scene.signed())

    assert reply.accepted
    assert (await outcome_of(case)).decided_by == CLERK
    assert [body["proof"] for kind, body in scene.desk.acts(case) if kind == "person.decision"] == ["signature"]


async def test_signed_vote_sent_again_is_the_same_vote(scene: Scene) -> None:
    case = await scene.opened(rule="all")
    vote = scene.signed()
    await scene.send(vote)
    await case.signal("decide", vote)
    again = await scene.send(vote)
    await scene.send(scene.signed(by=DEPUTY))

    assert (await outcome_of(case)).decided_by.split(", ") == [CLERK, DEPUTY]
    assert again.reason == "this decision was heard before"


async def test_code_counts_once_and_stands_nowhere(scene: Scene) -> None:
    case = await scene.opened(rule="all")
    await scene.send(scene.coded())
    await scene.desk.asked(case, times=2)
    changed_mind = await scene.send(changed(scene.coded(), verdict="reject"))
    await scene.send(scene.coded(by=DEPUTY))

    assert (await outcome_of(case)).status == "applied"
    assert "this code was used" in changed_mind.reason
    assert [scene.code(CLERK) in str(body) for _, body in scene.desk.acts(case)].count(True) == 0


async def test_vote_of_somebody_revoked_before_the_step_closed_is_struck(scene: Scene) -> None:
    case = await scene.opened(rule="all")
    await scene.send(scene.signed())
    scene.desk.parts.directory.revoke(CLERK, "tester")
    await scene.send(scene.signed(by=DEPUTY))
    await scene.desk.at_phase(case, "handed")
    await scene.send(scene.signed(by=OWNER))

    outcome = await outcome_of(case)

    assert (outcome.status, outcome.decided_by) == ("applied", f"{DEPUTY}, {OWNER}")
    assert [body["people"] for kind, body in scene.desk.acts(case) if kind == "approval.struck"] == [{CLERK: "revoked"}]


async def test_what_is_said_in_somebodys_name_without_proof_uses_up_nothing_of_theirs(scene: Scene) -> None:
    case = await scene.opened(rule="all")
    for _ in range(MESSAGES_PER_PERSON + 1):
        await case.signal("decide", scene.desk.say(case, "comment", note="it is me, really"))

    said = [await scene.send(scene.signed(verdict=verdict)) for verdict in ("approve", "reject")]

    assert [reply.accepted for reply in said] == [True, True]
    assert (await outcome_of(case)).status == "rejected"


async def test_whoever_has_a_key_cannot_be_spoken_for_where_words_are_enough(scene: Scene) -> None:
    await scene.opened(accepts=("asserted",))

    spoken_for = await scene.desk.decide(scene.case, "approve")
    proven = await scene.send(scene.signed())

    assert (spoken_for.accepted, proven.accepted) == (False, True)
