"""Start invoice intake: `python -m starters.invoice_intake FILE_OR_FOLDER…` is `casework start invoice-intake …`."""

import sys

from schemas.charter import Charter
from schemas.invoice import Intake
from schemas.message import Message
from schemas.policy import InvoicePolicy
from schemas.source import Source
from starters.launch import Process
from workflows.invoice_intake import NAME


def intake(source: Source, policy: InvoicePolicy, by: str) -> Message:
    return Intake(source=source, policy=policy, submitted_by=by)


INVOICE_INTAKE: Process = Process(name=NAME, charter=Charter[InvoicePolicy], intake=intake)

if __name__ == "__main__":
    from starters.command import main

    sys.argv[1:1] = ["start", NAME]
    main()
