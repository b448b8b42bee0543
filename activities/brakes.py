"""Brakes: what a process may do at most. People pull and release them, and the process's own chain tells who did."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Engine
from sqlmodel import Session, func, select

from activities.audit import STAGE, append
from activities.proof import signature_fits
from activities.store import reading, writing
from schemas.policy import STAGES, Stage
from schemas.routing import Brake
from schemas.tables import Approver, AuditEntry, BrakeRow

Sign = Callable[[bytes], str]
"""Somebody's signature over some bytes, in hexadecimal; empty where their key is not at hand."""


class NotPulled(Exception):
    """There is nothing to release."""


class Unproven(Exception):
    """Whoever this is said to come from has a key, and did not sign it."""


@dataclass(frozen=True)
class Brakes:
    engine: Engine

    def get(self, process: str) -> Brake:
        with reading(self.engine) as session:
            row = session.get(BrakeRow, process)
        return Brake.model_validate(row.model_dump()) if row else Brake()

    def pull(
        self,
        process: str,
        cap: Stage,
        reason: str,
        by: str,
        sign: Sign | None = None,
        *,
        evidence: Mapping[str, object] = MappingProxyType({}),
    ) -> Brake:
        """Hold a process at a stage; where it is held lower already it stays there, and the new reason is told too.

        `evidence` is what the audit has of why. Raises Unproven.
        """
        with writing(self.engine, f"{STAGE}{process}") as session:
            proof = _proof(session, process, f"pull to {cap}", reason, by, sign)
            row = session.get(BrakeRow, process) or BrakeRow(process=process)
            was = Brake.model_validate(row.model_dump())
            lower = min(was.stage_cap, cap, key=STAGES.index)
            told = "; ".join(dict.fromkeys(why for why in (was.reason, reason) if why))
            row.sqlmodel_update({"stage_cap": lower, "reason": told})
            session.add(row)
            entry = {"stage_cap": lower, "min_confidence": row.min_confidence, "reason": told, "by": by, **proof}
            append(session, f"{STAGE}{process}", "brake.pulled", {**evidence, **entry})
        return Brake(stage_cap=lower, min_confidence=was.min_confidence, reason=told)

    def release(self, process: str, reason: str, by: str, sign: Sign | None = None) -> None:
        """Let the policy alone decide again. Raises NotPulled and Unproven."""
        with writing(self.engine, f"{STAGE}{process}") as session:
            proof = _proof(session, process, "release", reason, by, sign)
            row = session.get(BrakeRow, process)
            if row is None or Brake.model_validate(row.model_dump()) == Brake():
                raise NotPulled(f"the brake of {process} is not on")
            row.sqlmodel_update(Brake().model_dump())
            session.add(row)
            entry = {**Brake().model_dump(), "why": reason, "by": by, **proof}
            append(session, f"{STAGE}{process}", "brake.released", entry)


def _proof(session: Session, process: str, act: str, reason: str, by: str, sign: Sign | None) -> dict[str, str]:
    """What shows that an act is theirs who has a key; who has none, and is nobody revoked, is taken at their word.

    Signed is the place in the chain too, so that no signature is good twice.
    """
    known = session.get(Approver, by)
    if known and known.revoked_at:
        raise Unproven(f"{by} was revoked")
    if known is None or not known.public_key:
        return {}
    turn = session.exec(select(func.count()).where(AuditEntry.case_id == f"{STAGE}{process}")).one()
    said = json.dumps([f"{STAGE}{process}", turn, act, reason, by])
    signature = sign(said.encode()) if sign else ""
    if not signature_fits(known.public_key, said.encode(), signature):
        raise Unproven(f"{by} has a key, and this is not signed with it: do it where the key is")
    return {"said": said, "key": known.public_key, "signature": signature}
