"""The payload codec: what stands in Temporal's histories is sealed, under a key of its case that can be erased."""

import asyncio
import os
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from stat import S_IMODE
from time import monotonic
from typing import Self

import yaml
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from google.protobuf.message import DecodeError
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec, SerializationContext, WithSerializationContext

from activities.store import reading, writing
from schemas.tables import CaseKey
from workers.database import connect_database
from workers.settings import BadSettings, Settings

ENCODING = b"binary/encrypted"
KEY, CASE, UNDECODED = "casework-key", "casework-case", "casework-undecoded"
"""What stands in a payload's metadata: the key of the installation, the case whose key it is mixed with, and why it
could not be decoded."""
NONCE, KEY_BYTES = 12, 32
USED = "codec/"
"""Rows of this name among the keys of cases prove which keys of the installation have written."""
REMEMBERED, SECONDS = 10_000, 60
"""So many keys of cases are remembered, for so long: an erased one is gone from every process after a minute."""


class NoSuchCase(Exception):
    """No case of this name has a key."""


@dataclass(frozen=True)
class Codec(PayloadCodec, WithSerializationContext):
    """AES-256-GCM under a key derived from a key of the installation and the key that seals the case's audit.

    The last of `keys` writes, all of them read. What belongs to no case we entered is under the installation's key
    alone. A payload says itself which keys it needs, so that a history file or the Temporal UI needs no more.
    """

    keys: dict[str, bytes]
    case_key: Callable[[str], bytes | None]
    """The key of a case, None when it was erased; raises NoSuchCase."""
    case: str = ""

    def with_context(self, context: SerializationContext) -> Self:
        workflow: str = getattr(context, "workflow_id", None) or ""
        # What runs beside a case, its notices for one, is named after it.
        return replace(self, case="/".join(workflow.split("/")[:2]))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        key = next(reversed(self.keys))
        case, salt = self.case, None
        try:
            salt = await self._salt(case)
        except NoSuchCase:
            case, salt = "", b""
        if salt is None:  # what is written to an erased case is erased too
            salt = os.urandom(KEY_BYTES)
        named = {"encoding": ENCODING, KEY: key.encode(), CASE: case.encode()}
        sealer, about = AESGCM(_derived(self.keys[key], salt)), _about(named)
        return [Payload(metadata=named, data=_sealed(sealer, it.SerializeToString(), about)) for it in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Plain payloads, which the Temporal UI sends, and those that cannot be decoded come back as they are.

        Nothing is raised for what a payload holds, which would block its case for ever; a database that is away is.
        """
        return [await self._opened(it) if it.metadata.get("encoding") == ENCODING else it for it in payloads]

    async def _opened(self, payload: Payload) -> Payload:
        try:
            key, salt = self.keys[payload.metadata[KEY].decode()], await self._salt(payload.metadata[CASE].decode())
            if salt is None:
                return _marked(payload, "its case was erased")
            opener, about = AESGCM(_derived(key, salt)), _about(payload.metadata)
            return Payload.FromString(opener.decrypt(payload.data[:NONCE], payload.data[NONCE:], about))
        except (KeyError, ValueError, InvalidTag, DecodeError, NoSuchCase) as error:
            return _marked(payload, f"no payload of this installation ({type(error).__name__})")

    async def _salt(self, case: str) -> bytes | None:
        return await asyncio.to_thread(self.case_key, case) if case else b""


def _derived(key: bytes, salt: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt, b"casework payload").derive(key)


def _about(metadata: Mapping[str, bytes]) -> bytes:
    return metadata[KEY] + b"\0" + metadata[CASE]


def _sealed(sealer: AESGCM, data: bytes, about: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + sealer.encrypt(nonce, data, about)


def _marked(payload: Payload, why: str) -> Payload:
    return Payload(metadata={**payload.metadata, UNDECODED: why.encode()}, data=payload.data)


def case_keys(engine: Engine) -> Callable[[str], bytes | None]:
    """The keys of cases, as they stood a minute ago at most."""

    @lru_cache(REMEMBERED)
    def read(case: str, _minute: int) -> bytes | None:
        with reading(engine) as session:
            row = session.get(CaseKey, case)
        if row is None:
            raise NoSuchCase(case)
        return row.key

    return lambda case: read(case, int(monotonic() / SECONDS))


def codec_of(settings: Settings) -> Codec | None:
    """The codec of this installation, None when it has no keys. One that has written before must have its keys."""
    keys = _keys(settings.codec_keys) if settings.codec_keys else {}
    engine = connect_database(settings.database)
    _check_used(engine, keys)
    return Codec(keys, case_keys(engine)) if keys else None


def _keys(path: Path) -> dict[str, bytes]:
    """Key ids and keys, oldest first."""
    try:
        if S_IMODE(path.stat().st_mode) & 0o077:
            raise BadSettings(f"CASEWORK_CODEC_KEYS: others on this machine can read {path}: 'chmod 600 {path}'")
        named = yaml.safe_load(path.read_text())
        keys = {str(name): b64decode(key, validate=True) for name, key in named.items()}
    except OSError as error:
        raise BadSettings(f"CASEWORK_CODEC_KEYS: {path}: {error.strerror}") from None
    except (yaml.YAMLError, AttributeError, TypeError, ValueError):
        keys = {}
    if not keys or any(len(key) != KEY_BYTES for key in keys.values()):
        raise BadSettings(
            f"CASEWORK_CODEC_KEYS: {path} must have lines like 'k1: KEY', each key {KEY_BYTES} bytes in base64 "
            "('openssl rand -base64 32' makes one); the last one writes"
        )
    return keys


def _check_used(engine: Engine, keys: Mapping[str, bytes]) -> None:
    """Without a key that has written, or with another under its name, what is open could not be read: go no further."""
    with reading(engine) as session:
        used = _used(session)
    if wrong := sorted(name for name, proof in used.items() if not _proves(keys.get(name), proof)):
        raise BadSettings(
            f"CASEWORK_CODEC_KEYS: payloads were written with {', '.join(wrong)}: the file must hold that key, or "
            "cases cannot be read"
        )
    if keys.keys() - used.keys():
        with writing(engine, USED) as session:
            for name in keys.keys() - _used(session).keys():
                session.add(CaseKey(case_id=f"{USED}{name}", key=_sealed(AESGCM(keys[name]), b"", b"")))


def _used(session: Session) -> dict[str, bytes]:
    rows = session.exec(select(CaseKey).where(col(CaseKey.case_id).startswith(USED))).all()
    return {row.case_id.removeprefix(USED): row.key or b"" for row in rows}


def _proves(key: bytes | None, proof: bytes) -> bool:
    try:
        return key is not None and AESGCM(key).decrypt(proof[:NONCE], proof[NONCE:], b"") == b""
    except (InvalidTag, ValueError):
        return False
