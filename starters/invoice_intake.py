"""Start invoice intake: `python -m starters.invoice_intake FILE_OR_FOLDER…` is `casework start invoice-intake …`."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from schemas.charter import Charter
from schemas.invoice import FIELDS, Intake
from schemas.message import Message
from schemas.policy import InvoicePolicy
from schemas.scoring import Judged, Labelled
from schemas.source import Source
from starters.launch import Measure, Process
from workflows.invoice_intake import NAME


def intake(source: Source, policy: InvoicePolicy, by: str) -> Message:
    return Intake(source=source, policy=policy, submitted_by=by)


def judging(measure: Measure) -> AbstractContextManager[Callable[[Labelled], Judged]]:
    from activities.questions import INVOICE
    from activities.rules import invoice_findings
    from starters.commands.evaluate import judging as judging_documents

    today = datetime.now(UTC).date()
    return judging_documents(INVOICE, lambda proposal, policy: invoice_findings(proposal, policy, today), measure)


INVOICE_INTAKE: Process = Process(
    name=NAME, charter=Charter[InvoicePolicy], intake=intake, fields=FIELDS, judging=judging
)

if __name__ == "__main__":
    from starters.entry import main

    sys.argv[1:1] = ["start", NAME]
    main()
