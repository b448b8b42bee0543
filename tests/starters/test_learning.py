"""`casework calibrate request-triage` and `casework evaluate` of requests: what was learned is what is measured."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from starters.command import app

GREETINGS, PARTINGS = (
    [f"{greeting} {name}" for greeting in greetings for name in ("Ann", "Bob", "Cid")]
    for greetings in (("hello", "good morning", "welcome"), ("goodbye", "farewell", "see you later"))
)


def labelled(folder: Path, lines: Sequence[tuple[str, str | None]]) -> Path:
    file = folder / "labelled.jsonl"
    label = [json.dumps({"source": None, "text": text, "expected": {"category": name}}) for text, name in lines]
    file.write_text("\n".join(label))
    return file


def run(folder: Path, *args: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, args), "--json"], env={"CASEWORK_HOME": str(folder / "home")})


LINES = [(text, "greeting") for text in GREETINGS] + [(text, "parting") for text in PARTINGS]


def test_categories_are_learned_from_the_file_and_measured_with_the_newest_artefact(tmp_path: Path) -> None:
    file = labelled(tmp_path, LINES)
    taught = run(tmp_path, "calibrate", "request-triage", "--labelled", file)
    measured = run(tmp_path, "evaluate", "request-triage", file)

    assert json.loads(taught.stdout)["categories"] == ["greeting", "parting"]
    assert json.loads(measured.stdout)["in_scope_accuracy"] == 1.0


def test_threshold_is_proved_for_a_stated_risk_or_refused_with_what_is_lacking(tmp_path: Path) -> None:
    file = labelled(tmp_path, LINES)

    refused = run(tmp_path, "calibrate", "request-triage", "--labelled", file)
    modest = run(tmp_path, "calibrate", "request-triage", "--labelled", file, "--risk", "0.3", "--confidence", "0.9")

    told, lacking = json.loads(modest.stdout), json.loads(refused.stdout)["choice"]
    assert (refused.exit_code, lacking["threshold"], lacking["needed"]) == (1, None, 299)
    # Six or seven answers without an error bound it at 1 - 0.1 ** (1 / 7), which is 28 %.
    assert (modest.exit_code, told["choice"]["errors"], told["choice"]["threshold"] is not None) == (0, 0, True)
    assert told["artefact"].endswith(f"{told['classifier']}.npz")
    assert (tmp_path / "home" / "blobs" / told["digest"][:2] / told["digest"]).exists()


def test_before_anything_is_learned_the_charters_own_examples_classify(tmp_path: Path) -> None:
    file = labelled(tmp_path, [("Where is my parcel, order HL-20418?", "order_status"), ("Tell me a joke", None)])

    figures = json.loads(run(tmp_path, "evaluate", "request-triage", file).stdout)

    assert (figures["in_scope_accuracy"], figures["none_recall"]) == (1.0, 1.0)
    assert not (tmp_path / "home").exists()


def test_artefact_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    file = labelled(tmp_path, LINES)

    result = run(tmp_path, "evaluate", "request-triage", file, "--model", tmp_path / "gone.npz")

    assert "gone.npz is missing: 'casework calibrate request-triage --labelled FILE' learns" in str(result.exception)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [([("hello", "greeting")], "at least two categories"), ([("a", "one"), ("b", "two")], "4 different examples each")],
)
def test_too_few_examples_are_refused_with_what_is_missing(
    tmp_path: Path, lines: list[tuple[str, str | None]], problem: str
) -> None:
    result = run(tmp_path, "calibrate", "request-triage", "--labelled", labelled(tmp_path, lines))

    assert problem in str(result.exception)
    assert not (tmp_path / "home").exists()
