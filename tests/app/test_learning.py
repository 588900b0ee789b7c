"""`linli train`, and running processes that take a new model up."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

import nlp
from app.learning import read_rows
from app.model_watch import ModelWatch
from errors import SettingsError
from nlp import model
from tests.app.conftest import Linli, environment

_SENTENCE = "跟您说个呼噜烟的事"


def _table(path: Path, number: int = 120) -> Path:
    lines = ["title,body,label"]
    lines += [f"呼噜烟,跟您说{one}次了天天呼噜烟,环境保护" for one in range(number)]
    lines += [f"呱哩灯,昨天{one}号楼呱哩灯闹了一天,城乡建设" for one in range(number)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


async def test_a_table_is_learned_and_running_processes_take_it_up_and_do_without_a_broken_one(
    linli: Linli, folder: Path
):
    path = folder / "m.linli"
    watch = ModelWatch(path)
    watch.look()
    assert nlp.understand(_SENTENCE).domain is None
    made = await linli("train", str(_table(folder / "rows.csv")), "--output", str(path))
    assert made.code == 0, made.said
    assert "240 rows" in made.said
    assert "the rules alone on whole texts" in made.said
    assert model.read(path).about.rows == 240
    try:
        assert watch.look()
        assert nlp.understand(_SENTENCE).domain == "环境保护"
        assert not watch.look()
        path.write_bytes(b"not a model")
        assert watch.look()
        assert nlp.understand(_SENTENCE).domain is None
    finally:
        model.adopt(None)


async def test_only_learning_loads_the_library_it_is_done_with(folder: Path):
    code = "import sys, app.commands, nlp; nlp.prepare(); sys.exit('numpy' in sys.modules)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=folder, env=os.environ | environment()
    )
    assert await process.wait() == 0


async def test_too_few_rows_are_refused_and_nothing_is_written(linli: Linli, folder: Path):
    refused = await linli("train", str(_table(folder / "rows.csv", 20)), "--output", str(folder / "m.linli"))
    assert refused.code == 1
    assert "200 rows" in refused.said
    assert "Traceback" not in refused.said
    assert not (folder / "m.linli").exists()


def test_a_table_without_labels_says_what_it_needs(tmp_path: Path):
    path = tmp_path / "rows.csv"
    path.write_text("text,kind\n灯坏了,a\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"needs columns label and text .* \['kind', 'text'\]"):
        list(read_rows(path))
