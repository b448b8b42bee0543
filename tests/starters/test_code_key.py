"""The key of codes: the same for every command and worker of a home, kept from others, never half made."""

import stat
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from pydantic import SecretStr

from workers.build import code_key
from workers.records import opened
from workers.settings import BadSettings, Settings

ENOUGH = 32


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_key_of_a_home_is_made_once_and_kept_from_others(settings: Settings) -> None:
    first, second = code_key(settings), code_key(settings)

    assert first == second
    assert len(first) == ENOUGH
    assert [(path.name, stat.S_IMODE(path.stat().st_mode)) for path in settings.home.iterdir()] == [("code.key", 0o600)]


def test_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with opened(Settings(home=tmp_path / "home")):
        assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_homes_have_keys_of_their_own(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in "ab"]
    for home in homes:
        home.mkdir()

    assert len({code_key(Settings(home=home)) for home in homes}) == len(homes)


def test_several_processes_that_start_at_once_use_one_key(settings: Settings) -> None:
    with get_context("spawn").Pool(4) as pool:
        keys = pool.map(code_key, [settings] * 8)

    assert set(keys) == {code_key(settings)}


def test_several_threads_that_start_at_once_use_one_key(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(code_key, [settings] * 32))

    assert keys == {code_key(settings)}


def test_key_that_is_set_is_used_and_none_is_kept(settings: Settings) -> None:
    chosen = settings.model_copy(update={"code_key": SecretStr("of all our workers, thirty-two or more")})

    assert code_key(chosen) == b"of all our workers, thirty-two or more"
    assert not list(settings.home.iterdir())


def test_empty_key_file_is_no_key(settings: Settings) -> None:
    (settings.home / "code.key").touch(mode=0o600)

    with pytest.raises(BadSettings, match=r"code\.key"):
        code_key(settings)


def test_settings_show_no_key_of_codes() -> None:
    assert "of all our workers" not in repr(Settings(code_key=SecretStr("of all our workers")))
