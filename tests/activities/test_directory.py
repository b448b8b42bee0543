"""The directory of approvers on a real database: who holds a step, what is rechecked, and what is left in the audit."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.directory import Directory, Unknown
from activities.proof import code_for
from schemas.opening import CodeFor, CodesCheck, Opened, Recheck, StepOpening, Struck
from schemas.policy import ApprovalPolicy
from schemas.steps import Escalation, Seat, Step
from tests.activities.test_audit import problems, tamper
from tests.databases import both_databases

pytestmark = both_databases
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY, ANOTHER = "1" * 64, "2" * 64
CODES = b"k" * 32


@pytest.fixture
def directory(engine: Engine) -> Directory:
    return Directory(engine, CODES)


def step_of(*voters: str, escalate: tuple[Escalation, ...] = ()) -> Step:
    return Step(name="legal", voters=tuple(Seat(voter=voter) for voter in voters), escalate=escalate)


def opened(directory: Directory, step: Step, *, delegates: tuple[str, ...] = (), submitter: str = "") -> Opened:
    policy = ApprovalPolicy(steps=(step,), owner="head", delegates=delegates)
    request = StepOpening(case="invoice-intake/1", step=step, policy=policy, at=NOW, submitter=submitter)
    return ActivityEnvironment().run(directory.open, request)


def rechecked(directory: Directory, case: str, *voters: str, **keys: str) -> Struck:
    return ActivityEnvironment().run(
        directory.recheck, Recheck(case=case, step="legal", voters=voters, keys={"ann": KEY, **keys})
    )


def people(opened: Opened, turn: int = 0) -> Sequence[tuple[str, ...]]:
    return [seat.people for seat in opened.turns[turn].seats]


def kinds(directory: Directory, chain: str) -> list[str]:
    return [link.kind for link, _ in Audit(directory.engine).entries(chain)]


def test_person_whom_only_the_policy_names_holds_their_seat(directory: Directory) -> None:
    assert people(opened(directory, step_of("ann"))) == [("ann",)]


def test_person_without_a_key_has_none_in_the_snapshot(directory: Directory) -> None:
    directory.add("ann", None, (), "keeper")

    assert opened(directory, step_of("ann", "bob")).keys == {}


def test_seat_of_a_group_is_held_by_its_members_in_order(directory: Directory) -> None:
    for person, group in (("cem", "group:legal"), ("ann", "group:legal"), ("bob", "group:sales")):
        directory.add(person, KEY, [group], "keeper")

    assert people(opened(directory, step_of("group:legal"))) == [("ann", "cem")]


def test_group_and_role_of_one_name_are_two(directory: Directory) -> None:
    directory.add("ann", KEY, ["group:legal"], "keeper")

    assert people(opened(directory, step_of("role:legal"))) == [()]


def test_revoked_people_hold_no_seat_of_their_own_nor_of_a_group(directory: Directory) -> None:
    for person in ("ann", "bob"):
        directory.add(person, KEY, ["group:legal"], "keeper")
    directory.revoke("ann", "keeper")

    assert people(opened(directory, step_of("ann", "group:legal"))) == [(), ("bob",)]


def test_escalations_name_people_of_the_directory_too(directory: Directory) -> None:
    directory.add("eve", KEY, ["role:executive"], "keeper")
    step = step_of("ann", escalate=(Escalation(to=("role:executive",)),))

    assert [people(opened(directory, step), turn) for turn in (2, 3)] == [[("eve",)], [("head",)]]


def test_instants_count_from_the_moment_the_case_gives(directory: Directory) -> None:
    step = step_of("ann")

    turns = opened(directory, step).turns

    assert turns[1].until == NOW + step.patience
    assert all(turn.until > NOW for turn in turns)


def test_keys_of_voters_delegates_owner_and_submitter_are_in_the_snapshot_and_no_others(directory: Directory) -> None:
    for number, person in enumerate(("ann", "bob", "head", "maker", "stranger")):
        directory.add(person, f"{number}" * 64, ["group:spare"] if person == "bob" else [], "keeper")

    found = opened(directory, step_of("ann"), delegates=("group:spare",), submitter="maker")

    assert found.keys == {"ann": "0" * 64, "bob": "1" * 64, "head": "2" * 64, "maker": "3" * 64}
    assert found.delegates == ("bob",)


def test_revoked_delegate_takes_no_seat(directory: Directory) -> None:
    directory.add("bob", KEY, (), "keeper")
    directory.revoke("bob", "keeper")

    assert opened(directory, step_of("ann"), delegates=("bob",)).delegates == ()


def test_voters_who_stand_as_they_stood_are_not_struck_and_nothing_is_audited(directory: Directory, case: str) -> None:
    directory.add("ann", KEY, ["group:legal"], "keeper")
    directory.add("ann", KEY, ["group:sales"], "keeper")

    assert rechecked(directory, case, "ann", "whom-only-the-policy-names") == Struck()
    assert "approval.struck" not in kinds(directory, case)


def test_voter_revoked_since_is_struck(directory: Directory, case: str) -> None:
    directory.add("ann", KEY, (), "keeper")
    directory.add("bob", ANOTHER, (), "keeper")
    directory.revoke("ann", "keeper")

    assert set(rechecked(directory, case, "ann", "bob", bob=ANOTHER).people) == {"ann"}


def test_voter_without_a_key_who_was_revoked_is_struck(directory: Directory, case: str) -> None:
    directory.add("bob", None, (), "keeper")
    directory.revoke("bob", "keeper")

    assert set(rechecked(directory, case, "bob").people) == {"bob"}


@pytest.mark.parametrize("key", [ANOTHER, None])
def test_voter_with_another_key_or_none_since_is_struck(directory: Directory, case: str, key: str | None) -> None:
    directory.add("ann", KEY, (), "keeper")
    directory.add("ann", key, (), "keeper")

    assert set(rechecked(directory, case, "ann").people) == {"ann"}


def test_voter_whose_row_somebody_removed_is_struck(directory: Directory, case: str) -> None:
    directory.add("ann", KEY, (), "keeper")
    with directory.engine.begin() as connection:
        connection.execute(text("DELETE FROM approvers"))

    assert set(rechecked(directory, case, "ann").people) == {"ann"}


def test_striking_is_audited_in_the_cases_chain_and_tells_its_head(directory: Directory, case: str) -> None:
    directory.add("ann", KEY, (), "keeper")
    directory.revoke("ann", "keeper")

    struck = rechecked(directory, case, "ann")

    link, body = Audit(directory.engine).entries(case)[-1]
    assert link.kind == "approval.struck"
    assert body == {"step": "legal", "people": dict(struck.people)}
    assert struck.head is not None
    assert struck.head.digest == link.digest


def test_person_entered_again_decides_again_by_the_new_key_and_groups(directory: Directory) -> None:
    directory.add("ann", KEY, ["group:legal"], "keeper")
    directory.revoke("ann", "keeper")
    directory.add("ann", ANOTHER, ["group:sales"], "keeper")

    found = opened(directory, step_of("group:sales", "group:legal"))

    assert people(found) == [("ann",), ()]
    assert found.keys == {"ann": ANOTHER}


def test_entering_and_revoking_are_audited_with_who_did_it(directory: Directory) -> None:
    directory.add("ann", KEY, ["group:legal"], "keeper")
    directory.revoke("ann", "auditor")

    bodies = [body or {} for _, body in Audit(directory.engine).entries("directory/ann")]

    assert kinds(directory, "directory/ann") == ["directory.added", "directory.revoked"]
    assert [body["by"] for body in bodies] == ["keeper", "auditor"]
    assert (bodies[0]["public_key"], bodies[0]["groups"]) == (KEY, ["group:legal"])


@pytest.mark.parametrize("times", [0, 1])
def test_revoking_somebody_unknown_or_revoked_is_an_error_and_leaves_nothing(directory: Directory, times: int) -> None:
    if times:
        directory.add("ann", KEY, (), "keeper")
        directory.revoke("ann", "keeper")
    before = kinds(directory, "directory/ann")

    with pytest.raises(Unknown, match="ann is not in the directory"):
        directory.revoke("ann", "keeper")

    assert kinds(directory, "directory/ann") == before


def test_listing_keeps_those_who_are_revoked(directory: Directory) -> None:
    for person in ("bob", "ann"):
        directory.add(person, KEY, (), "keeper")
    directory.revoke("ann", "keeper")

    assert [(row.id, row.revoked_at is None) for row in directory.listing()] == [("ann", False), ("bob", True)]


def test_chains_of_the_directory_verify_beside_those_of_cases(directory: Directory, case: str, audit: Audit) -> None:
    directory.add("ann", KEY, (), "keeper")
    directory.revoke("ann", "keeper")

    assert audit.cases() == ["directory/ann", case]
    assert [audit.verify(chain) for chain in audit.cases()] == [[], []]


def test_edited_entry_of_the_directory_is_named(directory: Directory, audit: Audit) -> None:
    directory.add("ann", KEY, (), "keeper")
    directory.revoke("ann", "keeper")
    tamper(directory.engine, "UPDATE audit_entries SET kind = 'directory.added' WHERE seq = 2")

    assert problems(audit.verify("directory/ann")) == [(2, "was edited")]


def test_removed_chain_of_somebody_in_the_directory_is_named(directory: Directory, audit: Audit) -> None:
    directory.add("ann", KEY, (), "keeper")
    tamper(directory.engine, "DELETE FROM audit_entries", "DELETE FROM audit_heads")

    assert audit.cases() == ["directory/ann"]
    assert problems(audit.verify("directory/ann")) == [(1, "is missing, with the whole chain")]


def test_key_put_into_the_table_past_the_command_is_named(directory: Directory, engine: Engine, audit: Audit) -> None:
    directory.add("ann", KEY, ["group:legal"], "admin")
    with engine.begin() as connection:
        connection.execute(text("UPDATE approvers SET public_key = :key"), {"key": ANOTHER})

    (fault,) = audit.verify("directory/ann")

    assert "the table of approvers says something else" in fault.problem


def test_codes_are_judged_each_by_itself_and_in_order(directory: Directory) -> None:
    wanted = [
        CodeFor(case="invoice-intake/1", person=person, step="legal", draft="a" * 64, opening=1)
        for person in ("ann", "bob")
    ]
    right = [code_for(CODES, one) for one in wanted]
    codes = ((wanted[0], right[0]), (wanted[0], right[1]), (wanted[1], ""), (wanted[1], right[1]))

    checked = ActivityEnvironment().run(directory.check_codes, CodesCheck(codes=codes))

    assert checked.right == (True, False, False, True)
