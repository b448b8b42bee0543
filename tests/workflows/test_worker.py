"""The worker: nothing that a workflow may call is forgotten."""

import ast
from pathlib import Path

from temporalio.activity import _Definition

from tests.desk import Desk
from workers.build import build_worker

ACTIVITIES = Path(__file__).parents[2] / "activities"


def defined() -> set[str]:
    """The names that `@activity.defn` gives, wherever in activities/ it stands."""
    calls = (
        node
        for path in ACTIVITIES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "activity.defn"
    )
    return {ast.literal_eval(keyword.value) for call in calls for keyword in call.keywords if keyword.arg == "name"}


async def test_every_activity_that_is_defined_is_registered(desk: Desk) -> None:
    worker = build_worker(desk.client, "unheard", desk.parts)

    registered = {_Definition.must_from_callable(given).name for given in worker.config()["activities"]}

    assert registered == defined()
