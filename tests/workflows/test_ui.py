"""What the Temporal UI needs: it offers only those messages that a case says it takes."""

from temporalio.api.sdk.v1 import WorkflowMetadata

from tests.desk import OVER_LIMIT, Desk, policy


async def test_waiting_case_offers_decide_and_shows_its_card(desk: Desk) -> None:
    case = await desk.start(OVER_LIMIT, policy())
    row = await desk.asked(case)

    shown: WorkflowMetadata = await case.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)

    offered = [one.name for one in (*shown.definition.update_definitions, *shown.definition.signal_definitions)]
    assert offered.count("decide") == 2
    assert row.draft
    assert row.draft in shown.current_details
    await case.terminate()
