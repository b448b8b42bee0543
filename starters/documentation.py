"""A charter as the documentation of its process: its sections, and its workflow map as a drawing."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from activities.pages import Section
from schemas.charter import Charter, WorkStep
from schemas.metrics import MEANINGS
from schemas.steps import Step
from starters.screen import span

WIDTH, HEIGHT, GAP, LANE = 420, 46, 26, 22
ARROW = (
    '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>'
)


def sections_of(charter: Charter[Any]) -> list[Section]:
    """Every part that a charter has; what was left out of this one says so."""
    names = {person.id: person.name for person in charter.people}
    policy = charter.policy
    return [
        Section("Purpose", charter.purpose),
        Section("Owner and autonomy", f"{names[charter.owner]} ({charter.owner}). {charter.autonomy}"),
        Section("Stakeholders", "", ("who", "interest"), [(one.who, one.interest) for one in charter.stakeholders]),
        Section(
            "Workflow map",
            "",
            ("step", "who", "what", "then"),
            [(one.name, one.who, one.what, ", ".join(one.next) or "end") for one in charter.workflow],
            drawn(charter.workflow),
        ),
        Section(
            "Data",
            "",
            ("source", "fields", "sensitivity", "retention", "system of record"),
            [
                (one.source, ", ".join(one.fields), one.sensitivity, one.retention, one.system_of_record)
                for one in charter.data
            ],
        ),
        Section(
            "Failure modes", "", ("failure", "response"), [(one.failure, one.response) for one in charter.failures]
        ),
        Section("Success metrics", "", ("metric", "definition", "target", "baseline"), list(_metrics(charter))),
        Section("Models and retrieval", charter.models or "not told"),
        Section("Oversight", charter.oversight or "not told"),
        Section(
            "Policy",
            f"Stage {policy.stage}; read by {', '.join(policy.rungs)}; of these "
            f"{', '.join(policy.autonomous_rungs) or 'none'} is trusted alone, from a confidence of "
            f"{policy.min_confidence:g}. A person sees {policy.sample_share:.0%} of what could go straight through.",
        ),
        Section(
            "Approval",
            f"Then {policy.approval.owner} has {span(policy.approval.owner_patience)}; after that the case expires.",
            ("step", "who", "must agree", "has", "then"),
            [_step(step) for step in policy.approval.steps],
        ),
        Section(
            "Escalation",
            "",
            ("hours or days after it was first seen", "who", "how"),
            [(span(one.after), f"{names[one.person]} ({one.person})", one.how) for one in charter.escalation],
        ),
        Section(
            "People",
            "",
            ("id", "name", "role", "contact"),
            [tuple(one.model_dump().values()) for one in charter.people],
        ),
        Section("Monitoring", "", (), [(one,) for one in charter.monitoring]),
    ]


def _step(step: Step) -> tuple[str, str, str, str, str]:
    who = ", ".join(seat.voter + (" (in some cases)" if seat.when else "") for seat in step.voters)
    then = "; ".join(f"{', '.join(one.to)}: {span(one.patience)}" for one in step.escalate)
    rule = step.rule if isinstance(step.rule, str) else f"{step.rule} of them"
    return step.name + (" (in some cases)" if step.when else ""), who, rule, span(step.patience), then


def _metrics(charter: Charter[Any]) -> Iterator[tuple[str, str, str, str]]:
    for metric in charter.metrics:
        meaning = MEANINGS[metric.name]
        bound = "at least" if meaning.better == "higher" else "at most"
        baseline = "not measured" if metric.baseline is None else f"{metric.baseline:g}"
        yield meaning.title, meaning.words, f"{bound} {metric.target:g}", baseline


def drawn(steps: Sequence[WorkStep]) -> str:
    """The steps one below the other; what does not go to the next one goes around at the right, in its own lane."""
    place = {step.name: number for number, step in enumerate(steps)}
    arrows, lanes = [], 0
    for step in steps:
        for name in step.next:
            if place[name] == place[step.name] + 1:
                top = place[step.name] * (HEIGHT + GAP) + HEIGHT
                arrows.append(f"M{WIDTH // 2},{top} v{GAP}")
            else:
                lanes += 1
                begin, end = (place[it] * (HEIGHT + GAP) + HEIGHT // 2 for it in (step.name, name))
                right = WIDTH + lanes * LANE
                arrows.append(f"M{WIDTH},{begin + 8} H{right} V{end - 8} H{WIDTH}")
    width, height = WIDTH + (lanes + 1) * LANE, len(steps) * (HEIGHT + GAP)
    paths = (f'<path d="{path}" fill="none" stroke="#555" marker-end="url(#a)"/>' for path in arrows)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">'
    return "".join((head, ARROW, *paths, *map(_box, range(len(steps)), steps), "</svg>")) if steps else ""


def _box(number: int, step: WorkStep) -> str:
    top = number * (HEIGHT + GAP)
    return (
        f'<rect x="1" y="{top + 1}" width="{WIDTH - 2}" height="{HEIGHT - 2}" rx="6" fill="#eef3f8" stroke="#555"/>'
        f'<text x="12" y="{top + 19}" font-weight="bold" font-size="14">{escape(step.name)}</text>'
        f'<text x="12" y="{top + 36}" font-size="12">{escape(step.who)}</text>'
    )
