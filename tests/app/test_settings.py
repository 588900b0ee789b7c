"""Settings come from the environment or .env, are read once, and say what is wrong by name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import SIMULATOR_APPID, Settings, load_settings, simulator_keys, wechat_faults
from domain.timing import Timing
from errors import SettingsError

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of a complete official account."""
    for name, value in {"APPID": "wx1", "SECRET": "s3cr3t", "TOKEN": "t0k3n", "AES_KEY": AES_KEY}.items():
        monkeypatch.setenv(f"LINLI_WECHAT_{name}", value)


def test_without_anything_set_the_defaults_hold():
    settings = load_settings()
    assert (settings.home, settings.host, settings.port) == (Path("./var"), "127.0.0.1", 8080)
    assert settings.api_base == "https://api.weixin.qq.com"
    assert not settings.simulator


def test_the_environment_outranks_the_file_and_the_file_the_default(monkeypatch: pytest.MonkeyPatch, folder: Path):
    (folder / ".env").write_text("LINLI_PORT=8181\nLINLI_LOG_LEVEL=debug\n", encoding="utf-8")
    monkeypatch.setenv("LINLI_PORT", "8282")
    settings = load_settings()
    assert (settings.port, settings.log_level, settings.log_format) == (8282, "debug", "auto")


def test_the_community_sets_its_own_hours(monkeypatch: pytest.MonkeyPatch):
    for name, value in {"WORK_HOURS": "09:00-17:00", "QUIET_HOURS": "", "WARN_AT": "", "SILENCE_DAYS": "5"}.items():
        monkeypatch.setenv(f"LINLI_{name}", value)
    timing = load_settings().timing()
    assert (timing.day, timing.quiet, timing.warn_at) == (timedelta(hours=8), None, ())
    assert (timing.silence, timing.reminders) == (timedelta(days=5), 2)


def test_what_is_set_by_default_is_what_holds_without_settings():
    assert load_settings().timing() == Timing()


def test_settings_cannot_be_changed_once_they_are_read():
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().port = 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LINLI_PORT", "eighty", "LINLI_PORT: .*integer.*'eighty'"),
        ("LINLI_PORT", "70000", "LINLI_PORT: .*65535"),
        ("LINLI_WECHAT_MODE", "open", "LINLI_WECHAT_MODE: .*'plain', 'compatible' or 'safe'"),
        ("LINLI_WECHAT_TEMPLATE", "{broken", "LINLI_WECHAT_TEMPLATE: "),
        ("LINLI_WECHAT_TEMPLATE", '{"fields": {}}', "LINLI_WECHAT_TEMPLATE_ID: Field required"),
        ("LINLI_WECHAT_TEMPLATES", '{"bus": {"id": "t", "fields": {}}}', "LINLI_WECHAT_TEMPLATES: .*no kind .*: bus"),
        ("LINLI_SILENCE_DAYS", "0", "LINLI_SILENCE_DAYS: "),
        ("LINLI_WORK_HOURS", "8-17", "LINLI_WORK_HOURS: .*must look like 08:30-12:00"),
        ("LINLI_WORK_HOURS", "14:00-17:30,08:30-12:00", "LINLI_WORK_HOURS: .*must follow one another"),
        ("LINLI_QUIET_HOURS", "at night", "LINLI_QUIET_HOURS: .*must look like"),
        ("LINLI_WARN_AT", "80,50", "LINLI_WARN_AT: .*rising percentages"),
        ("LINLI_WARN_AT", "half", "LINLI_WARN_AT: .*rising percentages"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_should_look_like(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said):
        load_settings()


@pytest.mark.usefixtures("account")
def test_secrets_show_neither_in_the_settings_nor_in_what_bot_gets():
    settings = load_settings()
    for shown in (repr(settings), str(settings), repr(settings.wechat()), settings.model_dump_json()):
        for secret in ("s3cr3t", "t0k3n", AES_KEY):
            assert secret not in shown
    assert settings.wechat().secret == "s3cr3t"


@pytest.mark.usefixtures("account")
def test_a_complete_account_has_no_fault():
    assert wechat_faults(load_settings()) == []


def test_each_missing_part_of_the_account_is_named_with_where_to_find_it():
    faults = dict(wechat_faults(load_settings()))
    assert list(faults) == [f"LINLI_WECHAT_{name}" for name in ("APPID", "SECRET", "TOKEN", "AES_KEY")]
    assert all("mp.weixin.qq.com" in fault for fault in faults.values())


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(("name", "key"), [("AES_KEY", AES_KEY[:42]), ("AES_KEY_PREVIOUS", AES_KEY + "x")])
def test_an_aes_key_that_is_no_43_characters_long_is_a_fault(monkeypatch: pytest.MonkeyPatch, name: str, key: str):
    monkeypatch.setenv(f"LINLI_WECHAT_{name}", key)
    faults = wechat_faults(load_settings())
    assert [setting for setting, _ in faults] == [f"LINLI_WECHAT_{name}"]
    assert f"has {len(key)} characters" in faults[0][1]


@pytest.mark.usefixtures("account")
def test_in_plain_mode_no_aes_key_is_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LINLI_WECHAT_MODE", "plain")
    monkeypatch.delenv("LINLI_WECHAT_AES_KEY")
    assert wechat_faults(load_settings()) == []


def test_the_simulator_needs_no_account_and_makes_its_own_secrets_once(folder: Path):
    settings = Settings(simulator=True, home=folder, port=8765, _env_file=None)
    assert wechat_faults(settings) == []
    wechat = settings.wechat()
    assert (wechat.appid, wechat.api_base) == (SIMULATOR_APPID, "http://127.0.0.1:8765/simulator/wechat")
    assert len(wechat.aes_key) == 43
    assert settings.wechat().aes_key == wechat.aes_key
    assert (folder / "simulator-keys.json").stat().st_mode & 0o077 == 0


def test_two_data_folders_never_share_simulated_secrets(folder: Path):
    one, other = simulator_keys(folder / "one"), simulator_keys(folder / "other")
    assert not set(one.values()) & set(other.values())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])  # noqa: S104 - compared, not bound
def test_a_server_that_listens_everywhere_is_reached_on_the_loopback_address(host: str):
    assert Settings(host=host, port=8080, _env_file=None).base_url == "http://127.0.0.1:8080"
