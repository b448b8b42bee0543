"""Brakes: what a process may do at most. People pull and release them, and the process's own chain tells who did."""

from dataclasses import dataclass

from sqlalchemy import Engine

from activities.audit import STAGE, append
from activities.store import reading, writing
from schemas.policy import STAGES, Stage
from schemas.routing import Brake
from schemas.tables import BrakeRow


class NotPulled(Exception):
    """There is nothing to release."""


@dataclass(frozen=True)
class Brakes:
    engine: Engine

    def get(self, process: str) -> Brake:
        with reading(self.engine) as session:
            row = session.get(BrakeRow, process)
        return Brake.model_validate(row.model_dump()) if row else Brake()

    def pull(self, process: str, cap: Stage, reason: str, by: str) -> Brake:
        """Hold a process at a stage; where it is held lower already it stays there, and the new reason is told too."""
        with writing(self.engine, f"{STAGE}{process}") as session:
            row = session.get(BrakeRow, process) or BrakeRow(process=process)
            was = Brake.model_validate(row.model_dump())
            lower = min(was.stage_cap, cap, key=STAGES.index)
            told = "; ".join(dict.fromkeys(why for why in (was.reason, reason) if why))
            row.sqlmodel_update({"stage_cap": lower, "reason": told})
            session.add(row)
            entry = {"stage_cap": lower, "min_confidence": row.min_confidence, "reason": told, "by": by}
            append(session, f"{STAGE}{process}", "brake.pulled", entry)
        return Brake(stage_cap=lower, min_confidence=was.min_confidence, reason=told)

    def release(self, process: str, reason: str, by: str) -> None:
        """Let the policy alone decide again. Raises NotPulled."""
        with writing(self.engine, f"{STAGE}{process}") as session:
            row = session.get(BrakeRow, process)
            if row is None or Brake.model_validate(row.model_dump()) == Brake():
                raise NotPulled(f"the brake of {process} is not on")
            row.sqlmodel_update(Brake().model_dump())
            session.add(row)
            entry = {**Brake().model_dump(), "why": reason, "by": by}
            append(session, f"{STAGE}{process}", "brake.released", entry)
