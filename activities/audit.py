"""The audit: entries are appended here and nowhere else, sealed under a key of their case."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import ValidationError
from sqlalchemy import Connection, Engine, bindparam
from sqlmodel import Session, SQLModel, col, select
from temporalio import activity

from activities.counters import counted
from activities.store import hold, reading, writing
from schemas.approval import Act, ActsRequest
from schemas.audit import GENESIS, Fault, Head, Link, faults
from schemas.tables import Approver, AuditEntry, AuditHead, BrakeRow, CaseKey, CaseRow

Body = Mapping[str, object]
Remark = Mapping[str, str]
ENTRIES, HEADS, KEYS = (SQLModel.metadata.tables[kind.__tablename__] for kind in (AuditEntry, AuditHead, CaseKey))
HEAD = select(HEADS.c.seq, HEADS.c.digest).where(HEADS.c.case_id == bindparam("case")).with_for_update()
KEY = select(KEYS.c.key).where(KEYS.c.case_id == bindparam("case"))
ENTER = ENTRIES.insert()
EXTEND = HEADS.update().where(HEADS.c.case_id == bindparam("case"))
NONCE = 12
BEGUN = "case.started"
"""The first entry of every case that a starter entered; whoever starts one past them has no way to write it."""
DIRECTORY, ENDPOINTS, STAGE, ERASURES, REVIEWS = "directory/", "endpoint/", "stage/", "erasures/", "review/"
"""Chains that are not of cases: of people, by whom entered and revoked; of endpoints, when and why left alone; of
processes, who pulled their brake and who released it, who had which case erased, and what weekly reviews came to."""
OF_NO_CASE = (DIRECTORY, ENDPOINTS, STAGE, ERASURES, REVIEWS)


def append(session: Session, case: str, kind: str, body: Body) -> Head:
    """Extend the case's chain by one entry, in the caller's transaction.

    In statements made once: this runs several times a case, and objects of the rows would cost twice as much.
    """
    connection = session.connection()
    head = connection.execute(HEAD, {"case": case}).first()
    if head is None:
        hold(connection, case)  # another may have begun the chain by now
        head = connection.execute(HEAD, {"case": case}).first()
    seq, previous = head or _last(connection, case)
    identity, at = str(uuid4()), datetime.now(UTC).isoformat()
    link = Link(
        id=identity,
        case=case,
        seq=seq + 1,
        at=at,
        kind=kind,
        sealed=_seal(_key(connection, case), body, identity),
        previous=previous,
        digest=GENESIS,
    )
    extended = Head(seq=link.seq, digest=link.digest_now())
    entry = {**link.model_dump(exclude={"case"}), "case_id": case, "digest": extended.digest}
    connection.execute(ENTER, entry)
    if head:
        connection.execute(EXTEND, {"case": case, **extended.model_dump()})
    else:
        connection.execute(HEADS.insert(), {"case_id": case, **extended.model_dump()})
    counted(case, kind, body)
    return extended


def ends_with(session: Session, case: str, kind: str, body: Body) -> Head | None:
    """The head of the chain, if this is what its last entry says: a workflow task that is redone says it again."""
    entries = select(AuditEntry).where(AuditEntry.case_id == case)
    last = session.exec(entries.order_by(col(AuditEntry.seq).desc())).first()
    if last is None or last.kind != kind or _unsealed(session.get(CaseKey, case), last) != body:
        return None
    return Head(seq=last.seq, digest=last.digest)


def _last(connection: Connection, case: str) -> tuple[int, str]:
    """Where a new chain begins; or where one ends whose head somebody removed: the case goes on, verifying tells."""
    entries = select(ENTRIES.c.seq, ENTRIES.c.digest).where(ENTRIES.c.case_id == case)
    last = connection.execute(entries.order_by(ENTRIES.c.seq.desc())).first()
    return (last.seq, last.digest) if last else (0, GENESIS)


def _key(connection: Connection, case: str) -> bytes:
    row, fresh = connection.execute(KEY, {"case": case}).first(), AESGCM.generate_key(256)
    if row is None:
        connection.execute(KEYS.insert(), {"case_id": case, "key": fresh})
        return fresh
    key: bytes | None = row.key
    return key or fresh  # kept nowhere: what is added to an erased case is erased too


def _seal(key: bytes, body: Body, identity: str) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, json.dumps(body).encode(), identity.encode())


@dataclass(frozen=True)
class Audit:
    engine: Engine

    @activity.defn(name="audit.acts")
    def acts(self, request: ActsRequest) -> Head:
        """Record what people did to a case, in the order it was heard."""
        with writing(self.engine, request.case) as session:
            heads = [
                append(session, request.case, f"person.{act.kind}", act.model_dump(mode="json")) for act in request.acts
            ]
        return heads[-1]

    def record(self, case: str, kind: str, body: Body) -> Head:
        """An entry in a transaction of its own, for acts on the outside world."""
        with writing(self.engine, case) as session:
            return append(session, case, kind, body)

    def entries(self, case: str) -> list[tuple[Link, Body | None]]:
        """A case's chain with readable bodies; None where the key was erased or the entry altered."""
        with reading(self.engine) as session:
            found = self._rows(session, case)
            key = session.get(CaseKey, case)
        return [(Link.model_construct(**row.model_dump(), case=case), _unsealed(key, row)) for row in found]

    def remarks(self, case: str) -> list[Remark]:
        """What people said about a case beside their votes: who, when, in which words."""
        said = {}  # by id, since an act that was written down in a task that failed is written down again
        for link, body in self.entries(case):
            act = Act.model_validate(body) if body and link.kind == "person.decision" else None
            if act and act.decision and act.decision.verdict == "comment" and act.reply.accepted:
                said[act.decision.id or link.id] = {"by": act.by, "at": link.at[:16], "note": act.decision.note}
        return list(said.values())

    def erased(self, case: str) -> bool:
        with reading(self.engine) as session:
            row = session.get(CaseKey, case)
        return row is not None and row.key is None

    def why_erased(self, case: str) -> Remark | None:
        """Who had a case erased, and why: kept apart from its own chain, which nobody can read any more."""
        told = (body for _, body in self.entries(f"{ERASURES}{case.partition('/')[0]}") if body)
        found = (body for body in told if body["case"] == case)
        return {name: str(value) for name, value in next(found, {}).items()} or None

    def verify(self, case: str, heads: Sequence[Head] = ()) -> list[Fault]:
        """What is wrong with a case's chain, seen against its row, its head and the heads told to others."""
        with reading(self.engine) as session:
            rows = self._rows(session, case)
            head = session.get(AuditHead, case)
            known = case.startswith(OF_NO_CASE) or session.get(CaseRow, case) is not None
        found, links, told = [], [], list(heads)
        for place, row in enumerate(rows, 1):
            try:
                links.append(Link(**row.model_dump(exclude={"case_id"}), case=row.case_id))
            except ValidationError:
                found.append(Fault(case=case, seq=place, problem="was edited: it is no entry any more"))
        try:
            told += [Head(seq=head.seq, digest=head.digest)] if head else []
        except ValidationError:
            found.append(Fault(case=case, seq=len(rows), problem="is last, but the head of the chain was edited"))
        found += faults(case, links, told)
        if head is None and rows:
            found.append(Fault(case=case, seq=len(rows), problem="is last, but the head of the chain was removed"))
        elif known and not rows:
            found.append(Fault(case=case, seq=1, problem="is missing, with the whole chain"))
        found += _unentered(case, links[:1])
        if rows and not known:
            found.append(Fault(case=case, seq=1, problem="the case was removed from the table of cases"))
        if found or not case.startswith((DIRECTORY, STAGE)):
            return found
        return self._unlike(case) if case.startswith(DIRECTORY) else self._unheld(case)

    def _unheld(self, case: str) -> list[Fault]:
        """Where a brake is not as the last entry left it: released, or pulled, past the audit."""
        entries = self.entries(case)
        said = (entries[-1][1] if entries else None) or {}
        with reading(self.engine) as session:
            row = session.get(BrakeRow, case.removeprefix(STAGE))
        if row and row.model_dump(exclude={"process"}).items() <= said.items():
            return []
        return [Fault(case=case, seq=len(entries), problem="is last, and the table of brakes says something else")]

    def _unlike(self, case: str) -> list[Fault]:
        """Where the directory says something of a person that its own entries do not: a key put in past them."""
        entries = self.entries(case)
        said: dict[str, object] = {}
        for link, body in entries:
            if body:
                said.update(body if link.kind == "directory.added" else {"revoked_at": link.at})
        with reading(self.engine) as session:
            row = session.get(Approver, case.removeprefix(DIRECTORY))
        stands = row and (row.public_key, sorted(row.groups), row.revoked_at is not None)
        if stands == (said.get("public_key"), said.get("groups"), said.get("revoked_at") is not None):
            return []
        return [Fault(case=case, seq=len(entries), problem="is last, and the table of approvers says something else")]

    def cases(self) -> list[str]:
        """Every case that any table knows of, and the chain of everybody in the directory."""
        with reading(self.engine) as session:
            columns = (CaseRow.id, AuditEntry.case_id, AuditHead.case_id)
            found = {case for column in columns for case in session.exec(select(column).distinct())}
            return sorted(found | {f"{DIRECTORY}{person}" for person in session.exec(select(Approver.id))})

    @staticmethod
    def _rows(session: Session, case: str) -> Sequence[AuditEntry]:
        return session.exec(select(AuditEntry).where(AuditEntry.case_id == case).order_by(col(AuditEntry.seq))).all()


def _unentered(case: str, first: Sequence[Link]) -> list[Fault]:
    """A case that was started past our starters, under whatever policy."""
    problem = "is no start: no starter of ours entered this case or its policy"
    of_a_case = not case.startswith(OF_NO_CASE)
    past = [link for link in first if of_a_case and link.seq == 1 and link.kind != BEGUN]
    return [Fault(case=case, seq=link.seq, problem=problem) for link in past]


def _unsealed(key: CaseKey | None, row: AuditEntry) -> Body | None:
    if key is None or key.key is None:
        return None
    try:
        opened = AESGCM(key.key).decrypt(row.sealed[:NONCE], row.sealed[NONCE:], row.id.encode())
    except (InvalidTag, TypeError, ValueError):
        return None
    body: Body = json.loads(opened)
    return body
