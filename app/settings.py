"""Every setting of Linli, read once from `LINLI_…` variables or a `.env` file.

Nothing below `app/` reads the environment; other packages get frozen values such as `bot.config.WeChatConfig`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.template_settings import TemplateSetting, check_kinds, notice_faults, of_kinds
from bot.config import TemplateConfig, WeChatConfig
from domain.timing import Timing, parse_hours, parse_quiet, parse_shares
from errors import SettingsError
from nlp.sensitive import Checker, read_checker

SIMULATOR_APPID = "wx5117a70115117a70"
SIMULATOR_MINIAPP = "wx5117a70115117a71"
_SHORTEST_KEY = 32
_TILES = re.compile(r"https?://[\w.:-]+/(?=\S*\{z\})(?=\S*\{x\})(?=\S*\{y\})[^\s;,]*")


class Settings(BaseSettings):
    """One frozen object; each field says what it is for, with an example where the form is not obvious."""

    model_config = SettingsConfigDict(env_prefix="LINLI_", env_file=".env", frozen=True, extra="ignore")

    home: Path = Field(Path("./var"), description="data folder: embedded engines, media, simulator state")
    host: str = Field("127.0.0.1", description="address the web server listens on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8080, description="port of the web server")
    public_url: str = Field("", description="how WeChat and residents reach us, e.g. https://linli.example.gov.cn")
    database_url: str = Field("", description="postgresql://user:password@host:5432/linli; empty = embedded engine")
    database_pool: Annotated[int, Field(ge=2, le=200)] = Field(16, description="connections per process")
    redis_url: str = Field("", description="redis://host:6379/0; empty = embedded Valkey")
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto = console on a terminal")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")

    wechat_appid: str = Field("", description="app id of the official account, wx + 16 characters")
    wechat_secret: SecretStr = Field(SecretStr(""), description="app secret of the official account")
    wechat_token: SecretStr = Field(SecretStr(""), description="token of the server settings page")
    wechat_aes_key: SecretStr = Field(SecretStr(""), description="EncodingAESKey, 43 characters")
    wechat_aes_key_previous: SecretStr = Field(SecretStr(""), description="the key before, while it is changed")
    wechat_mode: Literal["plain", "compatible", "safe"] = Field("safe", description="message mode of the account")
    miniapp_appid: str = Field("", description="app id of the mini-program of the same owner; empty = none")
    miniapp_secret: SecretStr = Field(SecretStr(""), description="app secret of the mini-program")
    miniapp_token: SecretStr = Field(SecretStr(""), description="token of the mini-program's message push")
    miniapp_aes_key: SecretStr = Field(
        SecretStr(""), description="EncodingAESKey of its message push, 43 characters; empty = pushes come plain"
    )
    content_check: Literal["auto", "on", "off"] = Field(
        "auto", description="ask WeChat about what residents say in public; auto = when LINLI_MINIAPP_APPID is set"
    )
    unseen_visitors: Literal["review", "words"] = Field(
        "review",
        description="texts of who was not in the mini-program for two hours: wait for staff, or our words alone decide",
    )
    wechat_api_base: str = Field("https://api.weixin.qq.com", description="WeChat's API or a simulator's")
    wechat_template: TemplateSetting | None = Field(None, description="template message of case progress, JSON")
    wechat_subscription: TemplateSetting | None = Field(None, description="subscription notice, JSON")
    wechat_templates: dict[str, TemplateSetting] = Field(
        default_factory=dict, description="template messages of other kinds of notices, JSON: kind to template"
    )
    wechat_subscriptions: dict[str, TemplateSetting] = Field(
        default_factory=dict, description="subscription notices of other kinds, likewise"
    )
    simulator: bool = Field(False, description="serve a local WeChat platform under /simulator")

    secret_key: SecretStr = Field(
        SecretStr(""),
        description="signs links and cursors, the same on every host, 32 characters or more; empty = one of its own",
    )

    map_tiles: str = Field(
        "", description="map pictures of the console, https://…/{z}/{x}/{y}.png; empty = drawn from the grids' borders"
    )
    map_datum: Literal["gcj02", "wgs84"] = Field("gcj02", description="what those pictures are drawn in")

    connector_http: bool = Field(False, description="let connectors send over plain http, in a closed network")

    open311_per_minute: Annotated[int, Field(ge=1, le=100_000)] = Field(
        300, description="requests a minute of one address to Open311 without a key; reading all services takes 150"
    )
    open311_key_per_minute: Annotated[int, Field(ge=1, le=100_000)] = Field(
        600, description="requests a minute to Open311 with one key"
    )
    trusted_proxies: str = Field(
        "", description="proxies in front whose X-Forwarded-For is believed: 127.0.0.1,10.0.0.0/24; empty = none"
    )

    silence_days: Annotated[int, Field(ge=1, le=60)] = Field(
        7, description="days after which a case without rating is closed (never counted as satisfied)"
    )
    reopen_days: Annotated[int, Field(ge=1, le=365)] = Field(
        15, description="days within which a resident may say a closed case is not solved"
    )
    follow_up_days: Annotated[int, Field(ge=0, le=365)] = Field(
        28, description="days after which the reporter of a solved case is asked whether it is still well; 0 = never"
    )

    work_hours: str = Field(
        "08:30-12:00,14:00-17:30", description="working time of a working day, lunch break left out"
    )
    quiet_hours: str = Field(
        "21:30-07:30", description="reminders and warnings of what is not urgent wait until these end; empty = none"
    )
    warn_at: str = Field("50,80", description="percent of a time limit at which its holder is warned; empty = never")
    escalate_every: Annotated[int, Field(ge=5, le=1000)] = Field(
        50, description="percent of the limit after which an overdue case climbs one more level"
    )
    remind_days: Annotated[int, Field(ge=1, le=60)] = Field(
        3, description="days after which a resident who was asked something is reminded"
    )
    reminders: Annotated[int, Field(ge=0, le=10)] = Field(
        2, description="reminders without an answer after which such a case is closed"
    )
    supplement_days: Annotated[int, Field(ge=0, le=60)] = Field(
        3, description="working days after which who must add something to an application is reminded, once; 0 = never"
    )

    @field_validator("work_hours", "quiet_hours", "warn_at")
    @classmethod
    def _readable(cls, text: str, info: ValidationInfo) -> str:
        {"work_hours": parse_hours, "quiet_hours": parse_quiet, "warn_at": parse_shares}[info.field_name or ""](text)
        return text

    @field_validator("wechat_templates", "wechat_subscriptions")
    @classmethod
    def _known_kinds(cls, templates: dict[str, TemplateSetting]) -> dict[str, TemplateSetting]:
        check_kinds(templates)
        return templates

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if key and len(key.get_secret_value()) < _SHORTEST_KEY:
            raise ValueError(f"must have {_SHORTEST_KEY} characters or more, e.g. from `openssl rand -hex 32`")
        return key

    @field_validator("map_tiles")
    @classmethod
    def _tiles(cls, text: str) -> str:
        if text and not _TILES.fullmatch(text):
            raise ValueError("must be an address like https://tiles.example.gov.cn/{z}/{x}/{y}.png")
        return text

    def signing_key(self) -> bytes:
        """What links and cursors are signed with; made once per data folder where none is set."""
        return (self.secret_key.get_secret_value() or _kept(self.home / "secret-key", _new_key)).encode()

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str) -> str:
        _parse_networks(text)
        return text

    def proxies(self) -> list[IPv4Network | IPv6Network]:
        """The networks of the proxies in front."""
        return _parse_networks(self.trusted_proxies)

    def timing(self) -> Timing:
        """What `domain/` needs to know of the community's times."""
        return Timing(
            hours=parse_hours(self.work_hours),
            quiet=parse_quiet(self.quiet_hours),
            warn_at=parse_shares(self.warn_at),
            escalate_every=self.escalate_every,
            remind_after=timedelta(days=self.remind_days),
            reminders=self.reminders,
            silence=timedelta(days=self.silence_days),
            supplement_days=self.supplement_days,
        )

    model: Path | None = Field(None, description="file of the learned model; empty = model.linli in the data folder")
    ask_below: Annotated[float, Field(ge=0, le=1)] = Field(
        0.4, description="confidence under which residents choose among the three likeliest kinds; 0 = never ask"
    )

    room_sure: Annotated[float, Field(ge=0, le=1)] = Field(
        0.7, description="confidence from which a report in a room opens a case by itself, where the room is set so"
    )
    unanswered_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        15, description="minutes after which the grid worker is told what nobody in the room has answered"
    )

    @property
    def model_path(self) -> Path:
        """Where `linli train` puts the model and running processes look for it."""
        return self.model or self.home / "model.linli"

    public_words: Path | None = Field(
        None, description="TOML file of words that do not go into public text, put before the shipped list"
    )

    def public_checker(self) -> Checker:
        """The word lists with the operator's before them. Raises SettingsError for a file that cannot be read."""
        if self.public_words is None:
            return read_checker()
        try:
            own = self.public_words.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as wrong:
            raise SettingsError(f"LINLI_PUBLIC_WORDS: {wrong}") from wrong
        return read_checker(own, str(self.public_words))

    pressing_joiners: Annotated[int, Field(ge=1, le=100)] = Field(
        3, description="neighbours who join a case (我也遇到) until it is pressing and its holder hears of each"
    )

    @property
    def base_url(self) -> str:
        """How this process is reached from this machine."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://{host}:{self.port}"

    def wechat(self) -> WeChatConfig:
        """What `bot/` needs to know; with the simulator on, its made-up account."""
        keys = simulator_keys(self.home) if self.simulator and not self.wechat_appid else None
        return WeChatConfig(
            appid=SIMULATOR_APPID if keys else self.wechat_appid,
            secret=keys["secret"] if keys else self.wechat_secret.get_secret_value(),
            token=keys["token"] if keys else self.wechat_token.get_secret_value(),
            aes_key=keys["aes_key"] if keys else self.wechat_aes_key.get_secret_value(),
            aes_key_previous="" if keys else self.wechat_aes_key_previous.get_secret_value(),
            mode=self.wechat_mode,
            api_base=self.api_base,
            timestamp_window=timedelta(minutes=10),
            templates=self.templates,
            subscriptions=self.subscriptions,
        )

    def miniapp(self) -> WeChatConfig | None:
        """The same for the mini-program; None without one. With the simulator on, its made-up one."""
        if self.simulator and not self.wechat_appid:
            made = sha256(f"mini-program of {simulator_keys(self.home)['secret']}".encode())
            token, aes_key = made.hexdigest()[32:], b64encode(made.digest()).decode().rstrip("=")
            return WeChatConfig(SIMULATOR_MINIAPP, made.hexdigest()[:32], token, aes_key, api_base=self.api_base)
        if not self.miniapp_appid:
            return None
        aes_key = self.miniapp_aes_key.get_secret_value()
        return WeChatConfig(
            self.miniapp_appid,
            self.miniapp_secret.get_secret_value(),
            self.miniapp_token.get_secret_value(),
            aes_key,
            mode="safe" if aes_key else "plain",
            api_base=self.api_base,
        )

    @property
    def reached_at(self) -> str:
        """The public address without a trailing slash; "" while nobody has set one."""
        return (self.public_url or (self.base_url if self.simulator else "")).rstrip("/")

    @property
    def checks_content(self) -> bool:
        """Whether WeChat is asked about what residents say in public."""
        wanted = bool(self.miniapp_appid) if self.content_check == "auto" else self.content_check == "on"
        return wanted and self.miniapp() is not None

    @property
    def api_base(self) -> str:
        """The simulator's own API when it plays the platform, else WeChat's."""
        simulated = self.simulator and "wechat_api_base" not in self.model_fields_set
        return f"{self.base_url}/simulator/wechat" if simulated else self.wechat_api_base.rstrip("/")

    @property
    def templates(self) -> dict[str, TemplateConfig]:
        """Template messages by kind of notice; the simulated account's where none is set."""
        return of_kinds(self.wechat_template, self.wechat_templates, "tpl" if self.simulator else "")

    @property
    def subscriptions(self) -> dict[str, TemplateConfig]:
        """Subscription notices, likewise."""
        return of_kinds(self.wechat_subscription, self.wechat_subscriptions, "sub" if self.simulator else "")


def _parse_networks(text: str) -> list[IPv4Network | IPv6Network]:
    """`127.0.0.1,10.0.0.0/24`. Raises ValueError that names the part."""
    return [ip_network(part.strip()) for part in text.split(",") if part.strip()]


def simulator_keys(home: Path) -> dict[str, str]:
    """The simulated account's secrets: made once per data folder, so nobody shares a default."""
    keys: dict[str, str] = json.loads(_kept(home / "simulator-keys.json", _new_simulator_keys))
    return keys


def _new_simulator_keys() -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    keys = {
        "secret": secrets.token_hex(16),
        "token": secrets.token_hex(12),
        # 43 base64 characters hold 258 bits; the last must leave the two spare bits zero
        "aes_key": "".join(secrets.choice(alphabet) for _ in range(42)) + secrets.choice("AEIMQUYcgkosw048"),
    }
    return json.dumps(keys)


def _new_key() -> str:
    return secrets.token_hex(32)


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What a file of secrets holds; made when there is none. Of two processes that start together the first wins."""
    if path.exists():
        return path.read_text(encoding="utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{secrets.token_hex(8)}")
    fresh.touch(mode=0o600)
    fresh.write_text(make(), encoding="utf-8")
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text(encoding="utf-8")


def load_settings() -> Settings:
    """Read the settings; a wrong one is named with what it should look like."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"LINLI_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']} (is {fault['input']!r})"
            for fault in error.errors()
        ]
        raise SettingsError("; ".join(lines)) from None


def wechat_faults(settings: Settings) -> list[tuple[str, str]]:
    """(setting, what is wrong and how to mend it) for everything WeChat needs; empty when all is there."""
    if settings.simulator and not settings.wechat_appid:
        return []
    faults: list[tuple[str, str]] = []
    where = "mp.weixin.qq.com, 设置与开发 → 基本配置"
    if not settings.wechat_appid:
        faults.append(("LINLI_WECHAT_APPID", f"missing: copy the AppID from {where}, or set LINLI_SIMULATOR=1"))
    if not settings.wechat_secret.get_secret_value():
        faults.append(("LINLI_WECHAT_SECRET", f"missing: reset and copy the AppSecret from {where}"))
    if not settings.wechat_token.get_secret_value():
        faults.append(("LINLI_WECHAT_TOKEN", f"missing: the Token you typed into the server settings of {where}"))
    keys = {"LINLI_WECHAT_AES_KEY": settings.wechat_aes_key.get_secret_value()}
    if previous := settings.wechat_aes_key_previous.get_secret_value():
        keys["LINLI_WECHAT_AES_KEY_PREVIOUS"] = previous
    for name, key in keys.items():
        if settings.wechat_mode != "plain" and len(key) != 43:
            faults.append((name, f"has {len(key)} characters, WeChat's EncodingAESKey has 43: copy it from {where}"))
    if settings.miniapp_appid and not settings.miniapp_secret.get_secret_value():
        faults.append(("LINLI_MINIAPP_SECRET", "missing: copy the AppSecret of the mini-program, 开发管理 → 开发设置"))
    faults += _miniapp_push_faults(settings)
    if urlsplit(settings.wechat_api_base).scheme not in ("http", "https"):
        faults.append(("LINLI_WECHAT_API_BASE", "must begin with https:// (or http:// for a simulator)"))
    return faults


#: The settings of templates, and what they mean by kind.
TEMPLATE_SETTINGS: Mapping[str, Callable[[Settings], Mapping[str, TemplateConfig]]] = {
    "LINLI_WECHAT_TEMPLATE": lambda settings: settings.templates,
    "LINLI_WECHAT_SUBSCRIPTION": lambda settings: settings.subscriptions,
}


def template_faults(settings: Settings) -> list[tuple[str, str]]:
    """(setting, what is wrong) of templates whose keywords cannot hold what goes into them."""
    return notice_faults({name: templates(settings) for name, templates in TEMPLATE_SETTINGS.items()})


def _miniapp_push_faults(settings: Settings) -> list[tuple[str, str]]:
    where = "开发管理 → 消息推送 of the mini-program"
    key = settings.miniapp_aes_key.get_secret_value()
    if key and len(key) != 43:
        return [("LINLI_MINIAPP_AES_KEY", f"has {len(key)} characters, an EncodingAESKey has 43: copy it from {where}")]
    if key and not settings.miniapp_token.get_secret_value():
        return [("LINLI_MINIAPP_TOKEN", f"missing: the Token you typed into {where}")]
    return []
