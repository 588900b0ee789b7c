"""`linli doctor` finds what is wrong, says how to mend it, and never shows a secret or a traceback."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp.test_utils import TestServer

from app.doctor.machine import closed_folders
from app.engines import Engines
from app.settings import Settings
from bot.menu import DEFAULT_MENU, menu_body
from models.database import parse_url
from simulator import PLATFORM, SimulatorConfig, create_app
from simulator.faults import ApiFault
from tests.app.conftest import Ended, Linli
from tests.conftest import free_port

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
FIELDS = {"number": "character_string1", "subject": "thing2", "status": "phrase3", "time": "time4", "note": "thing5"}
TEMPLATE = json.dumps({"id": "tpl_case_progress", "fields": FIELDS})


def marked(ended: Ended, mark: str) -> list[str]:
    """The findings with this mark, without their advice."""
    return [line[6:] for line in ended.said.splitlines() if line.startswith(f"  {mark:<3} ")]


@pytest.fixture
def fine(started_engines: Engines, database_url: str, folder: Path) -> dict[str, Any]:
    """Settings with which everything is in order: the simulator, engines that run, the demo community."""
    return {
        "simulator": 1,
        "home": folder,
        "port": free_port(),
        "database_url": database_url,
        "redis_url": started_engines.redis_url,
    }


@pytest.fixture
async def wechat() -> AsyncIterator[TestServer]:
    """A WeChat with one account, wx_doctor."""
    callback = "http://127.0.0.1:9/wechat/callback"
    config = SimulatorConfig(callback, appid="wx_doctor", secret="s3cr3t", token="t0k3n", aes_key=AES_KEY)
    async with TestServer(create_app(config)) as server:
        yield server


@pytest.fixture
def account(fine: dict[str, Any], wechat: TestServer) -> dict[str, Any]:
    """The same with an account of that WeChat instead of the simulator."""
    return fine | {
        "simulator": 0,
        "wechat_appid": "wx_doctor",
        "wechat_secret": "s3cr3t",
        "wechat_token": "t0k3n",
        "wechat_aes_key": AES_KEY,
        "wechat_api_base": str(wechat.make_url("/wechat")),
        "wechat_template": TEMPLATE,
    }


async def test_everything_is_fine_with_the_simulator(linli: Linli, fine: dict[str, Any]):
    ended = await linli("doctor", **fine)

    assert ended.code == 0, ended.said
    assert marked(ended, "x") == []
    assert ended.said.splitlines()[-1].startswith("Nothing to mend")
    assert "the simulator plays WeChat: no account is needed" in marked(ended, "ok")
    assert [line for line in marked(ended, "ok") if re.fullmatch(r"\d+ migrations applied", line)]
    assert [line for line in marked(ended, "ok") if re.fullmatch(r"3 of \d+ staff have bound their WeChat", line)]


async def test_without_any_setting_it_explains_the_simulator(linli: Linli, folder: Path):
    ended = await linli("doctor")

    assert ended.code == 1
    assert marked(ended, "x") == ["no official account is set"]
    assert "LINLI_SIMULATOR=1" in ended.said
    assert (folder / "var" / "postgres").is_dir(), "the embedded engines were tried in the default data folder"
    assert ended.said.splitlines()[-1].startswith("1 to mend")


async def test_each_setting_is_shown_with_its_source(linli: Linli, fine: dict[str, Any], folder: Path):
    (folder / ".env").write_text("LINLI_SILENCE_DAYS=5\nLINLI_REOPEN_DAYS=30\n", encoding="utf-8")
    ended = await linli("doctor", **fine, reopen_days=20)

    shown = marked(ended, "ok")
    assert "LINLI_SILENCE_DAYS = 5  [.env]" in shown
    assert "LINLI_REOPEN_DAYS = 20  [environment]" in shown
    assert "LINLI_HOST = 127.0.0.1  [default]" in shown


async def test_a_complete_account_gets_its_token(linli: Linli, account: dict[str, Any]):
    ended = await linli("doctor", **account)

    assert ended.code == 0, ended.said
    assert "WeChat gives a token: app id, secret and IP whitelist are right" in marked(ended, "ok")
    assert "LINLI_WECHAT_TEMPLATE: every value suits its keyword" in marked(ended, "ok")
    assert "LINLI_WECHAT_TEMPLATE: the account has it, with these keywords" in marked(ended, "ok")
    assert "the account's menu is not Linli's" in marked(ended, "!")


async def test_templates_are_compared_with_what_the_account_has(
    linli: Linli, account: dict[str, Any], wechat: TestServer
):
    wechat.app[PLATFORM].menu.create(menu_body(DEFAULT_MENU))
    booking = {"id": "tpl_booking", "fields": FIELDS | {"place": "thing9"}}
    others = {"booking": booking, "survey": {"template_id": "tpl_gone", "fields": {"subject": "thing1"}}}
    subscription = {"id": "sub_case_progress", "fields": FIELDS}
    ended = await linli(
        "doctor", **account, wechat_templates=json.dumps(others), wechat_subscription=json.dumps(subscription)
    )

    assert ended.code == 1
    first, second = marked(ended, "x")
    assert first.startswith("LINLI_WECHAT_TEMPLATES booking: place → thing9: “预约提醒” has character_string1, thing2")
    assert "character_string6, thing7 of “预约提醒” would stay empty" in first
    assert second.startswith("LINLI_WECHAT_TEMPLATES survey: the account has no template tpl_gone")
    assert "LINLI_WECHAT_SUBSCRIPTION: the account has it, with these keywords" in marked(ended, "ok")
    assert "LINLI_WECHAT_TEMPLATES has none for application, policy" in marked(ended, "!")
    assert "the account's menu is Linli's" in marked(ended, "ok")


async def test_no_secret_is_ever_shown(linli: Linli, account: dict[str, Any]):
    address = account["database_url"].replace("postgres@", "postgres:geh3im@")
    for wrong in ({}, {"database_url": address}, {"wechat_aes_key": AES_KEY[:-1], "port": "x"}):
        ended = await linli("doctor", **account | wrong)
        for secret in ("s3cr3t", "t0k3n", AES_KEY[:-1], "geh3im"):
            assert secret not in ended.said


async def test_an_aes_key_of_the_wrong_length_is_named_with_where_to_find_it(linli: Linli, account: dict[str, Any]):
    ended = await linli("doctor", **account | {"wechat_aes_key": AES_KEY[:-3]})

    assert ended.code == 1
    assert marked(ended, "x") == ["LINLI_WECHAT_AES_KEY"]
    assert "has 40 characters, WeChat's EncodingAESKey has 43" in ended.said


@pytest.mark.parametrize(
    ("errcode", "errmsg", "advice"),
    [
        (40164, "invalid ip 203.0.113.7, not in whitelist", "IP白名单"),
        (40243, "appsecret is frozen", "thaw it"),
        (99999, "never seen", "table of global return codes"),
    ],
)
async def test_what_wechat_says_about_the_token_is_translated(
    linli: Linli, account: dict[str, Any], wechat: TestServer, errcode: int, errmsg: str, advice: str
):
    fault = ApiFault("errcode", "/cgi-bin/stable_token", errcode, errmsg)
    wechat.app[PLATFORM].faults.api.append(fault)
    ended = await linli("doctor", **account)

    assert ended.code == 1
    assert [line for line in marked(ended, "x") if str(errcode) in line and errmsg in line]
    assert advice in ended.said


async def test_a_wrong_secret_is_translated(linli: Linli, account: dict[str, Any]):
    ended = await linli("doctor", **account | {"wechat_secret": "another"})

    assert ended.code == 1
    assert "LINLI_WECHAT_SECRET is wrong or was reset" in ended.said


@pytest.fixture
async def miniapp(account: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The same with a mini-program of that owner."""
    config = SimulatorConfig(
        "http://127.0.0.1:9/wechat/callback",
        appid="wx_doctor",
        secret="s3cr3t",
        token="t0k3n",
        aes_key=AES_KEY,
        miniapp_appid="wx_mini",
        miniapp_secret="m1n1",
    )
    async with TestServer(create_app(config)) as server:
        own = {"wechat_api_base": str(server.make_url("/wechat")), "miniapp_appid": "wx_mini", "miniapp_secret": "m1n1"}
        yield account | own


async def test_a_mini_program_gets_its_token_and_wants_its_pushes(linli: Linli, miniapp: dict[str, Any]):
    ended = await linli("doctor", **miniapp)

    assert ended.code == 0, ended.said
    assert "WeChat gives the mini-program a token: app id, secret and IP whitelist are right" in marked(ended, "ok")
    assert "LINLI_MINIAPP_TOKEN is not set: no result of a picture check arrives" in ended.said


async def test_a_mini_programs_wrong_secret_is_named_as_its_own(linli: Linli, miniapp: dict[str, Any]):
    ended = await linli("doctor", **miniapp | {"miniapp_secret": "another"})

    assert ended.code == 1
    assert "LINLI_MINIAPP_SECRET is wrong or was reset" in ended.said


async def test_a_mini_programs_aes_key_of_the_wrong_length_is_named(linli: Linli, miniapp: dict[str, Any]):
    ended = await linli("doctor", **miniapp | {"miniapp_aes_key": AES_KEY[:-1], "miniapp_token": "t"})

    assert ended.code == 1
    assert marked(ended, "x") == ["LINLI_MINIAPP_AES_KEY"]


async def test_a_template_keyword_that_cannot_carry_the_value_is_named(linli: Linli, account: dict[str, Any]):
    wrong = TEMPLATE.replace("phrase3", "number3").replace('"subject"', '"titel"')
    ended = await linli("doctor", **account | {"wechat_template": wrong})

    assert ended.code == 1
    fault = next(line for line in marked(ended, "x") if line.startswith("LINLI_WECHAT_TEMPLATE"))
    assert "titel: Linli has number, subject, status, time, note" in fault
    assert "status → number3: " in fault


async def test_a_database_that_does_not_answer_is_said_without_its_password(linli: Linli, fine: dict[str, Any]):
    ended = await linli("doctor", **fine | {"database_url": "postgresql://linli:geheim@127.0.0.1:1/linli"})

    assert ended.code == 1
    assert marked(ended, "x")[0].startswith("postgresql://linli:***@127.0.0.1:1/linli cannot be opened")
    assert "Traceback" not in ended.said
    assert "geheim" not in ended.said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "mysql://somewhere/linli"),
        ("database_url", "postgresql://linli@127.0.0.1:port/linli"),
        ("redis_url", "redis://127.0.0.1:1/0"),
        ("redis_url", "somewhere"),
    ],
)
async def test_an_address_that_leads_nowhere_is_one_finding(linli: Linli, fine: dict[str, Any], name: str, value: str):
    ended = await linli("doctor", **fine | {name: value})

    assert ended.code == 1
    assert len(marked(ended, "x")) == 1, ended.said
    assert f"LINLI_{name.upper()}" in ended.said.split("Engines and data")[1]
    assert "Traceback" not in ended.said


async def test_a_missing_database_is_only_worth_a_note(linli: Linli, fine: dict[str, Any], empty_database: str):
    ended = await linli("doctor", **fine | {"database_url": empty_database})

    assert ended.code == 0
    assert "PostgreSQL answers; the database does not exist yet" in marked(ended, "!")


async def test_a_data_folder_that_cannot_be_written_is_named(linli: Linli, fine: dict[str, Any], folder: Path):
    (folder / "file").write_text("in the way", encoding="utf-8")
    ended = await linli("doctor", **fine | {"home": folder / "file" / "home"})

    assert ended.code == 1
    assert marked(ended, "x")[0].startswith(f"cannot write in {folder / 'file'}")
    assert "set LINLI_HOME" in ended.said


async def test_settings_that_cannot_be_read_are_named_all_at_once(linli: Linli, fine: dict[str, Any]):
    ended = await linli("doctor", **fine | {"port": "eighty", "wechat_template": "{not json"})

    assert ended.code == 1
    assert marked(ended, "x") == [
        "LINLI_PORT = 'eighty'  [environment]",
        "LINLI_WECHAT_TEMPLATE = '{not json'  [environment]",
    ]
    assert "the other checks wait until the settings can be read" in marked(ended, "!")
    assert "Traceback" not in ended.said


async def test_a_misspelt_setting_is_noticed(linli: Linli, fine: dict[str, Any]):
    ended = await linli("doctor", **fine, wechat_apid="wx1")

    assert "LINLI_WECHAT_APID [environment] is no setting of Linli" in marked(ended, "!")
    assert "did you mean LINLI_WECHAT_APPID?" in ended.said


async def test_a_port_in_use_by_something_else_is_named(linli: Linli, fine: dict[str, Any]):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        ended = await linli("doctor", **fine | {"port": port})

    assert ended.code == 1
    assert marked(ended, "x")[0].startswith(f"cannot listen on 127.0.0.1:{port}")


async def test_notices_that_reached_nobody_are_counted(linli: Linli, fine: dict[str, Any]):
    connection = await asyncpg.connect(**parse_url(fine["database_url"]))
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    for state, finished in (("undelivered", long_ago), ("parked", long_ago), ("pending", None)):
        await connection.execute(
            "INSERT INTO outbox (kind, state, recipient, payload, attempt, tries, due_at, channel, reference, used, "
            "error, created_at, finished_at) VALUES ('notice', $1, 'o1', '{}', 0, 0, $2, '', '', 0, '', $2, $3)",
            state,
            long_ago,
            finished,
        )
    await connection.close()
    ended = await linli("doctor", **fine)

    assert ended.code == 0
    assert "1 notices reached nobody, 1 jobs are parked" in marked(ended, "!")
    assert [line for line in marked(ended, "!") if line.startswith("1 outgoing jobs are due")]


def test_only_as_root_and_with_the_embedded_engine_closed_folders_matter(folder: Path, monkeypatch: pytest.MonkeyPatch):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert closed_folders(Settings(home=closed / "home", _env_file=None)) == [closed]
    assert closed_folders(Settings(home=closed, database_url="postgresql://db/linli", _env_file=None)) == []
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert closed_folders(Settings(home=closed / "home", _env_file=None)) == []
