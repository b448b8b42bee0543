"""Which of our workflows are open, paused ones too, which the SDK cannot list."""

from collections.abc import AsyncIterator

from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client

QUERY = "CaseworkProcess IS NOT NULL AND (ExecutionStatus = 'Running' OR ExecutionStatus = 'Paused')"


async def open_cases(client: Client) -> AsyncIterator[str]:
    """The ids of all of them, as the server's index knows them: a case of this second may still be missing."""
    request = ListWorkflowExecutionsRequest(namespace=client.namespace, query=QUERY)
    while True:
        page = await client.workflow_service.list_workflow_executions(request)
        for found in page.executions:
            yield found.execution.workflow_id
        if not page.next_page_token:
            return
        request.next_page_token = page.next_page_token
