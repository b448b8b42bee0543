"""The approval rules: seats handed on, claims, questions, who may not decide, and how people prove who they are."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.approval import Verb
from schemas.wait import Wait
from tests.schemas.chains import (
    ANN,
    BEN,
    CEM,
    DAY,
    DUE,
    MAKER,
    MOMENT,
    NOW,
    OWNER,
    REMINDED,
    STRANGER,
    after,
    asked,
    at,
    question,
    reply_to,
    says,
    step_of,
)


def verdict_of(wait: Wait) -> str | None:
    return wait.decision.verdict if wait.decision else None


# Handing on.


def test_seat_goes_to_somebody_the_policy_names() -> None:
    wait = after(asked(ANN, BEN, rule="all", said={"delegates": ("eve",)}), says("delegate", to="eve"))

    assert (wait.holders, reply_to(wait, says()).accepted) == (("eve", BEN), False)


@pytest.mark.parametrize("to", [STRANGER, OWNER, ANN, ""])
def test_seat_goes_to_nobody_else(to: str) -> None:
    assert not reply_to(asked(), says("delegate", to=to)).accepted


def test_seat_goes_to_nobody_who_may_not_decide() -> None:
    wait = asked(said={"delegates": ("eve",), "excluded": {"eve": "they submitted it"}})

    assert reply_to(wait, says("delegate", to="eve")).reason == "'eve' may not decide this case: they submitted it"


def test_seat_is_not_handed_on_when_too_few_people_would_be_left() -> None:
    assert reply_to(asked(rule="all"), says("delegate", to=BEN)).reason == "then too few people would be left to decide"


def test_owner_hands_on_anybodys_seat() -> None:
    wait = after(asked(said={"delegates": ("eve",)}), says("delegate", OWNER, seat=BEN, to="eve"))

    assert wait.holders == (ANN, "eve")


def test_nobody_but_the_owner_hands_on_the_seat_of_another() -> None:
    assert not reply_to(asked(said={"delegates": ("eve",)}), says("delegate", ANN, seat=BEN, to="eve")).accepted


def test_whoever_takes_a_mandatory_seat_is_mandatory_in_turn() -> None:
    wait = asked(ANN, BEN, rule=1, mandatory=(ANN,), said={"delegates": ("eve",)})

    handed = after(wait, says("delegate", to="eve"), says(by=BEN))

    assert [verdict_of(handed), verdict_of(after(handed, says(by="eve")))] == [None, "approve"]


def test_vote_of_whoever_hands_on_the_seat_no_longer_counts() -> None:
    wait = asked(ANN, BEN, CEM, rule=2, said={"delegates": ("eve",)})

    assert after(wait, says(), says("delegate", to="eve"), says(by=BEN)).decision is None


def test_vote_that_a_hand_over_makes_decisive_settles_like_one_that_was_just_heard() -> None:
    wait = after(asked(ANN, BEN, CEM, rule=2), says("reject")).settle()

    handed = after(wait, says("delegate", BEN, to=CEM))

    assert (verdict_of(handed), handed.settled, handed.settle().settled) == ("reject", False, True)


# Claims.


def test_claim_keeps_the_others_out_until_it_is_released() -> None:
    claimed = after(asked(), says("claim"))

    released = after(claimed, says("release"))

    assert [reply_to(wait, says(by=BEN)).accepted for wait in (claimed, released)] == [False, True]


def test_owner_releases_what_another_claimed() -> None:
    assert after(asked(), says("claim"), says("release", OWNER)).claimed == ""


def test_nobody_else_releases_a_claim() -> None:
    assert not reply_to(after(asked(), says("claim")), says("release", BEN)).accepted


@pytest.mark.parametrize("instant", [REMINDED, DUE])
def test_claim_lapses_at_the_next_turn(instant: datetime) -> None:
    wait = after(at(asked(), instant - MOMENT), says("claim"), now=instant - MOMENT)

    assert at(wait, instant).claimed == ""


@pytest.mark.parametrize("rule", ["all", 2])
def test_nobody_claims_a_step_that_several_people_decide(rule: object) -> None:
    assert not reply_to(asked(rule=rule), says("claim")).accepted


# Questions.


def test_question_stops_the_clock_until_it_is_answered() -> None:
    wait = after(asked(), says("ask"))

    answered = after(wait, says("answer", MAKER), now=NOW + DAY)

    assert (wait.phase, answered.phase, answered.due) == ("asking", "open", DUE + DAY)


@pytest.mark.parametrize("heard", [2 * DAY, 9 * DAY], ids=["at once", "after an outage"])
def test_question_stops_the_clock_no_longer_than_it_has_time(heard: timedelta) -> None:
    assert after(asked(), says("ask")).tick(NOW + heard).due == DUE + 2 * DAY


@pytest.mark.parametrize(("person", "accepted"), [(MAKER, True), (OWNER, True), (BEN, False), (STRANGER, False)])
def test_submitter_or_owner_answers_and_nobody_else(person: str, accepted: bool) -> None:
    assert reply_to(after(asked(), says("ask")), says("answer", person)).accepted == accepted


def test_one_question_at_a_time() -> None:
    assert not reply_to(after(asked(), says("ask")), says("ask", BEN)).accepted


def test_three_questions_in_a_step() -> None:
    wait = asked()
    for number in range(3):
        wait = after(wait, says("ask", id=f"q-{number}"), says("answer", MAKER, id=f"a-{number}"))

    assert not reply_to(wait, says("ask")).accepted


@pytest.mark.parametrize("verdict", ["ask", "comment"])
def test_question_and_comment_need_words(verdict: Verb) -> None:
    assert "put them in the note" in reply_to(asked(), says(verdict, note=" ")).reason


@pytest.mark.parametrize("person", [ANN, OWNER, MAKER, "dora"])
def test_comment_of_anybody_who_has_a_say_is_accepted_and_changes_nothing(person: str) -> None:
    wait = asked()

    assert after(wait, says("comment", person)) == wait


def test_comment_of_a_stranger_is_refused() -> None:
    assert not reply_to(asked(), says("comment", STRANGER)).accepted


# Who may not, and who may no longer.


@pytest.mark.parametrize("person", [ANN, OWNER])
def test_whoever_is_excluded_decides_nothing(person: str) -> None:
    wait = asked(said={"excluded": {person: "they submitted it"}})

    assert reply_to(wait, says(by=person)).reason == f"'{person}' may not decide this case: they submitted it"


def test_vote_of_whoever_lost_the_right_is_struck() -> None:
    wait = after(asked(ANN, BEN, CEM, rule=2), says(), says(by=BEN)).struck((ANN,))

    assert (wait.decision, wait.holders, reply_to(wait, says(id="d-2")).accepted) == (None, (BEN, CEM), False)


def test_step_whose_people_were_struck_passes_on_at_the_next_look() -> None:
    assert at(asked(rule="all").struck((ANN,)), NOW).holders == ("dora",)


def test_claim_of_whoever_was_struck_keeps_nobody_out() -> None:
    assert reply_to(after(asked(), says("claim")).struck((ANN,)), says(by=BEN)).accepted


def test_seat_is_not_handed_to_somebody_who_was_struck() -> None:
    wait = asked(said={"delegates": ("eve",)}).struck(("eve",))

    assert not reply_to(wait, says("delegate", to="eve")).accepted


# Proof.


def test_whoever_has_a_key_is_not_spoken_for_by_a_word() -> None:
    wait = asked(said={"keys": {ANN: "key"}})

    assert [reply_to(wait, says(by=person)).accepted for person in (ANN, BEN)] == [False, True]


def test_word_is_not_enough_where_the_policy_wants_proof() -> None:
    wait = asked(said={"accepts": ("code",)})

    assert reply_to(wait, says()).reason == "nothing proves who this is from: this takes a code"


def test_false_proof_is_refused_even_where_a_word_is_enough() -> None:
    assert not asked().hear(says(), NOW, "signal", None)[1].accepted


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        ({"expires": NOW + DAY}, True),
        ({"expires": NOW}, False),
        ({"expires": None}, False),
        ({"expires": NOW + DAY, "id": ""}, False),
    ],
    ids=["complete", "expired", "without expiry", "without id"],
)
def test_signature_needs_an_id_and_an_expiry_to_come(said: dict[str, Any], accepted: bool) -> None:
    assert asked().hear(says(**said), NOW, "signal", "signature")[1].accepted == accepted


def test_code_is_used_once() -> None:
    wait, first = asked(ANN, BEN, rule="all").hear(says(id="d-1"), NOW, "signal", "code")

    _, second = wait.hear(says("reject", id="d-2"), NOW, "signal", "code")

    assert (first.accepted, second.accepted) == (True, False)


def test_code_of_the_next_step_is_another() -> None:
    wait, _ = asked().hear(says(id="d-1"), NOW, "signal", "code")

    again = wait.settle().asked(question(step_of(ANN, name="two")))

    assert again.hear(says(id="d-2"), NOW, "signal", "code")[1].accepted
