"""The commands of whoever keeps the directory: who is entered and revoked, and what is refused before it is kept."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.audit import Link
from starters.command import app
from starters.refused import Refused
from workers.build import built
from workers.settings import Settings

ELSEWHERE = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
"""The public key of RFC 8032's first test vector."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CASEWORK_KEYS", "CASEWORK_CODE_KEY", "CASEWORK_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CASEWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CASEWORK_PERSON", "keeper")
    return tmp_path / "home"


def approver(*words: str) -> Result:
    return CliRunner().invoke(app, ["approver", *words])


def listed() -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in json.loads(approver("list", "--json").stdout)}


def chain(person: str) -> list[tuple[Link, object]]:
    with built(Settings.from_env()) as parts:
        return list(parts.audit.entries(f"directory/{person}"))


def test_person_entered_without_a_key_has_one_made_here(home: Path) -> None:
    assert approver("add", "ann", "--in", "group:legal", "--in", "role:executive").exit_code == 0

    assert (home / "keys" / "ann.pem").exists()
    assert listed()["ann"]["groups"] == ["group:legal", "role:executive"]
    assert listed()["ann"]["public_key"] == approver("key", "ann").stdout.strip()


def test_person_entered_again_keeps_the_key_that_is_here() -> None:
    approver("add", "ann")
    before = listed()["ann"]["public_key"]

    assert approver("add", "ann", "--in", "group:legal").exit_code == 0
    assert listed()["ann"]["public_key"] == before


def test_key_of_another_machine_is_entered_and_none_is_made(home: Path) -> None:
    assert approver("add", "ann", "--key", ELSEWHERE).exit_code == 0

    assert listed()["ann"]["public_key"] == ELSEWHERE
    assert not (home / "keys").exists()


def test_key_alone_is_printed_twice_alike_and_enters_nobody() -> None:
    first, second = approver("key", "ann"), approver("key", "ann")

    assert first.stdout == second.stdout
    assert len(bytes.fromhex(first.stdout)) == len(bytes.fromhex(ELSEWHERE))
    assert listed() == {}


def test_revoked_person_stays_listed_as_revoked() -> None:
    approver("add", "ann")

    assert approver("revoke", "ann").exit_code == 0
    assert listed()["ann"]["revoked_at"]


@pytest.mark.parametrize("times", [0, 1])
def test_revoking_nobody_or_somebody_twice_fails_with_the_reason(times: int) -> None:
    for _ in range(times):
        approver("add", "ann")
        approver("revoke", "ann")

    refused = approver("revoke", "ann").exception

    assert isinstance(refused, Refused)
    assert "ann is not in the directory" in str(refused)


@pytest.mark.parametrize(
    "words",
    [
        ["add", "Ann"],
        ["add", "../ann"],
        ["add", "group:legal"],
        ["add", "ann", "--in", "legal"],
        ["add", "ann", "--in", "team:legal"],
        ["add", "ann", "--in", "group:"],
        ["add", "ann", "--key", ELSEWHERE[:-2]],
        ["add", "ann", "--key", "z" * 64],
        ["add", "ann", "--key", "00" * 32],  # of order 4: a signature of anybody fits
        ["add", "ann", "--key", "01" + "00" * 31],
        ["add", "ann", "--key", "ec" + "ff" * 30 + "7f"],
        ["key", "../ann"],
        ["revoke", "Ann"],
    ],
    ids=" ".join,
)
def test_what_is_no_id_group_or_key_is_wrong_use_and_keeps_nothing(home: Path, words: list[str]) -> None:
    assert approver(*words).exit_code == 2

    assert not list(home.glob("**/*.pem"))
    assert listed() == {}


@pytest.mark.parametrize(("words", "who"), [([], "keeper"), (["--as", "auditor"], "auditor")])
def test_audit_says_who_entered_somebody(words: list[str], who: str) -> None:
    approver("add", "ann", *words)

    [(_, body)] = chain("ann")
    assert isinstance(body, dict)
    assert body["by"] == who


@pytest.mark.parametrize("command", ["add", "revoke"])
def test_nobody_is_entered_or_revoked_by_somebody_who_does_not_say_who_they_are(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    approver("add", "ann")
    monkeypatch.delenv("CASEWORK_PERSON")

    assert approver(command, "ann").exit_code == 2

    assert len(chain("ann")) == 1
