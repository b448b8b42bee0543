"""Steps: which of them a case passes, and mistakes in a policy refused with what is wrong."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.policy import ApprovalPolicy
from schemas.steps import Condition, Step

OVER = Condition.model_validate({"field": "total", "over": {"EUR": "1000"}})
DAY = timedelta(days=1)


def step(name: str = "one", **rules: Any) -> Step:
    return Step.model_validate({"name": name, "voters": ["ann", "ben"], **rules})


@pytest.mark.parametrize(
    ("total", "currency", "holds"),
    [
        ("1000", "EUR", False),
        ("1000.01", "EUR", True),
        ("999.99", "EUR", False),
        ("1", "USD", True),
        ("1", "eur", True),
        ("1", None, True),
        (None, "EUR", True),
        ("NaN", "EUR", True),
        ("sNaN", "EUR", True),
        ("Infinity", "EUR", True),
        ("1,5", "EUR", True),
        ("", "EUR", True),
    ],
)
def test_amount_is_over_unless_it_is_known_to_be_within_the_limit_of_its_currency(
    total: str | None, currency: str | None, holds: bool
) -> None:
    assert OVER.holds({"total": total, "currency": currency}) == holds


@pytest.mark.parametrize(("value", "holds"), [("software", True), ("travel", False), (None, True)])
def test_one_of_holds_for_what_is_named_and_what_is_unknown(value: str | None, holds: bool) -> None:
    assert Condition(field="kind", one_of=("software", "cloud")).holds({"kind": value}) == holds


@pytest.mark.parametrize(("value", "holds"), [("software", False), ("travel", True), (None, True)])
def test_none_of_holds_for_what_is_not_named_and_what_is_unknown(value: str | None, holds: bool) -> None:
    assert Condition(field="kind", none_of=("software", "cloud")).holds({"kind": value}) == holds


def test_field_that_a_case_does_not_have_is_unknown() -> None:
    assert OVER.holds({})


@pytest.mark.parametrize(("total", "names"), [("500", ["one"]), ("5000", ["one", "two"])])
def test_case_passes_the_steps_it_calls_for_in_their_order(total: str, names: list[str]) -> None:
    policy = ApprovalPolicy(steps=(step("one"), step("two", when=[OVER])), owner="owner")

    assert [it.name for it in policy.steps_of({"total": total, "currency": "EUR"})] == names


def test_case_that_calls_for_no_step_is_the_owners() -> None:
    policy = ApprovalPolicy(steps=(step(when=[OVER]),), owner="owner", owner_patience=5 * DAY)

    (only,) = policy.steps_of({"total": "1", "currency": "EUR"})

    assert (only.named, only.patience) == (frozenset(("owner",)), 5 * DAY)


@pytest.mark.parametrize(("total", "voters"), [("500", ["ann"]), ("5000", ["ann", "ben"])])
def test_step_asks_the_voters_that_a_case_needs(total: str, voters: list[str]) -> None:
    conditional = step(voters=["ann", {"voter": "ben", "when": [OVER]}], mandatory=["ben"], veto=["ben"])

    found = conditional.for_case({"total": total, "currency": "EUR"})

    assert found is not None
    assert [seat.voter for seat in found.voters] == voters
    assert set(found.mandatory) == set(found.veto) == set(voters) - {"ann"}


@pytest.mark.parametrize("third", ["eve", "group:legal"])
def test_step_that_wants_more_people_than_a_case_needs_wants_all_of_those_and_can_be_sent(third: str) -> None:
    conditional = step(voters=["ann", "ben", {"voter": third, "when": [OVER]}], rule=3)

    found = conditional.for_case({"total": "1", "currency": "EUR"})

    assert found is not None
    assert found.rule == 2
    assert Step.model_validate_json(found.model_dump_json()) == found


def test_step_of_which_a_case_needs_no_voter_is_left_out() -> None:
    assert step(voters=[{"voter": "ben", "when": [OVER]}]).for_case({"total": "1", "currency": "EUR"}) is None


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"mandatory": ["cem"]}, "one: mandatory or veto, but no voter of this step: cem"),
        ({"veto": ["cem"]}, "one: mandatory or veto, but no voter of this step: cem"),
        ({"rule": 3}, "one: 3 of 2 people cannot agree"),
        ({"remind_after": 3 * DAY, "patience": 3 * DAY}, "one: remind_after is not before the end of its patience"),
        ({"when": [{"field": "total"}]}, "a condition has one of: over, one_of, none_of"),
        ({"when": [{"field": "a", "one_of": ["b"], "none_of": ["c"]}]}, "a condition has one of"),
        ({"voters": []}, "at least 1 item"),
        ({"voters": ["Ann Smith"]}, "voters.0"),
        ({"rule": 0}, "greater than or equal to 1"),
        ({"rule": "most"}, "'any' or 'all'"),
        ({"patience": timedelta(0)}, "patience"),
        ({"patience": timedelta(days=9_999_999)}, "patience"),
        ({"escalate": [{"to": []}]}, "escalate.0.to"),
    ],
)
def test_mistake_in_a_step_is_refused_with_what_is_wrong(rules: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        step(**rules)

    assert reason in str(refused.value)


def test_more_people_than_voters_may_be_wanted_of_a_group() -> None:
    assert step(voters=["group:legal"], rule=3).rule == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"steps": [step(), step()]}, "more than one step is called one"),
        ({"steps": []}, "an approval has steps"),
        ({"steps": [step()], "approvers": ["ann"]}, "and not both"),
        ({"steps": [step()], "accepts": []}, "accepts"),
        ({"steps": [step()], "answer_patience": timedelta(days=9_999_999)}, "answer_patience"),
    ],
)
def test_mistake_in_an_approval_is_refused_with_what_is_wrong(content: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ApprovalPolicy.model_validate({"owner": "owner", **content})

    assert reason in str(refused.value)


def test_approval_names_everybody_it_may_ask_but_groups() -> None:
    chain = (step(voters=["ann", "group:legal"], escalate=[{"to": ["dora", "role:executive"]}]),)

    assert ApprovalPolicy(steps=chain, owner="owner", delegates=("eve",)).people == {"ann", "dora", "owner", "eve"}
