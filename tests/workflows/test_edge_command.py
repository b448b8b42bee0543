"""`casework cases --edge`: of ended cases those that teach most, and as labelled examples just these."""

import json
from pathlib import Path

from activities.observing import Observing
from starters.commands.people import _edges
from starters.labels import write_labels
from starters.shell import Shell
from tests.desk import HOSTILE, Desk, policy
from tests.workflows import scenarios
from tests.workflows.scenarios import outcome_of
from workers.records import Records
from workers.settings import Settings


async def test_edge_cases_are_told_with_why_and_written_alone(desk: Desk, tmp_path: Path) -> None:
    hostile = await desk.start(HOSTILE, policy())
    corrected, straight = await scenarios.corrected(desk), await scenarios.straight_through(desk)
    approved = await scenarios.approved(desk)
    for case in (hostile, corrected, straight, approved):
        await outcome_of(case)
    shell = Shell[Records](Settings(), desk.parts)

    found = _edges(shell)
    count = write_labels(shell, "invoice-intake", policy(), tmp_path / "edges.jsonl", found)

    assert found[hostile.id] == ["hostile, abusive, or addressed to a machine"]
    assert found[corrected.id] == ["what was read disagrees with itself"]
    assert not {straight.id, approved.id} & set(found)
    (line,) = (tmp_path / "edges.jsonl").read_text().splitlines()
    assert (count, json.loads(line)["source"].startswith("edges/")) == (1, True)


async def test_what_a_case_came_to_is_observed_as_it_was_first_read(desk: Desk) -> None:
    case = await scenarios.corrected(desk)
    await outcome_of(case)

    observed = Observing(desk.parts.cases, desk.parts.audit).one(desk.row(case))

    assert (observed.rung, observed.verdict, observed.format) == ("embedded-xml", "ok", "pdf")
    assert (observed.corrected, observed.decided_by) == (("gross_amount",), desk.row(case).decided_by)
    assert observed.confidence == min(observed.confidences.values()) < 1
    assert {act.by for act in observed.acts} >= {observed.decided_by}
    assert len(observed.category) == 12
