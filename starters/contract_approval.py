"""Start contract approval: `python -m starters.contract_approval FILE…` is `casework start contract-approval …`."""

import sys

from schemas.charter import Charter
from schemas.contract import Intake
from schemas.message import Message
from schemas.policy import ContractPolicy
from schemas.source import Source
from starters.launch import Process
from workflows.contract_approval import NAME


def intake(source: Source, policy: ContractPolicy, by: str) -> Message:
    return Intake(source=source, policy=policy, submitted_by=by)


CONTRACT_APPROVAL: Process = Process(name=NAME, charter=Charter[ContractPolicy], intake=intake)

if __name__ == "__main__":
    from starters.command import main

    sys.argv[1:1] = ["start", NAME]
    main()
