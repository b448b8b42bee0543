"""Reconciliation: whether the CRM still has what applied cases wrote, page by page, once or on a schedule."""

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.reconciler import Reconciler
    from schemas.reconciliation import Page, Report
    from workflows.options import CRM_LOOK
    from workflows.payload import parsed

NAME = "crm-reconciliation"


@workflow.defn(name=NAME)
class Reconciliation:
    @workflow.run
    async def run(self, start: RawValue) -> Report:
        report = parsed(start, Report) or Report()
        while True:
            page = Page(after=report.after)
            report = report.extended(await workflow.execute_activity_method(Reconciler.compare, page, **CRM_LOOK))
            if not report.after:
                return report
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(args=[report])
