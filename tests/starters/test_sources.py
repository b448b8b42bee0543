"""Sources: what is put aside where, and settings that are wrong."""

import os
import time
from pathlib import Path

import pytest

from starters.sources.folder import Folder
from workers.settings import BadSettings, Settings
from workers.sources import sources


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_file_that_may_still_be_written_is_left_alone(tmp_path: Path) -> None:
    for name, age in (("old.pdf", 60), ("new.pdf", 0)):
        (tmp_path / name).write_bytes(b"%PDF")
        os.utime(tmp_path / name, (time.time() - age,) * 2)

    assert [one.name for one in Folder(tmp_path, 100).arrived()] == ["old.pdf"]


def test_what_is_taken_or_refused_is_put_aside_and_nothing_written_over(tmp_path: Path) -> None:
    folder = Folder(tmp_path, 100, still_for=0)
    for _ in range(2):
        (tmp_path / "one.pdf").write_bytes(b"%PDF")
        folder.taken(next(folder.arrived()))
    (tmp_path / "large.pdf").write_bytes(bytes(101))
    (large,) = folder.arrived()
    folder.refused(large, large.problem)

    done = sorted(name for name in names(tmp_path) if name.startswith("done/"))
    assert (len(done), done[-1]) == (2, "done/one.pdf")
    assert [name for name in names(tmp_path) if not name.startswith("done/")] == [
        "refused/large.pdf",
        "refused/large.pdf.why.txt",
    ]
    assert "101 bytes" in (tmp_path / "refused" / "large.pdf.why.txt").read_text()


def test_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"of somebody else")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.pdf").symlink_to(tmp_path / "secret")

    (one,) = Folder(tmp_path / "in", 100, still_for=-1).arrived()
    assert (one.data, "link" in one.problem) == (b"", True)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("sources: [", "is no YAML"),
        ("sources: []", "at least 1 item"),
        ("sources: [{name: a, kind: ftp, process: p}]", "kind"),
        ("sources: [{name: a, kind: http, process: p, port: 80, token: short}]", "token"),
        ("sources: [{name: a, kind: folder, process: p, folder: /x, passwort: secret}]", "passwort"),
    ],
)
def test_wrong_file_of_sources_is_one_clear_error_that_quotes_none_of_it(
    tmp_path: Path, written: str, said: str
) -> None:
    (tmp_path / "sources.yaml").write_text(written)

    with pytest.raises(BadSettings, match=said) as caught:
        sources(Settings(sources=tmp_path / "sources.yaml"))
    assert "secret" not in str(caught.value)
    assert "short" not in str(caught.value).replace("should", "")
