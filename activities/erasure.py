"""Erasure: what is forgotten of a case, while its chain still verifies and its outcome still stands."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, delete, select, update

from activities.audit import ERASURES, Audit, append
from activities.store import Altered, Blobs, reading, writing
from schemas.message import Digest
from schemas.tables import CaseKey, CaseRow, ModelCall, ThreadMessage

NAMES_A_BLOB = frozenset({"source", "digest", "mail", "text", "xml", "lines", "draft", "view", "answer"})
DIGEST = re.compile("[0-9a-f]{64}")
FORGOTTEN = {"source_name": "", "source_size": 0, "reasons": [], "draft": None, "view": None}


@dataclass(frozen=True)
class Eraser:
    audit: Audit
    blobs: Blobs

    def erase(self, case: str, by: str, why: str) -> int:
        """Forget what an ended case was about: its key, and the blobs that it alone names; tell how many those were.

        It keeps its id, its people, its outcome, and what the CRM calls its record. What is in the CRM stays. Done
        again after a crash it goes on; it reads what all other cases name, so it takes longer the more there are.
        """
        own = self._named(case)
        with reading(self.audit.engine) as session:
            others = session.exec(select(CaseRow.id).where(CaseRow.id != case)).all()
        for other in others:
            own -= self._named(other)
        views = own & self._views(case)
        # Views last: they name the rest.
        removed = [self.blobs.remove(digest) for digest in (*sorted(own - views), *sorted(views))]
        with writing(self.audit.engine, case) as session:
            self._forget(session, case)
            append(session, case, "case.erased", {})
            append(session, f"{ERASURES}{case.partition('/')[0]}", "case.erased", {"case": case, "by": by, "why": why})
        return sum(removed)

    @staticmethod
    def _forget(session: Session, case: str) -> None:
        row, key = session.get_one(CaseRow, case), session.get(CaseKey, case) or CaseKey(case_id=case)
        row.sqlmodel_update(FORGOTTEN)
        key.key = None
        session.add_all([row, key])
        session.execute(delete(ThreadMessage).where(col(ThreadMessage.case_id) == case))
        session.execute(update(ModelCall).where(col(ModelCall.case_id) == case).values(answer=None))

    def _named(self, case: str) -> set[Digest]:
        """Every blob that a case names: in its row, in the audit, in the calls of models, in what people were shown."""
        with reading(self.audit.engine) as session:
            row = session.get_one(CaseRow, case)
            answers = session.exec(select(ModelCall.answer).where(ModelCall.case_id == case)).all()
        found = {*filter(None, answers), *digests_in(row.model_dump()), *self._views(case)}
        found.update(digest for _, body in self.audit.entries(case) for digest in digests_in(body))
        for view in self._views(case):
            with suppress(FileNotFoundError, Altered):
                found.update(digests_in(json.loads(self.blobs.get(view))))
        return found

    def _views(self, case: str) -> set[Digest]:
        with reading(self.audit.engine) as session:
            row = session.get_one(CaseRow, case)
        told = (body.get("view") for _, body in self.audit.entries(case) if body)
        return {str(view) for view in (row.view, *told) if view}


def digests_in(node: Any) -> Iterator[Digest]:
    """Digests under names that are given to blobs; not those of calibrations, which many cases share."""
    for name, value in node.items() if isinstance(node, dict) else ():
        if name in NAMES_A_BLOB and isinstance(value, str) and DIGEST.fullmatch(value):
            yield value
        yield from digests_in(value)
    for value in node if isinstance(node, list | tuple) else ():
        yield from digests_in(value)
