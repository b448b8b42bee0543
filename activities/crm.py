"""The CRM: drafts are applied here, through a port that any CRM can stand behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from pydantic import JsonValue
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from temporalio import activity

from activities.audit import append
from activities.failures import kept
from activities.store import Blobs, reading, writing
from schemas.case import ApplyRequest, Draft, Receipt, Record
from schemas.tables import CrmActivity, CrmContract, CrmInvoice, CrmParty, CrmRecord, CrmTicket, ReceiptRow


class Written(NamedTuple):
    record: str
    """The other side's id."""
    created: bool


class CrmPort(Protocol):
    """What casework needs of a CRM. `ref` is a unique external reference there: writing twice is writing once."""

    def upsert(self, record: Record) -> Written: ...

    def find(self, kind: str, values: Mapping[str, str]) -> list[str]:
        """Give the refs of the records that have these values."""
        ...

    def read(self, kind: str, ref: str) -> Mapping[str, JsonValue] | None:
        """Give the values of a record; None when there is none."""
        ...


@dataclass(frozen=True)
class Crm:
    port: CrmPort
    blobs: Blobs
    engine: Engine

    @activity.defn(name="crm.apply")
    def apply(self, request: ApplyRequest) -> Receipt:
        """Write the frozen draft, byte for byte what was decided; or give its receipt if it was written last."""
        key, digest = request.key, request.draft
        with writing(self.engine, request.case) as session:
            last = _last(session, key)
            repeat = last is not None and last.draft == digest
            begun = {"key": key, "draft": digest, "attempt": activity.info().attempt, "repeat": repeat}
            head = append(session, request.case, "crm.begun", begun)
        if last is not None and repeat:
            return Receipt(key=key, draft=digest, record=last.record, created=last.created, head=head)
        draft = Draft.model_validate_json(kept(self.blobs, digest, "the draft"))
        written = {record.ref: self.port.upsert(record) for record in draft.records}
        record, created = written[draft.main]
        with writing(self.engine, request.case) as session:
            # Two attempts may race to here: the other side took both as one, and the first receipt stands.
            now, last = datetime.now(UTC), _last(session, key)
            row = session.get(ReceiptRow, (key, digest)) or ReceiptRow(
                key=key, draft=digest, record=record, created=created, at=now
            )
            row.at = max(now, last.at + timedelta.resolution) if last else now  # the last one, whatever the clock says
            session.add(row)
            records = {ref: {"record": it.record, "created": it.created} for ref, it in written.items()}
            head = append(session, request.case, "crm.ended", {"key": key, "draft": digest, "records": records})
        return Receipt(key=key, draft=digest, record=row.record, created=row.created, head=head)


def _last(session: Session, key: str) -> ReceiptRow | None:
    """What was written under this key last: a case that ran again may have written another draft, or an old one."""
    return session.exec(select(ReceiptRow).where(ReceiptRow.key == key).order_by(col(ReceiptRow.at).desc())).first()


TABLES: Mapping[str, type[CrmRecord]] = {
    "party": CrmParty,
    "invoice": CrmInvoice,
    "contract": CrmContract,
    "ticket": CrmTicket,
    "activity": CrmActivity,
}


@dataclass(frozen=True)
class EmbeddedCrm:
    """A small CRM in our own database, behind the same port as any other."""

    engine: Engine

    def upsert(self, record: Record) -> Written:
        table = TABLES[record.kind]
        values: dict[str, JsonValue] = {**record.values, **record.links}
        with writing(self.engine, record.ref) as session:
            row = session.exec(select(table).where(table.ref == record.ref)).first()
            created = row is None
            row = row or table(ref=record.ref)
            row.sqlmodel_update(values)
            session.add(row)
            session.flush()
            return Written(f"{record.kind}/{row.id}", created)

    def find(self, kind: str, values: Mapping[str, str]) -> list[str]:
        table: type[CrmRecord] = TABLES[kind]
        matches = [col(getattr(table, name)) == value for name, value in values.items()]
        with reading(self.engine) as session:
            return list(session.exec(select(table.ref).where(*matches).order_by(col(table.id))))

    def read(self, kind: str, ref: str) -> Mapping[str, JsonValue] | None:
        table: type[CrmRecord] = TABLES[kind]
        with reading(self.engine) as session:
            row = session.exec(select(table).where(table.ref == ref)).first()
        return row.model_dump() if row else None
