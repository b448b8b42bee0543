"""The blob store: once under its digest, whole or not at all."""

import errno
from pathlib import Path
from typing import Any, NoReturn, Self

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from activities.store import Altered, Blobs
from schemas.message import digest_of

DATA = b"an invoice, and more than one block of it" * 1000


class HalfWritten:
    """A file on a disk that is full half way through what is written to it."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> NoReturn:
        self._file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")


class FullDisk(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
    cachable = False

    def open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        opened = super().open(path, mode, **options)
        return HalfWritten(opened) if "w" in mode else opened


def stored(blobs: Blobs) -> list[str]:
    return sorted(path.name for path in Path(blobs.root).rglob("*") if path.is_file())


def test_blob_is_named_by_the_sha256_of_its_bytes(blobs: Blobs) -> None:
    assert blobs.put(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("data", [b"", b"\x00\xff", DATA], ids=["empty", "binary", "large"])
def test_what_is_stored_is_given_back(blobs: Blobs, data: bytes) -> None:
    assert blobs.get(blobs.put(data)) == data


def test_storing_twice_is_storing_once(blobs: Blobs) -> None:
    digests = {blobs.put(DATA) for _ in range(2)}

    assert stored(blobs) == list(digests)


def test_storing_again_does_not_write_again(blobs: Blobs) -> None:
    digest = blobs.put(DATA)

    assert Blobs(FullDisk(), blobs.root).put(DATA) == digest


@pytest.mark.parametrize("altered", [b"", DATA[:-1], DATA + b"!", DATA.replace(b"an", b"no")])
def test_altered_blob_is_noticed(blobs: Blobs, altered: bytes) -> None:
    digest = blobs.put(DATA)
    Path(blobs.root, digest[:2], digest).write_bytes(altered)

    with pytest.raises(Altered, match=digest):
        blobs.get(digest)


def test_blob_that_was_never_stored_is_missing(blobs: Blobs) -> None:
    with pytest.raises(FileNotFoundError):
        blobs.get(digest_of(DATA))


def test_full_disk_is_told(blobs: Blobs) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        Blobs(FullDisk(), blobs.root).put(DATA)

    assert caught.value.errno == errno.ENOSPC


def test_full_disk_leaves_no_half_blob_under_any_name(blobs: Blobs) -> None:
    with pytest.raises(OSError, match="No space left"):
        Blobs(FullDisk(), blobs.root).put(DATA)

    assert stored(blobs) == []


def test_write_that_failed_can_be_done_again(blobs: Blobs) -> None:
    with pytest.raises(OSError, match="No space left"):
        Blobs(FullDisk(), blobs.root).put(DATA)

    digest = blobs.put(DATA)

    assert blobs.get(digest) == DATA


def test_any_file_system_will_do() -> None:
    blobs = Blobs(MemoryFileSystem(skip_instance_cache=True), "/test-store/blobs")

    assert blobs.get(blobs.put(DATA)) == DATA
