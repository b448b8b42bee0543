"""The CRM: drafts are applied here, through a port that any CRM can stand behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, select
from temporalio import activity

from activities.audit import append
from activities.crms.port import CrmError, CrmPort, Refused, Written
from activities.failures import at_crm, kept
from activities.store import Blobs, writing
from schemas.case import ApplyRequest, Draft, Receipt, Refusal
from schemas.tables import CaseRow, ReceiptRow

LONGEST = 1000
"""No more of what a CRM says is kept, in characters."""


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
            row = session.get(CaseRow, request.case)
            if row and row.status != "closed":  # an attempt that was taken for lost may come late
                row.status = "writing"
                session.add(row)
        if last is not None and repeat:
            return Receipt(key=key, draft=digest, record=last.record, created=last.created, head=head)
        draft = Draft.model_validate_json(kept(self.blobs, digest, "the draft"))
        written = self._write(request, draft)
        record, created = written[draft.main]
        with writing(self.engine, request.case) as session:
            # Two attempts may race to here: the other side took both as one, and the first receipt stands.
            now, last = datetime.now(UTC), _last(session, key)
            receipt = session.get(ReceiptRow, (key, digest)) or ReceiptRow(
                key=key, draft=digest, record=record, created=created, at=now
            )
            # The last one, whatever the clock says.
            receipt.at = max(now, last.at + timedelta.resolution) if last else now
            session.add(receipt)
            body = {"key": key, "draft": digest, "records": _told(written)}
            head = append(session, request.case, "crm.ended", body)
        return Receipt(key=key, draft=digest, record=receipt.record, created=receipt.created, head=head)

    def _write(self, request: ApplyRequest, draft: Draft) -> dict[str, Written]:
        """Write one record after the other; when one cannot be, say which ones were before it."""
        written: dict[str, Written] = {}
        try:
            for record in draft.records:
                written[record.ref] = self.port.upsert(record)
        except CrmError as error:
            body = {
                "key": request.key,
                "draft": request.draft,
                "error": type(error).__name__,
                "records": _told(written),
            }
            with writing(self.engine, request.case) as session:
                append(session, request.case, "crm.failed", body)
            raise at_crm(error, self._refusal(error, draft, written)) from None
        return written

    def _refusal(self, error: CrmError, draft: Draft, written: Mapping[str, Written]) -> Refusal | None:
        if not isinstance(error, Refused):
            return None
        words = error.words[:LONGEST]
        again = draft.model_copy(update={"refused": (*draft.refused, words)})
        digest = self.blobs.put(again.model_dump_json().encode())
        return Refusal(words=words, draft=digest, written=tuple(it.record for it in written.values()))


def _told(written: Mapping[str, Written]) -> Mapping[str, Mapping[str, object]]:
    return {ref: it._asdict() for ref, it in written.items()}


def _last(session: Session, key: str) -> ReceiptRow | None:
    """What was written under this key last: a case that ran again may have written another draft, or an old one."""
    return session.exec(select(ReceiptRow).where(ReceiptRow.key == key).order_by(col(ReceiptRow.at).desc())).first()
