"""What must be true after a run of chaos, as violations in words; none is what everybody wants."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlmodel import Session, select

from schemas.approval import Act
from schemas.tables import CaseRow, ModelCall
from tests.chaos.people import People
from tests.chaos.plan import Document, Plan
from workers.records import Records


def violations(
    plan: Plan,
    records: Records,
    people: People,
    *,
    crm: Mapping[str, Counter[str]],
    asked: int,
    verified: Any,
    running: Sequence[str],
) -> list[str]:
    """What is wrong.

    `crm` has the references that stand in the CRM, by process; `asked` is how often the endpoint was, as it counted;
    `running` is what is still open in Temporal.
    """
    rows = records.cases.listing()
    return [
        *_outcomes(plan, rows),
        *_written(crm, rows),
        *_audited(records, people),
        *_calls(records, asked),
        *(f"the audit: {fault}" for fault in verified["faults"]),
        *(() if verified["against_temporal"] else ("the audit was not compared with Temporal",)),
        *(f"{case} waited without an owner or a deadline" for case in sorted(people.unowned)),
        *running,
    ]


def _outcomes(plan: Plan, rows: Sequence[CaseRow]) -> Iterator[str]:
    """One case for each document, however often it came, with an outcome that is right for it."""
    numbered = {document.number: document for document in plan.documents}
    found = Counter(_document(row, numbered) for row in rows)
    for document in plan.documents:
        if found[document] != 1:
            yield f"{document.file.name} has {found[document]} cases"
    for row in rows:
        known = _document(row, numbered)
        if row.outcome not in (plan.expected(known, row.id) if known else ()):
            yield f"{row.id} ({row.source_name}) is {row.outcome or row.status}, {row.phase!r}: {row.reasons}"


def _document(row: CaseRow, numbered: dict[str, Document]) -> Document | None:
    return numbered.get(row.source_name[:5])


def _written(crm: Mapping[str, Counter[str]], rows: Sequence[CaseRow]) -> Iterator[str]:
    """Each applied case has one record of its own in the CRM, and no other has any."""
    for process, there in crm.items():
        right = {f"{row.id}:apply" for row in rows if row.process == process and row.outcome == "applied"}
        yield from (f"the CRM lacks {ref}" for ref in sorted(right - set(there)))
        yield from (f"the CRM has {ref}, which nobody applied" for ref in sorted(set(there) - right))
        yield from (f"the CRM has {ref} {count} times" for ref, count in there.items() if count > 1)


def _audited(records: Records, people: People) -> Iterator[str]:
    """What a case answered somebody stands in its audit, with that answer."""
    for case, said, reply in people.answered:
        acts = [
            Act.model_validate(body) for link, body in records.audit.entries(case) if link.kind == "person.decision"
        ]
        answers = {act.reply.accepted for act in acts if act.decision and act.decision.id == said.id}
        if reply.accepted not in answers:
            yield f"{case}: {said.by} was answered {reply}, which is not in the audit"


def _calls(records: Records, asked: int) -> Iterator[str]:
    begun = 0
    for case in records.audit.cases():
        begun += sum(link.kind == "model.begun" for link, _ in records.audit.entries(case))
    with Session(records.engine) as session:
        kept = len(session.exec(select(ModelCall.id)).all())
    if begun < asked or kept > begun:
        yield f"the endpoint was asked {asked} times, the audit has {begun} calls, and the ledger {kept}"
