"""Contract approval at the desk: contracts of a few sentences, and a case of the charter as it is shipped."""

from schemas.case import Outcome
from schemas.contract import Intake
from schemas.message import digest_of
from schemas.policy import ContractPolicy
from schemas.source import Source
from starters.contract_approval import CONTRACT_APPROVAL
from starters.start_input import start_of
from tests.desk import Case, Desk
from tests.word import docx, paragraph
from workers.settings import Settings
from workflows.contract_approval import NAME

SMALL = {
    "parties": "This Agreement is between Aldermere Instruments GmbH and Tern Analytics Ltd (Supplier).",
    "term": "It is effective as of 1 March 2026 for an initial term of twelve months.",
    "value": "The total contract value is EUR 6,000.00.",
    "liability": "The Supplier's liability shall not exceed EUR 50,000.00.",
    "data": "The Supplier receives no personal data.",
    "law": "This Agreement is governed by the laws of Ireland.",
}
LARGE = {
    "value": "The total contract value is EUR 240,000.00.",
    "data": "The Supplier processes personal data under a data processing agreement.",
}
PENALTY = "The Customer shall pay a penalty of EUR 10,000 for each day of delay."


def contract(changes: dict[str, str] | None = None) -> bytes:
    return docx("".join(paragraph(text) for text in (SMALL | (changes or {})).values()))


async def start(desk: Desk, data: bytes) -> Case:
    policy: ContractPolicy = CONTRACT_APPROVAL.load_charter(Settings()).policy
    source = Source(digest=desk.parts.blobs.put(data), name="contract.docx", size=len(data))
    case = f"{NAME}/{digest_of(data)}-{desk.queue[:8]}"
    intake = Intake(source=source, policy=policy, submitted_by="tester")
    desk.parts.cases.open(case, source, "tester", start_of(desk.client, intake).digest)
    return await desk.client.start_workflow(
        NAME,
        intake,
        id=case,
        task_queue=desk.queue,
        result_type=Outcome,
    )


async def asked(desk: Desk, case: Case, step: str) -> set[str]:
    return set((await desk.at_step(case, step)).approvers)
