"""A missed target: the owner of a process reads the week's report and says what is done about it."""

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from schemas.case import Outcome, View
    from schemas.finding import Finding
    from schemas.review import MISSED, MissedTarget
    from workflows.case import Case


@workflow.defn(name=MISSED)
class MissedTargetCase:
    def __init__(self) -> None:
        self.case = Case(MISSED, ())

    @workflow.run
    async def run(self, start: RawValue) -> Outcome:
        return await self.case.run(start, MissedTarget, self.take_in)

    async def take_in(self, start: MissedTarget) -> Outcome:
        """Nothing is read and nothing is written: that somebody has seen it, and what they say, is the outcome."""
        found = tuple(Finding(code="target.missed", severity="review", message=words) for words in start.missed)
        view = View(source=start.source, findings=found, reasons=start.missed, draft=start.draft)
        return await self.case.answered(start, view)
