"""Start contract approval: `python -m starters.contract_approval FILE…` is `casework start contract-approval …`."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

from schemas.charter import Charter
from schemas.contract import FIELDS, Intake
from schemas.message import Message
from schemas.policy import ContractPolicy
from schemas.scoring import Judged, Labelled
from schemas.source import Source
from starters.launch import Measure, Process
from workflows.contract_approval import NAME


def intake(source: Source, policy: ContractPolicy, by: str) -> Message:
    return Intake(source=source, policy=policy, submitted_by=by)


def judging(measure: Measure) -> AbstractContextManager[Callable[[Labelled], Judged]]:
    from activities.contract_rules import contract_findings
    from activities.questions import CONTRACT
    from starters.commands.evaluate import judging as judging_documents

    return judging_documents(CONTRACT, contract_findings, measure)


CONTRACT_APPROVAL: Process = Process(
    name=NAME, charter=Charter[ContractPolicy], intake=intake, fields=FIELDS, judging=judging
)

if __name__ == "__main__":
    from starters.entry import main

    sys.argv[1:1] = ["start", NAME]
    main()
