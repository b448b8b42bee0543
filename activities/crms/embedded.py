"""The embedded CRM: a small one in our own database, behind the same port as any other."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from activities.crms.port import Described, Invalid, Written
from activities.store import reading, writing
from schemas.case import Record
from schemas.tables import CrmActivity, CrmContract, CrmInvoice, CrmParty, CrmRecord, CrmTicket

TABLES: Mapping[str, type[CrmRecord]] = {
    "party": CrmParty,
    "invoice": CrmInvoice,
    "contract": CrmContract,
    "ticket": CrmTicket,
    "activity": CrmActivity,
}


@dataclass(frozen=True)
class EmbeddedCrm:
    engine: Engine

    def upsert(self, record: Record) -> Written:
        table = TABLES[record.kind]
        values: dict[str, JsonValue] = {**record.values, **record.links}
        try:
            with writing(self.engine, record.ref) as session:
                row = session.exec(select(table).where(table.ref == record.ref)).first()
                created = row is None
                row = row or table(ref=record.ref)
                row.sqlmodel_update(values)
                session.add(row)
                session.flush()
                return Written(f"{record.kind}/{row.id}", created)
        except IntegrityError as error:
            raise Invalid(str(error.orig)) from None

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

    def describe(self) -> Described:
        kinds = {
            kind: {name: f"{table.__tablename__}.{name}" for name in table.model_fields if name not in ("id", "ref")}
            for kind, table in TABLES.items()
        }
        return Described("the embedded CRM", kinds)
