"""The commands about the CRM: whether it is as we expect it, and what a case would write there."""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Literal, NamedTuple
from uuid import uuid4

import typer
from pydantic import JsonValue

from activities.crms.port import CrmError, CrmPort, changed
from schemas.case import Draft
from schemas.reconciliation import Report
from starters import screen
from starters.refused import Refused
from starters.scheduling import Every, scheduled
from starters.shell import CaseName, Json, Shell, app, shell
from workers.build import Parts
from workers.temporal import connect
from workflows.reconciliation import NAME

crm_app = typer.Typer(no_args_is_help=True, help="Whether the CRM is as expected, and what a case would write there.")
app.add_typer(crm_app, name="crm")


class Planned(NamedTuple):
    """What writing one record would come to."""

    kind: str
    ref: str
    change: Literal["create", "update", "none"]
    values: Mapping[str, tuple[JsonValue, JsonValue]]
    """What would change: as it is there, and as it would be."""


@crm_app.command("check")
def check(*, as_json: Json = False) -> None:
    """Ask the CRM whether the key is accepted, and whether it has the fields that the mapping names."""
    with shell() as it:
        try:
            described = it.parts.crm.port.describe()
        except CrmError as error:
            raise Refused(f"{error}: look at CASEWORK_CRM_URL and CASEWORK_CRM_KEY") from None
    if as_json:
        screen.print_json(described._asdict())
    else:
        table = screen.listing("record", "value", "goes to", wide="goes to")
        for kind, values in described.kinds.items():
            for name, field in values.items():
                table.add_row(kind, name, screen.plain(field))
        screen.out.print(screen.plain(described.name))
        screen.out.print(table)
    screen.bullets("It does not fit", described.faults)
    if described.faults:
        sys.exit(1)


@crm_app.command("plan")
def plan(case: CaseName, *, as_json: Json = False) -> None:
    """Show what approving the case as it stands would write, beside what is there now."""
    with shell() as it:
        row = it.case(case)
        if not row.draft:
            raise Refused(f"{screen.short(row.id)} has no draft: nothing would be written")
        draft = Draft.model_validate_json(it.parts.blobs.get(row.draft))
        try:
            planned = list(planned_of(it.parts.crm.port, draft))
        except CrmError as error:
            raise Refused(str(error)) from None
    if as_json:
        screen.print_json([one._asdict() for one in planned])
        return
    table = screen.listing("record", "change", "value", "is", "would be", wide="would be")
    for one in planned:
        table.add_row(one.kind, one.change, screen.plain(one.ref), "", "")
        for name, (before, after) in one.values.items():
            table.add_row("", "", name, screen.plain("" if before is None else before), screen.plain(after))
    screen.out.print(table)


@crm_app.command("reconcile")
def reconcile(
    *,
    every: Every = None,
    as_json: Json = False,
) -> None:
    """Compare applied cases with the CRM now, or on a schedule; exit status 1 when something differs."""
    with shell() as it:
        if every is not None:
            asyncio.run(_schedule(it, every))
            return
        report = asyncio.run(_reconciled(it))
    if as_json:
        screen.print_json(report.model_dump())
    else:
        table = screen.listing("case", "record", "what", "fields", wide="fields")
        for one in report.differences:
            table.add_row(screen.short(one.case), one.kind, one.how, screen.plain(", ".join(one.fields)))
        screen.out.print(f"{report.cases} applied cases compared, {report.found} differences")
        if report.found:
            screen.out.print(table)
    if report.found:
        sys.exit(1)


async def _reconciled(it: Shell[Parts]) -> Report:
    client = await connect(it.settings)
    report: Report = await client.execute_workflow(
        NAME, Report(), id=f"{NAME}/{uuid4().hex}", task_queue=it.settings.task_queue, result_type=Report
    )
    return report


async def _schedule(it: Shell[Parts], every: timedelta) -> None:
    await scheduled(await connect(it.settings), NAME, Report(), it.settings.task_queue, every)
    if every:
        screen.out.print(f"applied cases are compared with the CRM every {screen.span(every)}; differences are audited")
    else:
        screen.out.print("nothing is compared on a schedule any more")


def planned_of(port: CrmPort, draft: Draft) -> Iterator[Planned]:
    for record in draft.records:
        there = port.read(record.kind, record.ref)
        values, before = {**record.values, **record.links}, there or {}
        would = {name: (before.get(name), values[name]) for name in changed(record, before)}
        yield Planned(record.kind, record.ref, "create" if there is None else "update" if would else "none", would)
