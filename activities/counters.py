"""Counters: what the audit is told is counted too, so that nobody who adds an act has to think of both.

They go wherever the worker's metrics go, and nowhere when it has none. No label tells of whom or what a case is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from temporalio import activity
from temporalio.common import MetricMeter

from activities.crms.port import CrmError
from schemas.approval import Verb
from schemas.case import OutcomeStatus
from schemas.source import VerdictStatus

ACTS = "casework_acts"
CONFIDENCE = "casework_confidence"
MODEL_SECONDS = "casework_model_seconds"
MODEL_TOKENS = "casework_model_tokens"
MODEL_COST = "casework_model_cost_micros"
COUNTED = {
    ACTS: "entries of the audit, by process, kind and what each came to",
    CONFIDENCE: "of the least sure field, as a document was read, by process and rung",
    MODEL_SECONDS: "how long calls of endpoints took, by endpoint and whether they were answered",
    MODEL_TOKENS: "tokens that endpoints read and wrote",
    MODEL_COST: "what endpoints cost, in millionths of the currency of the settings",
}
Body = Mapping[str, Any]


def counted(case: str, kind: str, body: Body) -> None:
    """Count an entry. One whose transaction is rolled back and made again is counted twice."""
    if not activity.in_activity():
        return
    meter, process = activity.metric_meter(), case.partition("/")[0]
    result = RESULTS[kind](body) if kind in RESULTS else ""
    meter.create_counter(ACTS, COUNTED[ACTS]).add(1, {"process": process, "kind": kind, "result": result})
    if kind == "model.read" and (sure := _least_sure(body)) is not None:
        labels = {"process": process, "rung": result}
        meter.create_histogram_float(CONFIDENCE, COUNTED[CONFIDENCE]).record(sure, labels)
    if kind == "model.ended" and "endpoint" in body:
        labels = {"process": process, "endpoint": str(body["endpoint"]), "result": result}
        meter.create_histogram_float(MODEL_SECONDS, COUNTED[MODEL_SECONDS]).record(float(body["seconds"]), labels)
        meter.create_counter(MODEL_TOKENS, COUNTED[MODEL_TOKENS]).add(int(body["tokens"]), labels)
        meter.create_counter(MODEL_COST, COUNTED[MODEL_COST]).add(round(float(body["cost"]) * 1e6), labels)


def _decided(body: Body) -> str:
    """What somebody did, or that it was refused."""
    decision = body.get("decision") or {}
    return str(decision.get("verdict", "")) if body["reply"]["accepted"] else "refused"


def _ended(body: Body) -> str:
    return "straight-through" if body["status"] == "applied" and not body["decided_by"] else str(body["status"])


def _least_sure(body: Body) -> float | None:
    fields = (body.get("fields") or {}).values()
    return min((float(field["confidence"]) for field in fields if field.get("value")), default=None)


RESULTS: Mapping[str, Callable[[Body], str]] = {
    "document.ingested": lambda body: str(body["verdict"]),
    "model.read": lambda body: str(body.get("rung", "")),
    "model.ended": lambda body: "failed" if body.get("failed") else "answered",
    "crm.failed": lambda body: str(body["error"]),
    "case.ended": _ended,
    "person.decision": _decided,
}
NO_RESULT = ("",)
VERDICTS = {"document.ingested": get_args(VerdictStatus)}
EXPECTED: Mapping[str, Mapping[str, Sequence[str]]] = {
    "documents.ingest": VERDICTS,
    "documents.ingest_message": VERDICTS,
    "cases.waiting": {f"approval.{phase}": NO_RESULT for phase in ("open", "reminded", "escalated", "handed")},
    "audit.acts": {"person.decision": ("refused", *get_args(Verb))},
    "crm.apply": {"crm.ended": NO_RESULT, "crm.failed": [error.__name__ for error in CrmError.__subclasses__()]},
    "cases.close": {"case.ended": ("straight-through", *get_args(OutcomeStatus))},
    "notices.send": {"notice.sent": NO_RESULT, "notice.failed": NO_RESULT},
}
"""By activity, the acts that people want to hear of from the first one on."""


def expect(meter: MetricMeter, process: str, name: str) -> None:
    """Count none of what an activity may do to cases: Prometheus sees no increase in a series that begins with one.

    `meter` has the labels that the activity's own has, but for its name.
    """
    counter = meter.create_counter(ACTS, COUNTED[ACTS])
    for kind, results in EXPECTED[name].items():
        for result in results:
            counter.add(0, {"activity_type": name, "process": process, "kind": kind, "result": result})
