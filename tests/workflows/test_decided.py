"""What people decided, as labels: unchanged is right, corrected is wrong, and what nobody looked at is neither."""

from pathlib import Path

import pytest

from activities.erasure import Eraser
from activities.learning.decided import Decided, Decision
from schemas.invoice import FIELDS
from schemas.routing import SAMPLED
from starters.commands.evaluate import labelled_in
from starters.labels import write_labels
from starters.refused import Refused
from starters.shell import Shell
from tests.desk import CLEAN, DISAGREEING, Case, Desk, policy
from tests.workflows import scenarios
from tests.workflows.scenarios import outcome_of
from workers.settings import Settings


def decisions(desk: Desk) -> dict[str, Decision]:
    found = Decided(desk.parts.cases, desk.parts.audit).of("invoice-intake", policy())
    return {decision.row.id: decision for decision in found}


async def decided(desk: Desk, case: Case) -> Decision:
    await outcome_of(case)
    return decisions(desk)[case.id]


async def test_what_was_approved_unchanged_is_right(desk: Desk) -> None:
    found = await decided(desk, await scenarios.approved(desk))

    assert found.label.expected["invoice_number"] == "RE-26-3310"
    assert found.label.expected == {name: field.value for name, field in found.judged.fields.items()}


async def test_what_was_corrected_is_wrong_as_it_was_read(desk: Desk) -> None:
    found = await decided(desk, await scenarios.corrected(desk))

    read = {name: field.value for name, field in found.judged.fields.items()}
    assert found.label.expected["gross_amount"] == "2748.90"
    assert {name for name, value in found.label.expected.items() if read[name] != value} == {"gross_amount"}
    assert found.judged.rung == "embedded-xml"
    assert found.judged.signals["gross_amount"]["finding"] == 1.0


async def test_what_nobody_looked_at_or_was_rejected_is_no_label(desk: Desk) -> None:
    for case in (await scenarios.straight_through(desk), await scenarios.rejected(desk)):
        await outcome_of(case)

    assert decisions(desk) == {}


async def test_erased_case_is_no_label_any_more(desk: Desk) -> None:
    case = await scenarios.approved(desk)
    await outcome_of(case)

    Eraser(desk.parts.audit, desk.parts.blobs).erase(case.id, "privacy", "asked")

    assert decisions(desk) == {}


async def approved(desk: Desk, sample: str, **changes: object) -> Case:
    case = await desk.start(sample, policy(**changes))
    await desk.asked(case)
    await desk.decide(case, "approve")
    return case


async def test_sampled_case_goes_to_a_person_though_it_could_go_straight_through(desk: Desk) -> None:
    case = await desk.start(CLEAN, policy(sample_share=1.0))

    row = await desk.asked(case)

    assert [reason.partition(":")[0] for reason in row.reasons] == [SAMPLED]


async def test_sampled_case_stands_for_all_and_may_test_a_threshold(desk: Desk) -> None:
    assert (await decided(desk, await approved(desk, CLEAN, sample_share=1.0))).judged.clean


async def test_case_that_a_person_saw_for_doubt_alone_teaches_but_tests_nothing(desk: Desk) -> None:
    doubtful = await approved(desk, CLEAN, min_confidence=1.0)

    assert not (await decided(desk, doubtful)).judged.clean


async def test_where_people_see_every_case_each_may_test_a_threshold(desk: Desk) -> None:
    assert (await decided(desk, await approved(desk, CLEAN, stage="supervised"))).judged.clean


async def test_case_with_a_finding_tests_nothing_in_any_stage(desk: Desk) -> None:
    case = await desk.start(DISAGREEING, policy(stage="supervised"))
    await desk.asked(case)
    await desk.decide(case, "correct", corrections={"gross_amount": "2748.90"})
    await desk.asked(case, times=2)
    await desk.decide(case, "approve")

    assert not (await decided(desk, case)).judged.clean


async def test_decided_case_becomes_a_line_that_evaluate_reads_with_its_document(desk: Desk, tmp_path: Path) -> None:
    case = await scenarios.corrected(desk)
    await outcome_of(case)
    file = tmp_path / "labels" / "decided.jsonl"
    file.parent.mkdir()

    count = write_labels(Shell(Settings(), desk.parts), "invoice-intake", policy(), file)

    (label,) = labelled_in(file, FIELDS)
    assert count == 1
    assert label.expected["gross_amount"] == "2748.90"
    assert label.source is not None
    assert (file.parent / label.source).read_bytes() == desk.parts.blobs.get(desk.row(case).source)


def test_file_that_is_there_is_not_written_over(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "decided.jsonl"
    file.write_text("mine")

    with pytest.raises(Refused, match="is there already"):
        write_labels(Shell(Settings(), desk.parts), "invoice-intake", policy(), file)

    assert file.read_text() == "mine"
