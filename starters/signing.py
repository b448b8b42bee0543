"""Signing: an approver's own private key, in a file or in the keyring of the operating system, and what it signs."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from schemas.approval import Decision
from schemas.tables import CaseRow
from starters.refused import Refused
from workers.settings import Settings

KEYRING = Path("keyring:")
"""CASEWORK_KEYS says this to keep keys in the operating system's keyring, under the service `casework`."""
GOOD_FOR = timedelta(days=1)
"""How long a signature outlives the deadline of its step, or now: a reset, a question, or workers that were away past
the deadline make the case hear it later."""


def signed(settings: Settings, row: CaseRow, said: Decision) -> Decision:
    """With the sender's signature when their key is on this machine; with a code, or without either, as it stands."""
    key = None if said.code else private_key(settings.key_folder, said.by)
    if key is None:
        return said
    now = datetime.now(UTC)
    expiring = said.model_copy(update={"expires": max(row.due or now, now) + GOOD_FOR})
    return expiring.model_copy(update={"signature": key.sign(expiring.signed(row.id, row.runs)).hex()})


def public_half(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def private_key(folder: Path, person: str) -> Ed25519PrivateKey | None:
    """The key of this person that is kept here, or None. A key that others can read is refused."""
    if folder == KEYRING:
        kept = _keyring("get_password", person)
        return _loaded(kept.encode(), "the keyring") if kept else None
    path = folder / f"{person}.pem"
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise Refused(f"others on this machine can read {path}: 'chmod 600 {path}', or revoke it and make another")
    return _loaded(path.read_bytes(), str(path))


def new_key(folder: Path, person: str) -> Ed25519PrivateKey:
    """Make a key and keep it; never over another."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if folder == KEYRING:
        _keyring("set_password", person, pem.decode())
        return key
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / f"{person}.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return key


def _loaded(pem: bytes, where: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(f"what {where} holds is no Ed25519 private key in PEM without a password")
    return key


def _keyring(ask: str, *words: str) -> Any:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise Refused("CASEWORK_KEYS names the keyring: 'pip install keyring' first, or name a folder") from None
    try:
        return getattr(keyring, ask)("casework", *words)
    except KeyringError as error:
        # A server without a desktop has no keyring, and a locked one does not answer.
        raise Refused(f"CASEWORK_KEYS names the keyring, which cannot be used: {error}") from None
