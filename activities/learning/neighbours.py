"""Neighbours: of the cases that people approved, the one most like a document, as an example for a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlmodel import col, select

from activities.cases import Cases
from activities.store import Altered, reading
from schemas.source import PAGES
from schemas.tables import CaseRow

MOST = 200
"""Approved cases that are looked through, the newest: some tenths of a second, where a model takes seconds."""
LONGEST = 1500
"""Characters of an example: a small model has to read it too."""


class Neighbour(NamedTuple):
    case: str
    text: str
    values: Mapping[str, str]
    """What was right for it, by field."""


@dataclass(frozen=True)
class Neighbours:
    cases: Cases
    _known: dict[str, Neighbour | None] = field(default_factory=dict)
    """By the view it was taken from."""

    def nearest(self, case: str, text: str) -> Neighbour | None:
        """By TF-IDF of letters; None where nobody has approved a case of the same process yet."""
        from sklearn.feature_extraction.text import TfidfVectorizer  # two seconds, which only this should cost

        others = self._approved(case)
        if not others:
            return None
        terms = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        known = terms.fit_transform([one.text for one in others])
        return others[int((known @ terms.transform([text[:LONGEST]]).T).toarray().argmax())]

    def _approved(self, case: str) -> Sequence[Neighbour]:
        of_process = (CaseRow.process == case.partition("/")[0], CaseRow.id != case)
        by_people = (CaseRow.outcome == "applied", CaseRow.decided_by != "")
        query = select(CaseRow).where(*of_process, *by_people).order_by(col(CaseRow.ended_at).desc()).limit(MOST)
        with reading(self.cases.engine) as session:
            rows = {row.view: row for row in session.exec(query) if row.view}
        known = {view: self._known[view] if view in self._known else self._of(row) for view, row in rows.items()}
        self._known.clear()
        self._known.update(known)
        return [one for one in known.values() if one]

    def _of(self, row: CaseRow) -> Neighbour | None:
        """None where it would teach nothing good, or is gone: an erased case is no example."""
        try:
            view = self.cases.view(row)
            if not view.document or not view.document.text or not view.proposal or view.document.verdict.status != "ok":
                return None
            pages = PAGES.validate_json(self.cases.blobs.get(view.document.text))
        except (FileNotFoundError, Altered):
            return None
        values = {name: read.value for name, read in view.proposal.fields.items() if read.value}
        return Neighbour(row.id, "\f".join(page.text for page in pages)[:LONGEST], values)
