"""The directory of approvers: who is in which group, by which key they prove who they are, and who is revoked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select
from temporalio import activity

from activities.audit import DIRECTORY, append
from activities.proof import code_fits
from activities.store import reading, writing
from schemas.message import PersonId
from schemas.opening import CodesCheck, CodesChecked, Opened, Recheck, StepOpening, Struck
from schemas.steps import is_group
from schemas.tables import Approver
from schemas.turn import turns_of


class Unknown(Exception):
    """Nobody of that id is in the directory, or not any more."""


@dataclass(frozen=True)
class Directory:
    engine: Engine
    code_key: bytes
    """What codes are derived from. Whoever has it can make them."""

    @activity.defn(name="directory.open")
    def open(self, request: StepOpening) -> Opened:
        """Tell who holds a step in turn, and their keys: what is said is judged by this until the step closes."""
        step, policy = request.step, request.policy
        with reading(self.engine) as session:
            members = {voter: self._people(session, voter) for voter in {*step.named, policy.owner, *policy.delegates}}
            people = {request.submitter, policy.owner, *(person for voter in members.values() for person in voter)}
            known = session.exec(select(Approver).where(col(Approver.id).in_(people))).all()
        turns = turns_of(step, policy, members, request.at)
        keys = {row.id: row.public_key for row in known if row.public_key}
        delegates = tuple(dict.fromkeys(person for voter in policy.delegates for person in members[voter]))
        revoked = {row.id: "their right to was revoked" for row in known if row.revoked_at}
        return Opened(turns=turns, keys=dict(sorted(keys.items())), delegates=delegates, revoked=revoked)

    @activity.defn(name="directory.recheck")
    def recheck(self, request: Recheck) -> Struck:
        """Tell who of these has lost the right to decide since the step opened; that is audited with the case."""
        with reading(self.engine) as session:
            rows = {row.id: row for row in session.exec(select(Approver).where(col(Approver.id).in_(request.voters)))}
        struck = {}
        for voter in request.voters:
            row, key = rows.get(voter), request.keys.get(voter)
            if row is not None and row.revoked_at is not None:
                struck[voter] = "revoked"
            elif key and (row is None or row.public_key != key):
                struck[voter] = "has another key now"
        if not struck:
            return Struck()
        with writing(self.engine, request.case) as session:
            head = append(session, request.case, "approval.struck", {"step": request.step, "people": struck})
        return Struck(people=struck, head=head)

    @activity.defn(name="directory.check_codes")
    def check_codes(self, request: CodesCheck) -> CodesChecked:
        return CodesChecked(right=tuple(code_fits(self.code_key, wanted, given) for wanted, given in request.codes))

    def add(self, person: PersonId, public_key: str | None, groups: Iterable[str], by: str) -> None:
        """Enter somebody, or enter them anew with other groups or another key; who was revoked is so no more."""
        entry = {"public_key": public_key, "groups": sorted(set(groups)), "revoked_at": None}
        with writing(self.engine, f"{DIRECTORY}{person}") as session:
            row = session.get(Approver, person) or Approver(id=person, added_at=datetime.now(UTC))
            row.sqlmodel_update(entry)
            session.add(row)
            append(session, f"{DIRECTORY}{person}", "directory.added", {**entry, "by": by})

    def revoke(self, person: PersonId, by: str) -> None:
        """Take away the right to decide, in steps that are open too. Raises Unknown."""
        with writing(self.engine, f"{DIRECTORY}{person}") as session:
            row = session.get(Approver, person)
            if row is None or row.revoked_at is not None:
                raise Unknown(f"{person} is not in the directory{', but was, and is revoked' if row else ''}")
            row.revoked_at = datetime.now(UTC)
            session.add(row)
            append(session, f"{DIRECTORY}{person}", "directory.revoked", {"by": by})

    def listing(self) -> Sequence[Approver]:
        with reading(self.engine) as session:
            return session.exec(select(Approver).order_by(Approver.id)).all()

    @staticmethod
    def _people(session: Session, voter: str) -> tuple[str, ...]:
        """The people who may speak as this voter. Somebody whom only a policy names is themselves, without a key."""
        if not is_group(voter):
            row = session.get(Approver, voter)
            return () if row and row.revoked_at else (voter,)
        rows = session.exec(select(Approver).where(col(Approver.revoked_at).is_(None)).order_by(Approver.id))
        return tuple(row.id for row in rows if voter in row.groups)
