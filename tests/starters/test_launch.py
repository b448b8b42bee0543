"""Starting: who submits a case, where that matters."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle

from schemas.case import Outcome
from starters.demo import SAMPLES
from starters.invoice_intake import INVOICE_INTAKE
from starters.launch import Launcher
from starters.refused import Refused
from tests.desk import CLEAN, OVER_LIMIT, OWNER, UNSAMPLED, Desk
from tests.workflows.scenarios import outcome_of
from workers.settings import Settings


def launcher(desk: Desk, folder: Path, person: str) -> Launcher:
    """Under the charter as shipped, but that submitters may not decide their cases, and nobody is drawn at random."""
    shipped = (Settings().charters / f"{INVOICE_INTAKE.name}.yaml").read_text()
    strict = shipped.replace("  approval:\n", "  approval:\n    maker_checker: true\n").replace(*UNSAMPLED)
    (folder / f"{INVOICE_INTAKE.name}.yaml").write_text(strict)
    settings = Settings(home=folder, charters=folder, person=person, task_queue=desk.queue)
    return Launcher(desk.client, desk.parts, settings, INVOICE_INTAKE)


@pytest.mark.parametrize(("person", "why"), [("", "say who submits"), (OWNER, "somebody else must submit")])
async def test_nobody_starts_a_case_that_would_be_left_without_four_eyes(
    desk: Desk, tmp_path: Path, person: str, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        _ = [it async for it in launcher(desk, tmp_path, person).start_all([SAMPLES / CLEAN])]

    assert desk.parts.cases.listing() == []


async def test_case_run_again_by_somebody_else_is_still_that_of_whoever_submitted_it(
    desk: Desk, tmp_path: Path
) -> None:
    ann = launcher(desk, tmp_path, "ann")
    (started,) = [it async for it in ann.start_all([SAMPLES / CLEAN])]
    case = desk.client.get_workflow_handle(started.case)
    await outcome_of(case)
    row = desk.row(case)

    await replace(ann, settings=ann.settings.model_copy(update={"person": "bob"})).rerun(row, "bob", "to see")

    history = await case.fetch_history()
    start = history.events[0].workflow_execution_started_event_attributes.input
    assert b'"submitted_by":"ann"' in start.payloads[0].data
    await outcome_of(case)


@dataclass
class Meanwhile(Interceptor):
    """A start that reaches the server only when something else has happened."""

    happens: Callable[[], Awaitable[object]]

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        happens = self.happens

        class Late(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
                await happens()
                return await super().start_workflow(input)

        return Late(next)


async def test_case_that_ends_while_it_is_started_again_has_ended_and_nothing_is_wrong(
    desk: Desk, tmp_path: Path
) -> None:
    first = launcher(desk, tmp_path, "ann")
    (started,) = [it async for it in first.start_all([SAMPLES / OVER_LIMIT])]
    case = desk.client.get_workflow_handle(started.case, result_type=Outcome)
    await desk.asked(case)

    async def rejected() -> None:
        await desk.decide(case, "reject")
        await outcome_of(case)

    late = Client(**(desk.client.config() | {"interceptors": [Meanwhile(rejected)]}))
    (again,) = [it async for it in replace(first, client=late).start_all([SAMPLES / OVER_LIMIT])]

    assert (again.how, again.problem) == ("ended", "")
