"""`linli replay` on a small file of our own: the figures are the database's, the exit code tells the truth."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from aiohttp import web
from aiohttp.test_utils import TestServer

from app.engines import Engines
from app.replay import Plan, Sent, count_outcome, read_rows, replay_file
from errors import SettingsError
from models.database import fetch

ROWS = """id,title,time,body,likes
1,楼道灯坏了,2026/1/1,3栋2单元楼道灯坏了好几天了，晚上看不见,0
2,居住证怎么办,2026/1/1,请问居住证怎么办理,0
3,垃圾没人收,2026/1/1,"东门的垃圾
好几天没人收了",1
4,煤气味,2026/1/1,我家闻到很浓的煤气味,1
5,,2026/1/1,,0
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Four rows that say something, one that does not."""
    path = tmp_path / "rows.csv"
    path.write_text(ROWS, encoding="utf-8-sig")
    return path


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, started_engines: Engines, empty_database: str, tmp_path: Path
) -> pytest.MonkeyPatch:
    """Settings for a Linli on the session's engines, with an empty database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINLI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LINLI_PORT", "9")  # nobody serves there
    monkeypatch.setenv("LINLI_DATABASE_URL", empty_database)
    monkeypatch.setenv("LINLI_REDIS_URL", started_engines.redis_url)
    return monkeypatch


def test_rows_are_title_and_body_and_empty_ones_are_left_out(file: Path) -> None:
    texts = read_rows(file)
    assert len(texts) == 4
    assert texts[2] == "垃圾没人收\n东门的垃圾\n好几天没人收了"
    assert read_rows(file, limit=2) == texts[:2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"title,text\na,b\n", "no column body, time"),
        ("title,body,time\n灯,坏了,1\n".encode("gb18030"), "cannot be read as CSV in UTF-8"),
        (b"", "no column title, body, time"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_words(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        read_rows(path)
    assert said in refused.value.detail


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("deliveries", [1, 3])
async def test_every_row_is_stored_once_and_confirmed_ones_are_cases(
    file: Path, deliveries: int, capsys: pytest.CaptureFixture[str]
) -> None:
    await replay_file(file, Plan(deliveries=deliveries))
    printed = capsys.readouterr().out
    figures = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in printed.splitlines() if "│" in line}
    assert figures["messages sent"] == figures["inbox rows of them"] == figures["replies"] == "4"
    assert (figures["offered as report"], figures["consult"], figures["emergency: a case at once"]) == ("2", "1", "1")
    assert (figures["cases"], figures["confirmed"], figures["urgent"]) == ("3", "2", "1")
    assert figures["residents with more than one"] == figures["messages failed or parked"] == "0"
    assert figures["inbox rows in all (with follows and confirmations)"] == "10 of 10"


@pytest.mark.usefixtures("environment")
async def test_without_confirming_only_emergencies_become_cases(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await replay_file(file, Plan(confirm=False, limit=4, rate=200))
    assert "│ cases                                              │ 1" in capsys.readouterr().out


async def test_replay_is_no_thing_for_a_real_account(file: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LINLI_WECHAT_APPID", "wx1234567890abcdef")
    with pytest.raises(SettingsError, match="not with a real account"):
        await replay_file(file, Plan())


@pytest.mark.usefixtures("orm")
async def test_what_is_missing_or_double_is_named() -> None:
    await fetch("INSERT INTO resident (openid, created_at) VALUES ('o_replay_x_1', now())")
    await fetch(
        "INSERT INTO inbox (dedupe_key, openid, kind, body, reply, state, tries, error, received_at) "
        "SELECT 'm:' || n, 'o_replay_x_1', 'text', '', 'ok', CASE n WHEN 1 THEN 'parked' ELSE 'done' END, 1, '', now() "
        "FROM generate_series(1, 3) AS n"
    )
    sent = Sent("o_replay_x_", follows=0, messages=["m:1", "m:7"], confirmations=["m:2"])
    sent.faults["HTTP 503"] += 1
    assert (await count_outcome(sent)).faults(sent) == {
        "messages lost": 1,
        "confirmed without a case": 1,
        "failed or parked": 1,
        "fault line shown": 1,
    }


async def test_a_server_that_refuses_everything_ends_with_exit_code_one(
    file: Path, environment: pytest.MonkeyPatch, database_url: str
) -> None:
    async def healthy(_request: web.Request) -> web.Response:
        return web.Response()

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=403)

    stranger = web.Application()
    stranger.add_routes([web.get("/healthz", healthy), web.post("/wechat/callback", refuse)])
    environment.setenv("LINLI_DATABASE_URL", database_url)
    async with TestServer(stranger, host="127.0.0.1") as server:
        environment.setenv("LINLI_PORT", str(server.port))
        with pytest.raises(typer.Exit) as ended:
            await replay_file(file, Plan())
    assert ended.value.exit_code == 1
