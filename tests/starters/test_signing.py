"""Signing: an approver's own key is made once, kept from others, and signs what its owner decides on this machine."""

import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from activities.proof import signature_fits
from schemas.approval import Decision
from schemas.tables import CaseRow
from starters.refused import Refused
from starters.signing import new_key, private_key, public_half, signed
from workers.settings import Settings

CASE = "invoice-intake/1"
DUE = datetime.now(UTC) + timedelta(days=3)
SAID = Decision(id="n-1", by="ann", verdict="approve", draft="a" * 64, step="legal")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def row(**values: Any) -> CaseRow:
    return CaseRow(id=CASE, process="invoice-intake", started_at=datetime.now(UTC), **values)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_key_is_kept_where_its_owner_alone_reads_it(settings: Settings) -> None:
    made = new_key(settings.key_folder, "ann")

    kept = private_key(settings.key_folder, "ann")
    assert kept is not None
    assert public_half(kept) == public_half(made)
    assert (mode(settings.key_folder), mode(settings.key_folder / "ann.pem")) == (0o700, 0o600)


def test_key_is_never_made_over_another(settings: Settings) -> None:
    made = new_key(settings.key_folder, "ann")

    with pytest.raises(FileExistsError):
        new_key(settings.key_folder, "ann")

    kept = private_key(settings.key_folder, "ann")
    assert kept is not None
    assert public_half(kept) == public_half(made)


@pytest.mark.parametrize("readable", [0o640, 0o604, 0o660])
def test_key_that_others_can_read_is_refused_with_what_to_type(settings: Settings, readable: int) -> None:
    new_key(settings.key_folder, "ann")
    path = settings.key_folder / "ann.pem"
    path.chmod(readable)

    with pytest.raises(Refused, match=f"chmod 600 {path}"):
        signed(settings, row(), SAID)


def test_file_that_is_no_key_is_refused(settings: Settings) -> None:
    settings.key_folder.mkdir()
    path = settings.key_folder / "ann.pem"
    path.touch(mode=0o600)

    with pytest.raises(Refused, match="no Ed25519 private key"):
        private_key(settings.key_folder, "ann")


def test_key_of_another_kind_or_behind_a_password_is_refused(settings: Settings) -> None:
    settings.key_folder.mkdir()
    path = settings.key_folder / "ann.pem"
    path.touch(mode=0o600)
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )

    for pem in (other, locked):
        path.write_bytes(pem)
        with pytest.raises(Refused, match="no Ed25519 private key"):
            private_key(settings.key_folder, "ann")


def test_decision_of_whoever_has_a_key_here_is_signed_over_the_case(settings: Settings) -> None:
    public = public_half(new_key(settings.key_folder, "ann"))

    said = signed(settings, row(due=DUE), SAID)

    assert signature_fits(public, said.signed(CASE, 1), said.signature)
    assert not signature_fits(public, said.signed("invoice-intake/2", 1), said.signature)


def test_signature_survives_the_journey(settings: Settings) -> None:
    public = public_half(new_key(settings.key_folder, "ann"))
    said = signed(settings, row(due=DUE), SAID.model_copy(update={"note": "Größe geprüft ✓"}))

    heard = Decision.model_validate_json(said.model_dump_json())

    assert signature_fits(public, heard.signed(CASE, 1), heard.signature)


@pytest.mark.parametrize("due", [DUE, None])
def test_signature_outlives_the_deadline_and_ends(settings: Settings, due: datetime | None) -> None:
    new_key(settings.key_folder, "ann")

    said = signed(settings, row(due=due), SAID)

    assert said.expires is not None
    last = due or datetime.now(UTC)
    assert last < said.expires < last + timedelta(days=30)


def test_signature_made_long_after_a_deadline_that_no_worker_acted_on_is_good(settings: Settings) -> None:
    new_key(settings.key_folder, "ann")

    said = signed(settings, row(due=datetime.now(UTC) - timedelta(days=5)), SAID)

    assert said.expires is not None
    assert said.expires > datetime.now(UTC)


def test_decision_of_whoever_has_no_key_here_stays_as_it_is(settings: Settings) -> None:
    new_key(settings.key_folder, "ann")

    said = SAID.model_copy(update={"by": "bob"})

    assert signed(settings, row(due=DUE), said) == said


def test_decision_that_comes_with_a_code_is_not_signed_as_well(settings: Settings) -> None:
    new_key(settings.key_folder, "ann")
    said = SAID.model_copy(update={"code": "ABCDE-12345"})

    assert signed(settings, row(due=DUE), said) == said


def test_keyring_that_is_not_installed_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    chosen = settings.model_copy(update={"keys": Path("keyring:")})

    with pytest.raises(Refused, match="keyring"):
        signed(chosen, row(due=DUE), SAID)
