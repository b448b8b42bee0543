"""What becomes of a case: every shape, on a real server, each step replayed."""

import asyncio

import httpx2
import pytest

from activities.store import writing
from starters.demo import SAMPLES
from tests.databases import Postgres, both_databases, only_postgresql
from tests.desk import DEPUTY, ONLY_TEXT, OVER_LIMIT, OWNER, PATIENCE, Desk, policy
from tests.workflows import scenarios
from tests.workflows.scenarios import outcome_of


async def test_clean_e_invoice_is_applied_without_a_person(desk: Desk) -> None:
    case = await scenarios.straight_through(desk)

    outcome = await outcome_of(case)

    assert (outcome.status, outcome.decided_by) == ("applied", "")
    assert desk.records() == [f"{case.id}:apply"]


async def test_approved_draft_is_what_is_applied(desk: Desk) -> None:
    case = await scenarios.approved(desk)

    outcome = await outcome_of(case)

    decided = next(body["decision"]["draft"] for kind, body in desk.acts(case) if kind == "person.decision")
    assert outcome.receipt is not None
    assert (outcome.status, outcome.receipt.draft) == ("applied", decided)


@both_databases
async def test_correction_is_checked_and_shown_again_before_it_is_applied(desk: Desk) -> None:
    case = await scenarios.corrected(desk)

    outcome = await outcome_of(case)

    drafts = [body["decision"]["draft"] for kind, body in desk.acts(case) if kind == "person.decision"]
    assert (outcome.status, outcome.decided_by) == ("applied", DEPUTY)
    assert outcome.draft is not None
    assert outcome.draft == drafts[1] != drafts[0]
    assert b'"2748.90"' in desk.parts.blobs.get(outcome.draft)


async def test_rejected_case_writes_nothing(desk: Desk) -> None:
    case = await scenarios.rejected(desk)

    outcome = await outcome_of(case)

    assert (outcome.status, outcome.reasons) == ("rejected", ("never ordered",))
    assert desk.records() == []


async def test_nobody_deciding_expires_at_the_deadline(desk: Desk) -> None:
    case = await scenarios.expired(desk)

    outcome = await outcome_of(case)

    assert outcome.status == "expired"
    assert [kind for kind, _ in desk.acts(case) if kind.startswith("approval.")] == [
        "approval.open",
        "approval.reminded",
    ]


async def test_deadline_hands_the_case_to_the_owner_who_has_a_deadline_too(desk: Desk) -> None:
    case = await scenarios.expired_with_owner(desk)

    outcome = await outcome_of(case)

    handed = next(body for kind, body in desk.acts(case) if kind == "approval.handed")
    assert (outcome.status, handed["approvers"]) == ("expired", [OWNER])


async def test_owner_decides_what_was_handed_over(desk: Desk) -> None:
    case = await scenarios.owner_decided(desk)

    assert (await outcome_of(case)).decided_by == OWNER


async def test_malformed_and_misspelt_signals_are_recorded_and_harm_nothing(desk: Desk) -> None:
    case = await scenarios.malformed_signal(desk)

    outcome = await outcome_of(case)

    assert outcome.status == "applied"
    assert desk.heard(case) == [
        ("person.unreadable", False),
        ("person.unreadable", False),
        ("person.misspelt", False),
        ("person.decision", True),
    ]


async def test_signal_decides_as_an_update_does(desk: Desk) -> None:
    assert (await outcome_of(await scenarios.by_signal(desk))).status == "applied"


@pytest.mark.parametrize(
    ("shape", "status"),
    [(scenarios.unreadable, "unprocessable"), (scenarios.hostile, "rejected"), (scenarios.bad_start, "unprocessable")],
)
async def test_what_nobody_can_approve_ends_at_once_and_says_why(
    desk: Desk, shape: scenarios.Shape, status: str
) -> None:
    case = await shape(desk)

    outcome = await outcome_of(case)

    assert outcome.status == status
    assert outcome.reasons
    assert desk.row(case).outcome == status


@pytest.mark.parametrize("start", [[], [None], ["an invoice"], [b"\x00"], [{}, {}], [{"source": {"digest": "x"}}]])
async def test_bad_start_past_the_starters_ends_unprocessable_and_the_audit_says_so(
    desk: Desk, start: list[object]
) -> None:
    case = await desk.start_with(desk.named("bad"), start)

    outcome = await outcome_of(case)

    assert outcome.status == "unprocessable"
    assert [(fault.seq, "no starter of ours" in fault.problem) for fault in desk.faults(case, outcome)] == [(1, True)]


@pytest.mark.parametrize("shape", [scenarios.cancelled, scenarios.cancelled_while_reading])
async def test_cancelled_case_goes_no_further_and_ends_with_an_outcome(desk: Desk, shape: scenarios.Shape) -> None:
    case = await shape(desk)

    outcome = await outcome_of(case)

    assert outcome.reasons == ("cancelled in Temporal before anything was written",)
    assert (outcome.status, desk.row(case).outcome, desk.records()) == ("failed", "failed", [])


async def test_case_whose_endpoint_failed_for_good_goes_on_without_that_rung_alone(desk: Desk) -> None:
    async with scenarios.with_endpoint(desk, lambda _: httpx2.Response(400)) as failing:
        case = await failing.start(ONLY_TEXT, policy())
        row = await desk.asked(case)
        await case.terminate()

    proposal = desk.parts.cases.view(row).proposal
    assert proposal is not None
    assert (proposal.rung, proposal.after) == (
        "embedded-reader",
        "endpoint: provider.400: the model endpoint answered 400",
    )


async def test_cancellation_loses_nothing_that_people_said(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)

    with writing(desk.parts.engine):  # what is said is being recorded when the cancellation comes
        await case.signal("decide", desk.say(case, "approve", by="mallory"))
        await case.cancel()
    await outcome_of(case)

    assert desk.heard(case) == [("person.decision", False)]


async def test_case_cancelled_as_it_was_written_says_what_was_written(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)
    await desk.decide(case, "approve")
    async with asyncio.timeout(PATIENCE):
        async for event in case.fetch_history_events(wait_new_event=True):
            if event.timer_fired_event_attributes.timer_id:  # it has settled: writing is next
                break
    with writing(desk.parts.engine):
        await case.cancel()

    outcome = await outcome_of(case)
    assert outcome.receipt is not None
    assert (outcome.status, desk.records()) == ("applied", [f"{case.id}:apply"])


async def test_shadow_stage_writes_nothing_and_says_what_it_would_have_done(desk: Desk) -> None:
    outcome = await outcome_of(await scenarios.shadowed(desk))

    assert (outcome.status, outcome.reasons[0]) == ("shadowed", "would be: auto")
    assert desk.records() == []


async def test_supervised_stage_asks_a_person_about_every_case(desk: Desk) -> None:
    case = await desk.start("northwind-paper-RE-2026-0117.pdf", policy(stage="supervised"))

    row = await desk.asked(case)

    assert row.reasons == ["stage supervised"]
    await case.terminate()


async def test_scan_without_text_waits_for_a_person_to_enter_it(desk: Desk) -> None:
    case = await desk.start("scan-2026-06-02-0912.pdf", policy())
    row = await desk.asked(case)
    entered = {
        "supplier": "Morgentau Glaserei GmbH",
        "invoice_number": "883-26",
        "issue_date": "2026-05-29",
        "currency": "EUR",
        "net_amount": "800.00",
        "tax_amount": "152.00",
        "gross_amount": "952.00",
    }

    refused = await desk.decide(case, "approve")
    await desk.decide(case, "correct", corrections=entered)
    await desk.asked(case, times=2)
    await desk.decide(case, "approve")

    assert row.reasons[0] == "nothing could read it: a person enters the fields"
    assert not refused.accepted
    assert (await outcome_of(case)).status == "applied"


@pytest.mark.parametrize("shape", scenarios.SHAPES, ids=lambda shape: shape.__name__)
async def test_audit_of_every_shape_verifies_against_its_outcome(desk: Desk, shape: scenarios.Shape) -> None:
    case = await shape(desk)

    outcome = await outcome_of(case)

    assert desk.faults(case, outcome) == []
    assert [kind for kind, _ in desk.acts(case)].count("case.ended") == 1


@both_databases
async def test_copies_that_come_at_once_are_booked_once_and_asked_about(busy_desk: Desk) -> None:
    invoice = (SAMPLES / "reinwerk-XR-2026-0208.xml").read_bytes()
    copies = [await busy_desk.start(invoice + b"\n" * number, policy()) for number in range(6)]

    statuses = [(await busy_desk.settled(copy)).status for copy in copies]

    assert sorted(statuses) == ["closed", *["waiting"] * 5]
    assert len(busy_desk.records()) == 1


@only_postgresql
async def test_case_goes_on_after_the_database_was_restarted(desk: Desk, postgres: Postgres) -> None:
    case = await desk.start(OVER_LIMIT, policy())
    await desk.asked(case)

    await asyncio.to_thread(postgres.restart)
    reply = await desk.decide(case, "approve")

    assert reply.accepted
    outcome = await outcome_of(case)
    assert outcome.status == "applied"
    assert desk.faults(case, outcome) == []


async def test_same_number_from_the_same_supplier_is_asked_about(desk: Desk) -> None:
    first = await desk.start(OVER_LIMIT, policy(auto_limits={"EUR": 50_000}))
    await outcome_of(first)

    second = await desk.start(OVER_LIMIT, policy(auto_limits={"EUR": 50_000}), key="another-copy")
    row = await desk.asked(second)

    assert any(reason.startswith("invoice.duplicate") for reason in row.reasons)
    await second.terminate()
