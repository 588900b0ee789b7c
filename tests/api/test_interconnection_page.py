"""The examples of docs/interconnection.md work as they stand."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.api_keys import add_key
from domain.connectors import ConnectorPlan, add_connector, change_mapping
from models.cases import Case, CaseEvent
from models.enums import Source
from tests.architecture.test_imports import ROOT
from tests.town import Town


@pytest.fixture
def begins() -> datetime:
    """The real time: the page's `date` is the shell's."""
    return datetime.now(UTC)


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("openssl"), reason="the page uses curl and openssl")
async def test_every_shell_example_runs_and_does_what_the_page_says(town: Town, tmp_path: Path):
    page = (ROOT / "docs" / "interconnection.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    key = await add_key("page", town.clock())
    secret = await add_connector(ConnectorPlan("district"), town.clock())
    outputs = [await _run(block, town, tmp_path, key, secret) for block in blocks[:3]]
    await change_mapping("district", json.loads((tmp_path / "mapping.json").read_text(encoding="utf-8")), town.clock())
    outputs.append(await _run(blocks[3], town, tmp_path, key, secret))

    filed = await Case.get(source=Source.OPEN311)
    assert (filed.category, filed.place) == ("lighting.corridor", "东亭社区第一网格 3栋2单元")
    assert f"<service_request_id>{filed.number}</service_request_id>" in outputs[1]
    ordered = await Case.get(source=Source.CONNECTOR)
    assert ordered.category == "lighting.street"
    assert f'"number":"{ordered.number}"' in outputs[3]
    assert await CaseEvent.exists(case_id=ordered.id, verb="note", text="district：已派人去看")


async def _run(script: str, town: Town, folder: Path, key: str, secret: str) -> str:
    own = {"BASE": town.url, "KEY": key, "SECRET": secret, "NAME": "district"}
    script = script.replace("http://127.0.0.1:8080", town.url)
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-euc",
        script,
        cwd=folder,
        env=os.environ | own,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    # `head` closes the pipe before curl has written all: that is no complaint about us.
    assert process.returncode == 0, complained.decode()
    return said.decode()
