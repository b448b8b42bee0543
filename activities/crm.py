"""The CRM: drafts are applied here, through a port that any CRM can stand behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from pydantic import JsonValue
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from temporalio import activity

from activities.audit import append
from activities.failures import fetched
from activities.store import Blobs, reading, writing
from schemas.case import ApplyRequest, Draft, Receipt, Record
from schemas.tables import CrmActivity, CrmInvoice, CrmParty, CrmRecord, ReceiptRow


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

    def read(self, kind: str, ref: str) -> Mapping[str, JsonValue]:
        """What is known of a record; nothing when there is none."""
        ...


@dataclass(frozen=True)
class Crm:
    port: CrmPort
    blobs: Blobs
    engine: Engine

    @activity.defn(name="crm.apply")
    def apply(self, request: ApplyRequest) -> Receipt:
        """Write the frozen draft, byte for byte what was decided; or give the receipt of an earlier attempt."""
        key, digest = request.key, request.draft
        with writing(self.engine, request.case) as session:
            row = _latest_receipt(session, key)
            if row and row.draft != digest:  # another draft was written since: this one has to be written again
                row = None
            begun = {"key": key, "draft": digest, "attempt": activity.info().attempt, "repeat": row is not None}
            head = append(session, request.case, "crm.begun", begun)
        if row is not None:
            return Receipt(key=key, draft=digest, record=row.record, created=row.created, head=head)
        draft = Draft.model_validate_json(fetched(self.blobs, digest, "the draft"))
        written = {record.ref: self.port.upsert(record) for record in draft.records}
        record, created = written[draft.main]
        with writing(self.engine, request.case) as session:
            # Two attempts may race to here: the other side took both as one, and the first receipt stands.
            now = datetime.now(UTC)
            row = session.get(ReceiptRow, (key, digest)) or ReceiptRow(
                key=key, draft=digest, record=record, created=created, at=now
            )
            row.at = now
            session.add(row)
            records = {ref: {"record": it.record, "created": it.created} for ref, it in written.items()}
            head = append(session, request.case, "crm.ended", {"key": key, "draft": digest, "records": records})
        return Receipt(key=key, draft=digest, record=row.record, created=row.created, head=head)


def _latest_receipt(session: Session, key: str) -> ReceiptRow | None:
    receipts = select(ReceiptRow).where(ReceiptRow.key == key)
    return session.exec(receipts.order_by(col(ReceiptRow.at).desc())).first()


TABLES: Mapping[str, type[CrmRecord]] = {"party": CrmParty, "invoice": CrmInvoice, "activity": CrmActivity}


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
            # What the document does not say is no reason to forget what is known.
            row.sqlmodel_update({name: value for name, value in values.items() if created or value is not None})
            session.add(row)
            session.flush()
            return Written(f"{record.kind}/{row.id}", created)

    def read(self, kind: str, ref: str) -> Mapping[str, JsonValue]:
        table: type[CrmRecord] = TABLES[kind]
        with reading(self.engine) as session:
            row = session.exec(select(table).where(table.ref == ref)).first()
            return row.model_dump() if row else {}

    def find(self, kind: str, values: Mapping[str, str]) -> list[str]:
        table: type[CrmRecord] = TABLES[kind]
        matches = [col(getattr(table, name)) == value for name, value in values.items()]
        with reading(self.engine) as session:
            return list(session.exec(select(table.ref).where(*matches).order_by(col(table.id))))
