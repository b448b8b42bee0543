"""Threads: which case a message goes on with, by the messages that it says it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr

from sqlmodel import Session, col, select
from temporalio import activity

from activities.audit import Audit
from activities.cases import Cases
from activities.store import Altered, reading, writing
from schemas.mail import Mail
from schemas.message import Digest, digest_of
from schemas.source import Source, Thread
from schemas.tables import CaseRow, ThreadMessage
from schemas.triage import CATEGORY

NO_THREAD = Thread(root="", case="", messages=())
MOST = 10
"""Messages of a thread that are read again with a new one: the first and the newest."""


@dataclass(frozen=True)
class Threads:
    cases: Cases
    audit: Audit

    def root_of(self, mail: Mail) -> str:
        """The first case of the thread that a mail goes on with, or empty.

        Who writes from another address begins a thread of their own: an id in a mail proves nothing.
        """
        with reading(self.cases.engine) as session:
            rows = [row for message in mail.answers if (row := session.get(ThreadMessage, name_of(message)))]
            firsts = [session.get(CaseRow, root) for root in dict.fromkeys(row.thread for row in rows)]
        return next((first.id for first in firsts if first and self._sender(first) == _address(mail) != ""), "")

    def _sender(self, row: CaseRow) -> str:
        try:
            return _address(Mail.model_validate_json(self.cases.blobs.get(row.source)))
        except (FileNotFoundError, Altered):  # erased
            return ""

    def before(self, root: str, case: str) -> Thread | None:
        """How a thread stands for one more case, which may be entered already."""
        entered = select(ThreadMessage).where(ThreadMessage.thread == root).order_by(col(ThreadMessage.at))
        with reading(self.cases.engine) as session:
            known = tuple(dict.fromkeys(row.case_id for row in session.exec(entered)))
            earlier = known[: known.index(case)] if case in known else known
            rows = [row for name in earlier if (row := session.get(CaseRow, name)) and row.source]
        if not rows:
            return None
        category, confidence = self._filed(rows)
        return Thread(
            root=root,
            case=rows[-1].id,
            open=tuple(row.id for row in rows if row.status != "closed"),
            messages=tuple(row.source for row in (rows if len(rows) <= MOST else [rows[0], *rows[1 - MOST :]])),
            category=category,
            confidence=confidence,
        )

    def _filed(self, rows: list[CaseRow]) -> tuple[str, float]:
        """The category of the newest that was applied, and how sure that is."""
        applied = next((row for row in reversed(rows) if row.outcome == "applied" and row.view), None)
        try:
            proposal = self.cases.view(applied).proposal if applied else None
        except (FileNotFoundError, Altered):  # being erased, or 'casework audit verify' tells
            proposal = None
        found = proposal.fields.get(CATEGORY) if proposal else None
        return (found.value or "", found.confidence) if found else ("", 0)

    def enter(self, case: str, mail: Mail, root: str) -> None:
        """Write down which thread a case goes on with, before it is started; again changes nothing."""
        with writing(self.cases.engine, case) as session:
            for name in filter(None, (case, mail.message_id)):  # two mails may say that they have one id
                note(session, name, case, root or case)

    @activity.defn(name="threads.newer")
    def newer(self, case: str) -> str:
        """The newest case that goes on with this one, unless that came to nothing; or empty."""
        return next((row.id for row in self.later(case) if row.status != "closed" or row.outcome == "applied"), "")

    def later(self, case: str) -> Sequence[CaseRow]:
        """The cases that were entered with this one's message before theirs, newest first."""
        with reading(self.cases.engine) as session:
            row = session.get(CaseRow, case)
            theirs = select(ThreadMessage.thread).where(ThreadMessage.case_id == case)
            known = select(ThreadMessage.case_id).where(col(ThreadMessage.thread).in_(theirs))
            others = select(CaseRow).where(col(CaseRow.id).in_(known), CaseRow.id != case)
            found = session.exec(others.order_by(col(CaseRow.started_at).desc())).all()
        return [other for other in found if row and row.source in self._read_by(other.id)]

    def _read_by(self, case: str) -> Sequence[Digest]:
        """The messages that a case was entered with, beside its own."""
        _, body = next(iter(self.audit.entries(case)), (None, None))
        source = (body or {}).get("source")
        return (Source.model_validate(source).thread or NO_THREAD).messages if source else ()


def note(session: Session, message: str, case: str, root: str) -> None:
    """That this message belongs to that case, unless one of the same id is known."""
    if session.get(ThreadMessage, name_of(message)) is None:
        session.add(ThreadMessage(id=name_of(message), case_id=case, thread=root, at=datetime.now(UTC)))


def note_answer(session: Session, message: str, case: str) -> None:
    """That this mail of ours belongs to a case: what answers it goes on with that one's thread."""
    theirs = session.exec(select(ThreadMessage.thread).where(ThreadMessage.case_id == case)).first()
    note(session, message, case, theirs or case)


def name_of(message: str) -> Digest:
    """What stands in the table for a Message-ID, which may name people."""
    return digest_of(message.encode())


def _address(mail: Mail) -> str:
    return parseaddr(mail.sender)[1].casefold()
