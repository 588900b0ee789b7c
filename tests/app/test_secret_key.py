"""What links and cursors are signed with: the operator's key, or one made once and kept from others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings


def settings(home: Path, **given: str) -> Settings:
    return Settings(home=home, _env_file=None, **given)


def test_without_a_key_one_is_made_and_every_process_of_the_folder_has_it(tmp_path: Path):
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: settings(tmp_path).signing_key(), range(8)))
    assert [len(key) for key in keys] == [64]
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def test_two_folders_have_two_keys(tmp_path: Path):
    assert settings(tmp_path / "a").signing_key() != settings(tmp_path / "b").signing_key()


def test_the_operator_s_key_holds_and_nothing_is_written(tmp_path: Path):
    assert settings(tmp_path, secret_key="k" * 32).signing_key() == b"k" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_short_key_is_refused_with_a_way_to_make_one(tmp_path: Path):
    with pytest.raises(ValidationError, match="openssl rand -hex 32"):
        settings(tmp_path, secret_key="k" * 31)
