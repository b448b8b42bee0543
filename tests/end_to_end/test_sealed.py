"""An installation with a codec: what stands on its disk, and who may open it."""

import os
from dataclasses import replace
from pathlib import Path

from starters.demo import SAMPLES
from tests.activities.test_codec import key_file
from tests.desk import OVER_LIMIT
from tests.end_to_end.conftest import House, listen

READABLE = (b"Brandt Messtechnik", b"DE04370400440532015500", b"1532015500")


def found(folder: Path) -> dict[str, list[bytes]]:
    """Which files hold which of these words, whatever kind of file it is; documents themselves are not sealed."""
    files = (path for path in folder.rglob("*") if path.is_file() and "blobs" not in path.parts)
    return {path.name: words for path in files if (words := [it for it in READABLE if it in path.read_bytes()])}


def test_nothing_of_a_document_is_readable_on_disk(house: House, tmp_path: Path) -> None:
    keys = {"CASEWORK_CODEC_KEYS": str(key_file(tmp_path, k1=os.urandom(32)))}
    sealed = replace(house, env={**house.env, **keys})
    with sealed.running() as up:
        listen(up)
        (case,) = sealed.json("start", "invoice-intake", str(SAMPLES / OVER_LIMIT), "--wait")
        replayed = sealed.run("replay", case["case"])
        without = house.run("replay", case["case"])

    assert found(house.home) == {}
    assert (replayed.returncode, without.returncode) == (0, 2)
    assert "written with k1" in without.stderr
