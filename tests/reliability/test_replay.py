"""`linli replay` on a small file of our own: the figures are the database's, the exit code tells the truth."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from app.engines import Engines
from app.replay import Sent, count_outcome, read_rows
from errors import SettingsError
from models.database import fetch
from tests.fault.processes import output

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


Replay = Callable[..., Awaitable[tuple[int, dict[str, str], str]]]


@pytest.fixture
def replay(file: Path, started_engines: Engines, database_url: str, tmp_path: Path) -> Replay:
    """`linli replay FILE …` in the demo community; gives its exit code, its figures and all it printed."""

    async def run(*words: str, **settings: str) -> tuple[int, dict[str, str], str]:
        environment = {
            "LINLI_HOME": str(tmp_path / "home"),
            "LINLI_PORT": "9",  # nobody serves there
            "LINLI_DATABASE_URL": database_url,
            "LINLI_REDIS_URL": started_engines.redis_url,
            **settings,
        }
        code, printed = await output("replay", str(file), *words, environment=environment, folder=tmp_path)
        lines = [line.split("│") for line in printed.splitlines() if "│" in line]
        return code, {line[1].strip(): line[2].strip() for line in lines}, printed

    return run


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


async def test_every_row_is_stored_once_and_confirmed_ones_are_cases(replay: Replay, empty_database: str) -> None:
    code, figures, _ = await replay("--deliveries", "3", LINLI_DATABASE_URL=empty_database)
    assert code == 0
    assert figures["messages sent"] == figures["inbox rows of them"] == figures["replies"] == "4"
    assert (figures["offered as report"], figures["emergency: a case at once"]) == ("2", "1")
    assert figures["a guide or a choice of guides"] == "1"
    assert (figures["cases"], figures["confirmed"], figures["urgent"]) == ("3", "2", "1")
    assert figures["residents with more than one"] == figures["messages failed or parked"] == "0"
    assert figures["inbox rows in all (with follows and answers)"] == "10 of 10"


async def test_without_confirming_only_emergencies_become_cases(replay: Replay) -> None:
    code, figures, _ = await replay("--no-confirm", "--limit", "4", "--rate", "200")
    assert (code, figures["cases"], figures["confirmed"]) == (0, "1", "0")


async def test_replay_is_no_thing_for_a_real_account(replay: Replay) -> None:
    code, figures, said = await replay(LINLI_WECHAT_APPID="wx1234567890abcdef")
    assert (code, figures) == (1, {})
    assert said.startswith("linli: replay plays invented residents: not with a real account")


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


async def test_a_server_that_refuses_everything_ends_with_exit_code_one(replay: Replay) -> None:
    async def healthy(_request: web.Request) -> web.Response:
        return web.Response()

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=403)

    stranger = web.Application()
    stranger.add_routes([web.get("/healthz", healthy), web.post("/wechat/callback", refuse)])
    async with TestServer(stranger, host="127.0.0.1") as server:
        code, figures, said = await replay(LINLI_PORT=str(server.port))
    assert (code, figures["inbox rows of them"], figures["faults seen by residents"]) == (1, "0", "8")
    assert "messages lost: 4" in said
