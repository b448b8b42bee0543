"""Request triage at the desk: messages of a sentence or two, and a case of the charter as it is shipped."""

from schemas.case import Outcome
from schemas.mail import Mail
from schemas.message import digest_of
from schemas.policy import RequestPolicy
from schemas.source import Source
from schemas.triage import Intake
from starters.request_triage import REQUEST_TRIAGE
from starters.start_input import start_of
from tests.desk import Case, Desk
from workers.settings import Settings
from workflows.request_triage import NAME

SERVICE = "service-desk"
SENDER = "Ada Finch <ada@finch-labs.example>"
COMPLETE = "Where is our order HL-20418? It should have been delivered on Monday."
INCOMPLETE = "Where is our order? It should have been delivered on Monday."
NONE = "Our school class would like to visit your factory in autumn."


async def start(desk: Desk, text: str, *, message_id: str = "", answers: Case | None = None, **changes: object) -> Case:
    """Start one message; it may answer that of another case."""
    policy: RequestPolicy = REQUEST_TRIAGE.load_charter(Settings()).policy
    mail = Mail(subject="A request", sender=SENDER, text=text, message_id=message_id)
    data = mail.model_copy(update={"message_id": ""}).model_dump_json().encode()
    sent = desk.parts.blobs.put(mail.model_dump_json().encode())
    case, root = f"{NAME}/{digest_of(data)}-{desk.queue[:8]}", answers.id if answers else ""
    desk.parts.threads.enter(case, mail, root)
    thread = desk.parts.threads.before(root, case) if root else None
    source = Source(digest=desk.parts.blobs.put(data), name="message.eml", size=len(data), mail=sent, thread=thread)
    intake = Intake(source=source, policy=policy.model_copy(update=changes), submitted_by="tester")
    desk.parts.cases.open(case, source, "tester", start_of(desk.client, intake).digest)
    return await desk.client.start_workflow(
        NAME,
        intake,
        id=case,
        task_queue=desk.queue,
        result_type=Outcome,
    )


def codes(desk: Desk, case: Case) -> list[str]:
    return [finding.code for finding in desk.parts.cases.view(desk.row(case)).findings]


def ticket(desk: Desk, case: Case) -> dict[str, object]:
    found = desk.parts.crm.port.read("ticket", f"{case.id}:apply")
    assert found is not None
    return dict(found)
