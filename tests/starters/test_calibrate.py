"""`casework calibrate`: a proved threshold or a refusal with numbers, and an artefact that cases find by its digest."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from schemas.confidence import Calibration
from schemas.message import digest_of
from starters.command import app
from starters.demo import SAMPLES

DATA = Path(__file__).parents[3] / "shared" / "data" / "evaluate"
on_corpora = pytest.mark.skipif(not DATA.is_dir(), reason="shared/data is not here")
EINVOICES = {
    "northwind-paper-RE-2026-0117.pdf": "RE-2026-0117",
    "atelier-lumora-facture-F2026-042.pdf": "F2026-042",
    "tessel-vonk-invoice-TV-26-0093.pdf": "TV-26-0093",
}


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["calibrate", *arguments, "--json"], env={"CASEWORK_HOME": str(home)})


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    lines = [
        json.dumps({"source": str(SAMPLES / name), "expected": {"invoice_number": number}})
        for name, number in EINVOICES.items()
    ]
    file = tmp_path / "labelled.jsonl"
    file.write_text("\n".join(lines))
    return file


def test_few_labels_are_refused_with_how_many_are_lacking(tmp_path: Path, labelled: Path) -> None:
    result = run(tmp_path / "home", "invoice-intake", "--labelled", str(labelled))

    choice = json.loads(result.stdout)["choice"]
    assert result.exit_code == 1
    assert (choice["threshold"], choice["errors"], choice["needed"]) == (None, 0, 299)
    # Every one of the three may go straight through, so it takes as many labels as decisions.
    assert (choice["taken"], choice["more_labels"]) == (3, 296)


def test_modest_risk_is_proved_by_what_there_is(tmp_path: Path, labelled: Path) -> None:
    # Three cases without an error bound it at 1 - 0.4 ** (1 / 3), which is 26 %.
    result = run(
        tmp_path / "home", "invoice-intake", "--labelled", str(labelled), "--risk", "0.3", "--confidence", "0.6"
    )

    assert (result.exit_code, json.loads(result.stdout)["choice"]["threshold"]) == (0, 0.9)


def test_artefact_is_kept_under_its_digest_and_in_a_folder_with_pictures(tmp_path: Path, labelled: Path) -> None:
    told = json.loads(run(tmp_path / "home", "invoice-intake", "--labelled", str(labelled)).stdout)

    digest, folder = told["digest"], Path(told["folder"])
    data = (folder / "calibration.json").read_bytes()
    assert digest_of(data) == digest
    assert (tmp_path / "home" / "blobs" / digest[:2] / digest).read_bytes() == data
    assert Calibration.model_validate_json(data).process == "invoice-intake"
    for picture in ("reliability.svg", "risk-coverage.svg"):
        assert ET.parse(folder / picture).getroot().tag.endswith("svg")


def test_process_whose_cases_cannot_be_judged_yet_says_so(tmp_path: Path) -> None:
    result = run(tmp_path / "home", "contract-approval")

    assert "only invoice-intake" in str(result.exception)


def test_home_without_decided_cases_says_what_to_do(tmp_path: Path) -> None:
    result = run(tmp_path / "home", "invoice-intake")

    assert "--labelled" in str(result.exception)


@on_corpora
def test_the_26_e_invoices_prove_no_hundredth(tmp_path: Path) -> None:
    told = json.loads(run(tmp_path, "invoice-intake", "--labelled", str(DATA / "einvoices.jsonl")).stdout)

    assert (told["tested_on"], told["choice"]["threshold"], told["choice"]["needed"]) == (26, None, 299)


@on_corpora
def test_receipts_are_calibrated_better_than_they_are_read(tmp_path: Path) -> None:
    told = json.loads(run(tmp_path, "invoice-intake", "--labelled", str(DATA / "receipts-text.jsonl")).stdout)

    assert told["calibrated"]["ece"] < 0.03 < told["read"]["ece"]
    assert told["calibrated"]["brier"] < told["read"]["brier"]
    assert told["calibrated"]["auroc"] > 0.8
    assert told["calibrated"]["populated"] > 1
