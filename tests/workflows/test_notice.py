"""Notices beside a case: never in its way, sent once however often it takes, and without a secret in any history."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from socket import create_server
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from activities.proof import code_for
from schemas.opening import CodeFor, Telling, Told
from schemas.policy import InvoicePolicy
from tests.desk import CLEAN, CLERK, OVER_LIMIT, PATIENCE, Case, Desk, approval, policy
from tests.receivers import SECRET, Receiver, receiving
from tests.servers import free_port
from tests.workflows.beside import notice_given_up
from tests.workflows.scenarios import outcome_of
from tests.workflows.test_approval import reset_to_first_task
from workers.build import NOTICES, THREADS, build_worker, built
from workers.replay import replay
from workers.settings import BadSettings, Settings
from workers.temporal import plugin


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def addresses(tmp_path: Path) -> Path:
    return tmp_path / "addresses.conf"


@pytest.fixture
async def desk(server: WorkflowEnvironment, tmp_path: Path, addresses: Path, receiver: Receiver) -> AsyncIterator[Desk]:
    """A desk whose clerk is told at the receiver."""
    addresses.write_text(f"{CLERK}={receiver.url}\n")
    client = await Client.connect(server.client.service_client.config.target_host, plugins=[plugin()], identity="tests")
    with built(Settings(home=tmp_path, ocr=False, notices=addresses)) as parts:
        queue = uuid4().hex
        async with build_worker(client, queue, parts, rehearsal=False):
            yield Desk(client, server.client, parts, queue)


def telling(*notices: str) -> InvoicePolicy:
    return policy(approval=approval(notices=notices))


async def notices_of(desk: Desk, case: Case, least: int = 0) -> list[WorkflowHandle[object, Told]]:
    """The notices that a case started, as its history names them, once there are so many."""
    found: dict[str, None] = {}
    async with asyncio.timeout(PATIENCE):
        async for event in case.fetch_history_events(wait_new_event=least > 0):
            started = event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
            found |= {started: None} if started else {}
            if least and len(found) == least:
                break
    return [desk.client.get_workflow_handle(name, result_type=Told) for name in found]


async def told(desk: Desk, case: Case) -> list[Told]:
    return [await notice.result() for notice in await notices_of(desk, case)]


@pytest.mark.parametrize("refusals", [[], [503, 503]])
async def test_notice_is_sent_once_however_often_it_was_refused(
    desk: Desk, receiver: Receiver, refusals: list[int]
) -> None:
    receiver.refusals = refusals
    case = await desk.start(OVER_LIMIT, telling("assignment"))
    await desk.asked(case)
    await desk.decide(case, "approve")
    await outcome_of(case)

    told_now = await told(desk, case)

    assert sorted(it.sent for it in told_now) == [False, True]  # the deputy has no address
    assert len(receiver.taken) == 1


async def asked(desk: Desk, *notices: str) -> Case:
    case = await desk.start(OVER_LIMIT, telling(*notices or ("assignment",)))
    await desk.asked(case)
    return case


async def told_after(desk: Desk, case: Case) -> list[Told]:
    await desk.decide(case, "approve")
    await outcome_of(case)
    return await told(desk, case)


async def failed(desk: Desk, case: Case, how_many: str = "1 of 1") -> None:
    """Once one of its notices could not be sent."""
    async with asyncio.timeout(PATIENCE):
        while not any(body.get("problem") == f"{how_many} addresses did not take it" for _, body in desk.acts(case)):
            await case.describe()


async def test_notice_to_an_address_that_comes_back_is_sent(desk: Desk, addresses: Path) -> None:
    port = free_port()
    addresses.write_text(f"{CLERK}=json://127.0.0.1:{port}\n")
    case = await asked(desk)
    await failed(desk, case)

    with receiving(port) as back:
        await told_after(desk, case)

    assert len(back.taken) == 1


async def test_address_that_took_it_is_left_out_while_another_is_tried_again_wherever_it_stands_by_then(
    desk: Desk, addresses: Path, receiver: Receiver
) -> None:
    with receiving() as other:
        other.refusals = [503, 503]
        addresses.write_text(f"{CLERK}={receiver.url}\n{CLERK}={other.url}\n")
        case = await asked(desk)
        await failed(desk, case, "1 of 2")
        addresses.write_text(f"{CLERK}={other.url}\n{CLERK}={receiver.url}\n")

        await told_after(desk, case)

    assert (receiver.attempts, other.attempts) == (1, 3)


async def test_case_ends_while_its_notice_is_still_refused(desk: Desk, receiver: Receiver) -> None:
    receiver.refusals = [503, 503]
    case = await asked(desk)

    await desk.decide(case, "approve")

    assert (await outcome_of(case)).status == "applied"
    assert receiver.taken == []
    assert any(it.sent for it in await told(desk, case))


async def test_notice_has_nothing_of_the_document(desk: Desk, receiver: Receiver) -> None:
    case = await asked(desk)
    proposal = desk.parts.cases.view(desk.row(case)).proposal
    await told_after(desk, case)

    (notice,) = receiver.taken
    assert proposal is not None
    told_of = ("supplier", "invoice_number", "issue_date", "net_amount", "tax_amount", "gross_amount", "currency")
    values = [value for name in told_of if (value := proposal.fields[name].value)]
    assert len(values) == len(told_of)
    assert [value for value in values if value in str(notice)] == []


async def test_codes_and_addresses_stand_in_no_history(desk: Desk, addresses: Path, receiver: Receiver) -> None:
    receiver.refusals = [503]
    case = await asked(desk)
    draft = desk.row(case).draft
    one = Telling(
        case=case.id, kind="assignment", people=(CLERK,), step="legal", opening=1, draft=draft, with_code=True
    )
    code = code_for(
        desk.parts.notices.code_key,
        CodeFor(case=case.id, person=CLERK, step="legal", opening=1, draft=draft or ""),
    )

    notice = await desk.client.start_workflow("notice", one, id=f"{case.id}/n", task_queue=desk.queue, result_type=Told)
    sent = await notice.result()

    history = (await notice.fetch_history()).to_json()
    assert sent.sent
    assert code in str(receiver.taken)
    assert SECRET not in history
    assert code not in history


async def test_notice_that_is_given_up_ends_and_is_audited(desk: Desk) -> None:
    given_up = await (await notice_given_up(desk)).result()

    problem = "given up: it could not be sent for too long"
    assert (given_up.sent, given_up.problem) == (False, problem)
    kinds = [(link.kind, (body or {})["problem"]) for link, body in desk.parts.audit.entries(desk.named("given-up"))]
    assert kinds == [("notice.failed", problem)]


@pytest.mark.parametrize("start", [None, "a word", {"kind": "party"}, Telling(case="a/b", kind="breach", people=())])
async def test_start_that_is_no_notice_ends_quietly(desk: Desk, start: object) -> None:
    notice = await desk.client.start_workflow(
        "notice", start, id=desk.named("no-notice"), task_queue=desk.queue, result_type=Told
    )

    assert not (await notice.result()).sent


async def test_reset_case_does_not_tell_people_twice(desk: Desk, receiver: Receiver) -> None:
    case = await asked(desk)
    before = [await notice.result() for notice in await notices_of(desk, case, 2)]

    again = await reset_to_first_task(desk, case)
    await desk.asked(again)

    assert (await told_after(desk, again), len(before)) == ([], 2)
    assert len(receiver.taken) == 1


async def test_reset_case_does_not_tell_people_twice_while_they_are_still_being_told(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.refusals = [503] * 3
    case = await asked(desk)
    notices = await notices_of(desk, case, 2)

    again = await reset_to_first_task(desk, case)
    await desk.asked(again)
    await told_after(desk, again)

    assert any([(await notice.result()).sent for notice in notices])
    assert len(receiver.taken) == 1


async def test_rerun_case_tells_people_again(desk: Desk, receiver: Receiver) -> None:
    case = await asked(desk)
    await told_after(desk, case)

    again = await asked(desk)

    assert again.id == case.id
    await told_after(desk, again)
    assert len(receiver.taken) == 2


async def test_case_that_told_people_replays(desk: Desk) -> None:
    case = await asked(desk)
    await told_after(desk, case)

    assert not (await replay(await case.fetch_history())).failed


async def test_notices_that_hang_do_not_hold_up_cases(desk: Desk, addresses: Path) -> None:
    with create_server(("127.0.0.1", 0), backlog=128) as silent:  # takes every connection, and never answers
        addresses.write_text(f"{CLERK}=json://127.0.0.1:{silent.getsockname()[1]}/?rto=9\n")
        for number in range(NOTICES + THREADS):
            one = Telling(case=desk.named(str(number)), kind="breach", people=(CLERK,))
            await desk.client.start_workflow("notice", one, id=f"{one.case}/n", task_queue=desk.queue)

        case = await desk.start(CLEAN, policy())

        assert (await asyncio.wait_for(case.result(), 8)).status == "applied"


async def test_worker_does_not_start_on_addresses_that_are_not_understood(desk: Desk, addresses: Path) -> None:
    addresses.write_text("prose\n")

    with pytest.raises(BadSettings, match="CASEWORK_NOTICES"):
        async with build_worker(desk.client, "any", desk.parts):
            pass
