"""The payload codec on a real database: what it seals only its keys open, and whatever comes is passed on."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext

from activities.audit import Audit
from activities.erasure import Eraser
from activities.store import Blobs
from tests.databases import both_databases
from workers.codec import CASE, ENCODING, KEY, UNDECODED, Codec, case_keys, codec_of
from workers.settings import BadSettings, Settings

PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"Brandt Messtechnik"')


def key_file(folder: Path, **keys: bytes) -> Path:
    path = folder / "codec.yaml"
    path.touch(0o600)
    path.write_text("".join(f"{name}: {base64.b64encode(key).decode()}\n" for name, key in keys.items()))
    return path


def of_case(codec: Codec, case: str) -> Codec:
    return codec.with_context(WorkflowSerializationContext(namespace="default", workflow_id=case))


def fresh(engine: Engine, codec: Codec) -> Codec:
    """As another process has it, or this one a minute later."""
    return Codec(codec.keys, case_keys(engine))


@pytest.fixture
def codec(engine: Engine) -> Codec:
    return Codec({"k1": os.urandom(32)}, case_keys(engine))


@both_databases
@pytest.mark.parametrize("beside", ["", "/notice/outcome"])
async def test_what_is_sealed_for_a_case_is_read_without_knowing_the_case(codec: Codec, case: str, beside: str) -> None:
    (sealed,) = await of_case(codec, f"{case}{beside}").encode([PLAIN])

    assert await codec.decode([sealed]) == [PLAIN]
    assert (sealed.metadata[CASE].decode(), b"Brandt" in sealed.data) == (case, False)


@both_databases
async def test_erased_case_can_no_longer_be_read_and_another_can(
    codec: Codec, engine: Engine, audit: Audit, blobs: Blobs, case: str
) -> None:
    sealed = await of_case(codec, case).encode([PLAIN]) + await of_case(codec, "reconciliation/1").encode([PLAIN])
    Eraser(audit, blobs).erase(case, "privacy", "asked")
    later = fresh(engine, codec)
    added = await of_case(later, case).encode([PLAIN])

    erased, other, erased_too = await later.decode([*sealed, *added])

    assert (erased.metadata[UNDECODED], erased_too.metadata[UNDECODED], other) == (
        b"its case was erased",
        b"its case was erased",
        PLAIN,
    )


async def test_newest_key_writes_and_older_ones_still_read(codec: Codec, engine: Engine, case: str) -> None:
    rotated = Codec({**codec.keys, "k2": os.urandom(32)}, case_keys(engine))
    old, new = await of_case(codec, case).encode([PLAIN]), await of_case(rotated, case).encode([PLAIN])

    assert (old[0].metadata[KEY], new[0].metadata[KEY]) == (b"k1", b"k2")
    assert await rotated.decode([*old, *new]) == [PLAIN, PLAIN]


@given(
    st.binary(max_size=200),
    st.dictionaries(st.sampled_from([KEY, CASE, "other"]), st.binary(max_size=40) | st.sampled_from([b"k1", b""])),
)
async def test_no_payload_makes_decoding_fail(data: bytes, metadata: dict[str, bytes]) -> None:
    codec = Codec({"k1": bytes(32)}, {"a/case": bytes(32)}.__getitem__)
    payload = Payload(metadata={**metadata, "encoding": ENCODING}, data=data)

    (passed,) = await codec.decode([payload])

    assert passed.data == data
    assert passed.metadata[UNDECODED]


async def test_payload_of_one_case_is_not_taken_for_another_ones(codec: Codec, case: str, audit: Audit) -> None:
    audit.record("invoice-intake/another", "case.started", {})
    (sealed,) = await of_case(codec, case).encode([PLAIN])
    swapped = Payload(metadata={**sealed.metadata, CASE: b"invoice-intake/another"}, data=sealed.data)

    assert UNDECODED in (await codec.decode([swapped]))[0].metadata


@both_databases
def test_who_lacks_a_key_that_has_written_or_has_another_goes_no_further(tmp_path: Path, database_url: str) -> None:
    settings = Settings(home=tmp_path, database_url=database_url)
    with_keys = settings.model_copy(update={"codec_keys": key_file(tmp_path, k1=b"1" * 32, k2=b"2" * 32)})
    first = codec_of(with_keys)
    again = codec_of(with_keys)

    assert first is not None
    assert again is not None
    for wrong in ({"k2": b"2" * 32}, {"k1": b"0" * 32, "k2": b"2" * 32}):
        key_file(tmp_path, **wrong)
        with pytest.raises(BadSettings, match="written with k1"):
            codec_of(with_keys)
    with pytest.raises(BadSettings, match="written with k1, k2"):
        codec_of(settings)


@pytest.mark.parametrize("text", ["", "- k1", "k1: short", "k1: 7", "k1: [", "k1: ?!"])
def test_file_that_holds_no_keys_is_refused_with_how_to_make_one(tmp_path: Path, text: str) -> None:
    path = key_file(tmp_path)
    path.write_text(text)

    with pytest.raises(BadSettings, match="openssl rand -base64 32"):
        codec_of(Settings(home=tmp_path, codec_keys=path))


def test_file_of_keys_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = key_file(tmp_path, k1=bytes(32))
    path.chmod(0o640)

    with pytest.raises(BadSettings, match="chmod 600"):
        codec_of(Settings(home=tmp_path, codec_keys=path))
