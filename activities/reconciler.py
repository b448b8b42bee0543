"""The reconciler: compares applied cases with the CRM, where people go on working with what we wrote."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import col, select
from temporalio import activity

from activities.audit import Audit
from activities.crms.port import CrmPort, changed
from activities.failures import asking_crm
from activities.store import Altered, Blobs, reading
from activities.threads import Threads
from schemas.case import ApplyRequest, Draft
from schemas.reconciliation import Compared, Difference, Page
from schemas.tables import CaseRow, ReceiptRow

DIFFERS = "crm.differs"


@dataclass(frozen=True)
class Reconciler:
    port: CrmPort
    blobs: Blobs
    audit: Audit
    threads: Threads

    @activity.defn(name="crm.compare")
    @asking_crm()
    def compare(self, page: Page) -> Compared:
        """Look at one page of applied cases. What differs is audited once, until it differs otherwise."""
        applied = select(CaseRow.id, CaseRow.draft).where(CaseRow.outcome == "applied", CaseRow.id > page.after)
        with reading(self.audit.engine) as session:
            cases = session.exec(applied.order_by(col(CaseRow.id)).limit(page.most)).all()
        found: list[Difference] = []
        for case, draft in cases:
            differences = tuple(self._differences(case, draft or ""))
            found += differences
            self._audit(case, differences)
        after = cases[-1][0] if len(cases) == page.most else ""
        return Compared(cases=len(cases), differences=tuple(found), after=after)

    def _differences(self, case: str, digest: str) -> Iterator[Difference]:
        try:
            draft = Draft.model_validate_json(self.blobs.get(digest))
        except (FileNotFoundError, Altered):
            yield Difference(case=case, kind="draft", ref=digest, how="unreadable")
            return
        with reading(self.audit.engine) as session:
            receipt = session.get(ReceiptRow, (ApplyRequest(case=case, draft=digest).key, digest))
        for record in draft.records:
            there = self.port.read(record.kind, record.ref)
            # What cases share, the next one may rightly have changed: a party, and the ticket of a thread.
            shared = record.kind == "party" or (record.kind == "ticket" and self.threads.newer(case))
            fields = () if shared or there is None else changed(record, there)
            if there is None or fields:
                how = "changed" if fields else "deleted" if receipt else "missing"
                yield Difference(case=case, kind=record.kind, ref=record.ref, how=how, fields=fields)

    def _audit(self, case: str, differences: tuple[Difference, ...]) -> None:
        body = {"differences": [it.model_dump(mode="json", exclude={"case"}) for it in differences]}
        told = [body for link, body in self.audit.entries(case) if link.kind == DIFFERS]
        if told[-1:] != [body] and (differences or told):
            self.audit.record(case, DIFFERS, body)
            activity.logger.warning("%s: %d differences from the CRM", case, len(differences))
