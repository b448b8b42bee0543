"""Charters: those we ship load, and a mistake in one is refused by name."""

from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.charter import Charter
from starters.launch import Process
from starters.processes import PROCESSES
from starters.refused import Refused
from workers.settings import REPOSITORY, Settings

CHARTERS = sorted((REPOSITORY / "deploy" / "charters").glob("*.yaml"))
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(params=CHARTERS, ids=lambda path: path.stem)
def shipped(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def process(shipped: Path) -> Process:
    return PROCESSES[shipped.stem]


@pytest.fixture
def load(shipped: Path, process: Process, tmp_path: Path) -> Callable[[Change], Charter[Any]]:
    """Load the shipped charter after a change to it."""

    def load(change: Change) -> Charter[Any]:
        content = yaml.safe_load(shipped.read_text())
        change(content)
        (tmp_path / shipped.name).write_text(yaml.safe_dump(content))
        return process.load_charter(Settings(charters=tmp_path))

    return load


Load = Callable[[Change], Charter[Any]]


def at(content: Any, *path: str | int) -> MutableMapping[str, Any]:
    """The mapping inside the charter that this path leads to."""
    for step in path:
        content = content[step]
    found: MutableMapping[str, Any] = content
    return found


def test_every_process_has_a_charter() -> None:
    assert {path.stem for path in CHARTERS} == set(PROCESSES)


def test_shipped_charter_loads_strictly(shipped: Path, process: Process) -> None:
    charter = process.load_charter(Settings(charters=shipped.parent))

    assert charter.process == shipped.stem


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("people", 0),
        ("policy",),
        ("policy", "limits"),
        ("policy", "approval"),
        ("policy", "approval", "steps", 0),
        ("escalation", 0),
        ("workflow", 0),
        ("data", 0),
        ("metrics", 0),
    ],
    ids=lambda path: ".".join(map(str, path)) or "top",
)
def test_misspelt_key_is_refused_by_name_wherever_it_stands(load: Load, path: tuple[str | int, ...]) -> None:
    def misspell(content: dict[str, Any]) -> None:
        at(content, *path)["min_confidense"] = 0.5

    with pytest.raises(Refused, match=r"(?m)^line \d+: ([\w]+\.)*min_confidense: "):
        load(misspell)


@pytest.mark.parametrize("key", ["process", "owner", "people", "policy", "escalation"])
def test_missing_key_is_refused_by_name(load: Load, key: str) -> None:
    with pytest.raises(Refused, match=rf"(?m)^line \d+: {key}: "):
        load(lambda content: content.pop(key))


STEP = ("policy", "approval", "steps", 0)
STRANGER = {
    "owner": lambda content: content.update(owner="mallory"),
    "policy owner": lambda content: at(content, "policy", "approval").update(owner="mallory"),
    "voter": lambda content: at(content, *STEP).update(voters=[content["owner"], "mallory"]),
    "escalated": lambda content: at(content, *STEP).update(escalate=[{"to": ["mallory"]}]),
    "delegate": lambda content: at(content, "policy", "approval").update(delegates=["mallory"]),
    "escalation": lambda content: at(content, "escalation", 0).update(person="mallory"),
}


@pytest.mark.parametrize("place", STRANGER)
def test_person_whom_the_charter_does_not_list_is_refused_by_id(load: Load, place: str) -> None:
    with pytest.raises(Refused, match="people does not list mallory"):
        load(STRANGER[place])


@pytest.mark.parametrize("who", ["Alex Clerk", "ap@example.com", "mailto:ap@example.com", ""])
def test_policy_takes_ids_not_names_or_addresses(load: Load, who: str) -> None:
    with pytest.raises(Refused, match=r"policy\.approval\.steps\.0\.voters\.0"):
        load(lambda content: at(content, *STEP).update(voters=[who]))


def test_shipped_policy_holds_no_name_and_no_address(shipped: Path, process: Process) -> None:
    charter = process.load_charter(Settings(charters=shipped.parent))

    policy = charter.policy.model_dump_json()

    personal = [word for person in charter.people for word in (person.name, person.contact)]
    assert [word for word in personal if word in policy] == []


def test_charter_of_another_process_is_refused(load: Load, process: Process) -> None:
    with pytest.raises(Refused, match=f"is for contract-approval-2, not for {process.name}"):
        load(lambda content: content.update(process="contract-approval-2"))


def test_person_cannot_be_made_a_rung_that_is_trusted_alone(load: Load) -> None:
    with pytest.raises(Refused, match="autonomous_rungs cannot name person"):
        load(lambda content: at(content, "policy").update(autonomous_rungs=["person"]))


def test_policy_without_steps_is_refused(load: Load) -> None:
    with pytest.raises(Refused, match="an approval has steps"):
        load(lambda content: at(content, "policy", "approval").update(steps=[]))


def test_step_without_voters_is_refused(load: Load) -> None:
    with pytest.raises(Refused, match=r"policy\.approval\.steps\.0\.voters"):
        load(lambda content: at(content, *STEP).update(voters=[]))


def test_charter_in_the_older_shape_is_taken(load: Load) -> None:
    people: list[str] = []

    def older(content: dict[str, Any]) -> None:
        people.extend(person["id"] for person in content["people"][:2])
        approval = at(content, "policy", "approval")
        del approval["steps"]
        approval.update(approvers=people, remind_after="P1D", patience="P3D")

    assert load(older).policy.approval.approvers == tuple(people)


def test_missing_charter_is_refused_with_the_path_where_it_belongs(process: Process, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=f"{tmp_path / process.name}.yaml is missing"):
        process.load_charter(Settings(charters=tmp_path))


def test_charter_that_is_no_yaml_is_refused_with_the_line(shipped: Path, process: Process, tmp_path: Path) -> None:
    (tmp_path / shipped.name).write_text("process: [unclosed\nowner: x\n")

    with pytest.raises(Refused, match="line 2"):
        process.load_charter(Settings(charters=tmp_path))


PARTS = ("stakeholders", "workflow", "data", "failures", "metrics", "models", "oversight", "monitoring")


def test_charter_of_before_there_were_these_parts_is_taken(load: Load) -> None:
    def older(content: dict[str, Any]) -> None:
        for part in PARTS:
            del content[part]

    assert load(older).workflow == ()


def test_metric_that_the_review_cannot_compute_is_refused(load: Load) -> None:
    with pytest.raises(Refused, match=r"line \d+: metrics\.0\.name: "):
        load(lambda content: at(content, "metrics", 0).update(name="happiness"))


@pytest.mark.parametrize("part", ["workflow", "metrics"])
def test_name_that_stands_twice_is_refused(load: Load, part: str) -> None:
    with pytest.raises(Refused, match=f"{part} has .* more than once"):
        load(lambda content: content[part].append(content[part][0]))


def test_map_that_leads_nowhere_is_refused(load: Load) -> None:
    with pytest.raises(Refused, match="workflow leads to limbo"):
        load(lambda content: at(content, "workflow", 0).update(next=["limbo"]))


@pytest.mark.parametrize("again", ["purpose: another\n", "policy: {}\n"])
def test_key_that_stands_twice_is_refused_with_its_line(
    shipped: Path, process: Process, tmp_path: Path, again: str
) -> None:
    text = shipped.read_text()
    (tmp_path / shipped.name).write_text(text + again)

    with pytest.raises(Refused, match=rf"(?s)twice.*line {text.count(chr(10)) + 1}"):
        process.load_charter(Settings(charters=tmp_path))


def test_wrong_value_is_told_with_its_line(shipped: Path, process: Process, tmp_path: Path) -> None:
    text = shipped.read_text().replace("min_confidence: ", "min_confidence: 7", 1)
    (tmp_path / shipped.name).write_text(text)
    line = next(number for number, words in enumerate(text.splitlines(), 1) if "min_confidence: 7" in words)

    with pytest.raises(Refused, match=rf"line {line}: policy\.min_confidence: "):
        process.load_charter(Settings(charters=tmp_path))
