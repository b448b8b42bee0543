"""`casework evaluate`: one object of figures on standard output, nothing written, and a clear word on bad files."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from schemas.calibration import Choice
from schemas.confidence import WHOLE, Calibration, Figures, Weights
from schemas.invoice import FIELDS
from starters.command import app
from starters.commands.evaluate import labelled_in
from starters.demo import SAMPLES
from starters.refused import Refused
from workers.records import blobs_of
from workers.settings import Settings

EINVOICE = SAMPLES / "northwind-paper-RE-2026-0117.pdf"
RECEIPT = "Bolt Hardware Ltd\nReceipt\nDate: 2026-03-02\nTotal EUR 12.00\nCash EUR 12.00\n"


def run(folder: Path, *lines: object, options: tuple[str, ...] = (), **more: str) -> Result:
    file = folder / "labelled.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    env = {"CASEWORK_HOME": str(folder / "home"), **more}
    return CliRunner().invoke(app, ["evaluate", "invoice-intake", str(file), "--json", *options], env=env)


def einvoice(number: str = "RE-2026-0117") -> object:
    return {"source": str(EINVOICE), "expected": {"invoice_number": number}}


def test_figures_are_one_object_and_nothing_is_written(tmp_path: Path) -> None:
    result = run(tmp_path, einvoice(), {"source": None, "text": RECEIPT, "expected": {"gross_amount": "12.00"}})

    figures = json.loads(result.stdout)
    assert (figures["n"], figures["fields"]) == (2, {"invoice_number": 1.0, "gross_amount": 1.0})
    assert figures["rungs"] == {"embedded-reader": 1, "embedded-xml": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["labelled.jsonl"]


def test_same_invoice_twice_is_straight_through_twice_as_nothing_was_booked(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, einvoice(), einvoice()).stdout)["straight_through_rate"] == 1.0


def test_wrong_value_that_goes_straight_through_is_counted_and_listed(tmp_path: Path) -> None:
    figures = json.loads(run(tmp_path, einvoice("RE-2026-0118"), options=("--misses",)).stdout)

    assert figures["straight_through_error_rate"] == 1.0
    (miss,) = figures["misses"]
    assert (miss["expected"], miss["found"]) == ("RE-2026-0118", "RE-2026-0117")
    assert "RE-2026-0117" in miss["evidence"]


def test_reader_picks_the_rung(tmp_path: Path) -> None:
    figures = json.loads(run(tmp_path, einvoice(), options=("--reader", "embedded-reader")).stdout)

    assert figures["rungs"] == {"embedded-reader": 1}


def test_calibration_of_the_policy_is_how_sure_a_case_is(tmp_path: Path) -> None:
    """One that learnt that nothing is ever right, and proved its threshold all the same."""
    doubting = {WHOLE: Weights(intercept=-9, signals={}, right=50, wrong=50)}
    unread = Figures(n=0, ece=0, auroc=None, brier=0, populated=0)
    choice = Choice(risk=0.1, confidence=0.9, threshold=0.5, candidate=0.5, of=50, taken=50, errors=0, bound=0.05)
    made = Calibration(
        process="invoice-intake", made_at=datetime(2026, 11, 2, tzinfo=UTC), labels="labelled", fitted_on=100,
        tested_on=50, segments=doubting, read=unread, calibrated=unread, choice=choice,
    )  # fmt: skip
    digest = blobs_of(Settings(home=tmp_path / "home")).put(made.model_dump_json().encode())

    assert straight_under(tmp_path, digest) == 0.0


def test_calibration_that_is_gone_lets_nothing_through(tmp_path: Path) -> None:
    assert straight_under(tmp_path, "0" * 64) == 0.0


def straight_under(folder: Path, digest: str) -> float:
    """How many of the clean cases go straight through under a charter that names this calibration."""
    charters = folder / "charters"
    charters.mkdir()
    charter = yaml.safe_load((Settings().charters / "invoice-intake.yaml").read_text())
    charter["policy"]["calibration"] = digest
    (charters / "invoice-intake.yaml").write_text(yaml.safe_dump(charter))
    rate: float = json.loads(run(folder, einvoice(), CASEWORK_CHARTERS=str(charters)).stdout)["straight_through_rate"]
    return rate


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "line 2: the line: Invalid JSON"),
        ('{"source": null, "text": "x"}', "line 2: expected: Field required"),
        ('{"source": null, "txt": "x", "expected": {}}', "line 2: txt: Extra inputs are not permitted"),
        ('{"source": "gone.pdf", "expected": {}}', "line 2: .*gone.pdf is no file"),
        ('{"source": null, "text": "x", "expected": {"colour": "red"}}', "line 2: no field is called colour"),
        ('{"source": null, "expected": {}}', "line 2: name a source"),
    ],
)
def test_bad_line_is_named_before_anything_is_measured(tmp_path: Path, line: str, problem: str) -> None:
    file = tmp_path / "labelled.jsonl"
    file.write_text(f'{{"source": null, "text": "x", "expected": {{}}}}\n{line}\n')

    with pytest.raises(Refused, match=problem):
        labelled_in(file, FIELDS)


def test_text_may_hold_any_character_that_json_allows(tmp_path: Path) -> None:
    line: dict[str, object] = {"source": None, "text": "Bolt\u2028Hardware\x85Ltd", "expected": {}}
    file = tmp_path / "labelled.jsonl"
    file.write_text(json.dumps(line, ensure_ascii=False) + "\r\n")

    assert [label.text for label in labelled_in(file, FIELDS)] == [line["text"]]
