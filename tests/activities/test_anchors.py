"""Anchors and bundles: a database that was rewritten whole is noticed, and a bundle proves itself to a stranger."""

import base64
import json
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from activities.anchors import Anchors, NoAnchor, layers_of, path_of
from activities.audit import Audit
from activities.bundle import NAME, check, root_over
from activities.erasure import Eraser
from activities.store import Blobs
from schemas.audit import Fault
from schemas.message import digest_of
from starters.command import app
from tests.activities.test_audit import tamper

KEY = Ed25519PrivateKey.generate()
PUBLIC, OTHER = (key.public_key().public_bytes_raw().hex() for key in (KEY, Ed25519PrivateKey.generate()))


@pytest.fixture
def anchors(audit: Audit, tmp_path: Path) -> Anchors:
    return Anchors(audit, LocalFileSystem(), str(tmp_path / "anchors"))


@pytest.fixture
def anchored(anchors: Anchors, audit: Audit, case: str) -> Anchors:
    """Two anchors, over a case and its neighbours."""
    for number in range(4):
        audit.record(f"invoice-intake/{number}", "case.started", {"number": number})
    anchors.add(KEY)
    audit.record(case, "model.read", {"supplier": "Morgentau Glaserei"})
    anchors.add(KEY)
    audit.record(case, "crm.ended", {"record": "7"})
    return anchors


def altered(bundle: bytes, change: Any) -> BytesIO:
    with zipfile.ZipFile(BytesIO(bundle)) as opened:
        told = json.loads(opened.read(NAME))
    change(told)
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr(NAME, json.dumps(told))
    return whole


def test_chain_that_was_cut_and_made_good_again_is_noticed(
    anchored: Anchors, audit: Audit, case: str, engine: Engine
) -> None:
    tamper(
        engine,
        f"DELETE FROM audit_entries WHERE seq > 1 AND case_id = '{case}'",
        f"UPDATE audit_heads SET seq = 1, digest = (SELECT digest FROM audit_entries WHERE case_id = '{case}') "
        f"WHERE case_id = '{case}'",
    )

    heads, wrong = anchored.heads(PUBLIC)

    assert (audit.verify(case), wrong) == ([], [])
    assert audit.verify(case, heads[case]) == [Fault(case=case, seq=2, problem="was cut off: the chain ends at 1")]


def test_each_anchor_holds_only_what_has_grown(anchored: Anchors, case: str) -> None:
    assert [len(anchor.heads) if anchor else 0 for anchor in anchored.all()] == [5, 1]
    assert anchored.heads(PUBLIC)[1] == []


@pytest.mark.parametrize(
    ("was", "now"), [('"seq":1', '"seq":2'), ('"count":5', '"count":4'), ('"heads":', '"tails":'), ("{", "")]
)
def test_altered_anchor_is_named(anchored: Anchors, was: str, now: str) -> None:
    path = Path(anchored.root, "anchor-00000001.json")
    path.write_text(path.read_text().replace(was, now, 1))

    assert [problem[:8] for problem in anchored.heads(PUBLIC)[1]][:1] == ["anchor 1"]


def test_removed_anchor_and_anchors_of_somebody_else_are_named(anchored: Anchors) -> None:
    assert len(anchored.heads(OTHER)[1]) == 2

    Path(anchored.root, "anchor-00000001.json").unlink()

    assert anchored.heads(PUBLIC)[1] == ["anchor 1 is missing, or does not follow from the one before it"]


@pytest.mark.parametrize("count", range(1, 10))
def test_every_leaf_has_a_path_to_the_root(count: int) -> None:
    leaves = [digest_of(bytes([number])) for number in range(count)]

    assert {root_over(leaf, path_of(leaves, place)) for place, leaf in enumerate(leaves)} == {layers_of(leaves)[-1][0]}


def test_bundle_proves_itself_to_whoever_has_the_public_key_alone(anchored: Anchors, case: str, tmp_path: Path) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(anchored.export(case))
    with zipfile.ZipFile(file) as opened:
        (tmp_path / "check.py").write_bytes(opened.read("check.py"))

    def told(key: str) -> subprocess.CompletedProcess[str]:
        # Isolated, and elsewhere: nothing of ours can be imported.
        command = [sys.executable, "-I", str(tmp_path / "check.py"), str(file), key]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    good, other = told(PUBLIC), told(OTHER)

    assert (good.returncode, good.stdout) == (0, f"{case}: good, anchored to entry 2\n")
    assert (other.returncode, other.stdout) == (1, "the anchor was not signed with this key\n")


def _seal(told: dict[str, Any]) -> None:
    told["entries"][1]["sealed"] = base64.b64encode(b"x" * 40).decode()


ALTERATIONS = [
    lambda told: told["entries"][1]["body"].update(supplier="Nobody"),
    lambda told: told["entries"].pop(1),
    lambda told: told["entries"][0].update(kind="case.rerun"),
    lambda told: told["anchor"].update(seq=3, digest=told["entries"][2]["digest"]),
    lambda told: told["anchor"].update(at="2020-01-01"),
    lambda told: told["anchor"].update(path=[["left", told["anchor"]["root"]]]),
    lambda told: told.update(case="invoice-intake/1"),
    lambda told: told.update(key=""),
    lambda told: told.pop("entries"),
    _seal,
]


@pytest.mark.parametrize("change", ALTERATIONS)
def test_altered_bundle_is_refused(anchored: Anchors, case: str, change: Any) -> None:
    faults, _ = check(altered(anchored.export(case), change), PUBLIC)

    assert faults


def test_bundle_of_an_erased_case_still_proves_what_was_done_when(
    anchored: Anchors, audit: Audit, blobs: Blobs, case: str
) -> None:
    Eraser(audit, blobs).erase(case, "privacy", "asked")

    faults, held = check(BytesIO(anchored.export(case)), PUBLIC)

    assert (faults, {entry["body"] for entry in held["entries"]}, held["key"]) == ([], {None}, "")


def test_case_that_no_anchor_knows_has_no_bundle(anchors: Anchors, case: str) -> None:
    with pytest.raises(NoAnchor, match="casework audit anchor"):
        anchors.export(case)


def test_commands_anchor_verify_export_and_check(tmp_path: Path, engine: Engine, case: str, blobs: Blobs) -> None:
    env = {
        "CASEWORK_HOME": str(tmp_path),
        "CASEWORK_DATABASE_URL": str(engine.url),
        "CASEWORK_PORT": "1",
    }

    def run(*words: str) -> tuple[int, Any]:
        done = CliRunner().invoke(app, ["audit", *words, "--json"], env=env)
        return done.exit_code, json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.exception

    _, made = run("anchor")
    good, _ = run("verify", "--anchors")
    exported = CliRunner().invoke(app, ["audit", "export", case, "--out", str(tmp_path / "b.zip")], env=env)
    checked = run("check", str(tmp_path / "b.zip"), "--key", made["public_key"])
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_entries_no_delete"))
        for table, name in (("audit_entries", "case_id"), ("audit_heads", "case_id"), ("cases", "id")):
            connection.execute(text(f"DELETE FROM {table} WHERE {name} = '{case}'"))
    bad, told = run("verify", "--anchors", "--key", made["public_key"])

    assert (good, exported.exit_code, bad) == (0, 0, 1)
    assert checked == (0, {"case": case, "entries": 1, "faults": []})
    assert told["faults"] == [
        {"case": case, "seq": 1, "problem": "an anchor has it, but the case is gone from every table"}
    ]
