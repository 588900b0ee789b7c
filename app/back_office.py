"""What the console's administration gets from outside: files, settings, the account's menu and QR codes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from redis import asyncio as aioredis
from redis.exceptions import RedisError

from app.doctor.machine import check_disk, check_font, check_home, check_model
from app.doctor.platforms import check_platforms
from app.doctor.report import Collected, Report
from app.doctor.settings import given_settings, shown_value
from app.doctor.wechat import check_wechat
from app.settings import Settings, template_faults, wechat_faults
from bot.api import WeChatApi
from bot.menu import DEFAULT_MENU, Button
from bot.qrcodes import create_grid_qrcode, poster_svg
from console.back_office import Finding, MenuButton, RegularWork, Setting
from domain.organisation import Export, template_tables
from domain.organisation_tables import TABLES
from domain.tables import Sheet
from errors import BadRequest
from jobs.ticks import Ticks
from jobs.webhooks import Webhooks

_CHECKS: Mapping[str, Callable[[Settings, Report], None]] = {
    "data folder": check_home,
    "disk": check_disk,
    "font": lambda _, report: check_font(report),
    "learned model": check_model,
}
_SUFFIXES = (".xlsx", ".csv", ".xls")


@dataclass(frozen=True, slots=True)
class Back:
    """One process's."""

    given: Settings
    api: WeChatApi
    session: aiohttp.ClientSession
    redis: aioredis.Redis
    now: Callable[[], datetime]

    async def read_tables(self, name: str, data: bytes) -> list[Sheet]:
        """The sheets of a file that was sent; a CSV's name says which table it is."""
        return await asyncio.to_thread(_read, name, data)

    async def write_tables(self, exports: Sequence[Export]) -> bytes:
        """A workbook of these tables."""
        return await asyncio.to_thread(_written, exports)

    async def blank_tables(self) -> bytes:
        """A workbook to fill in."""
        return await self.write_tables(template_tables(TABLES))

    def settings(self) -> list[Setting]:
        """Each with its source, and what is wrong with it as `linli doctor` says it."""
        set_by, faults = given_settings(), dict([*wechat_faults(self.given), *template_faults(self.given)])
        lines = []
        for name in Settings.model_fields:
            variable = f"LINLI_{name.upper()}"
            wrong = "; ".join(said for where, said in faults.items() if where.split(" ")[0] == variable)
            source = set_by.get(variable, ("", "default"))[1]
            value = shown_value(getattr(self.given, name))
            lines.append(Setting(variable, value, source, wrong))
        return lines

    async def examine(self) -> list[Finding]:
        """As `linli doctor` does; the engines run, or nobody could ask."""
        report = Collected()
        for name, check in _CHECKS.items():
            with report.guarded(name):
                check(self.given, report)
        with report.guarded("WeChat"):
            await check_wechat(self.given, report)
        with report.guarded("connectors"):
            await check_platforms(self.given, report)
        return [Finding(*each) for each in report.found]

    def menu(self) -> list[MenuButton]:
        """Linli's own menu."""
        return [_button(button) for button in DEFAULT_MENU]

    async def put_menu(self) -> None:
        """Phones show it within a day."""
        await self.api.create_menu(DEFAULT_MENU)

    async def grid_code(self, code: str) -> bytes:
        """The same one each time it is asked for."""
        return poster_svg(await create_grid_qrcode(self.api, code))

    def plain_http(self) -> bool:
        """LINLI_CONNECTOR_HTTP."""
        return self.given.connector_http

    async def try_platform(self, name: str, url: str, secret: str) -> str:
        """As `linli connector test` does it."""
        return await Webhooks(self.session, now=self.now, plain_http=self.given.connector_http).ping(name, url, secret)

    async def regular_work(self) -> list[RegularWork]:
        """As the workers of all hosts have told Redis."""
        now = self.now()
        try:
            found = await Ticks(self.redis, self.now).read()
        except (RedisError, OSError, TimeoutError):
            return []
        return [
            RegularWork(
                one.name, one.every, one.done_at, one.took, one.due_at, one.is_late(now), one.failed_at, one.fault
            )
            for one in found
        ]

    async def cache_answers(self) -> bool:
        """Within two seconds."""
        try:
            async with asyncio.timeout(2):
                return bool(await self.redis.ping())
        except (RedisError, OSError, TimeoutError):
            return False


def _button(button: Button) -> MenuButton:
    return MenuButton(button.name, button.url or button.key, tuple(map(_button, button.sub)))


def _read(name: str, data: bytes) -> list[Sheet]:
    from app.tables import read_tables  # noqa: PLC0415 - openpyxl brings numpy along

    plain = Path(name.replace("\\", "/")).name
    if Path(plain).suffix.lower() not in _SUFFIXES or "\0" in plain or len(plain.encode()) > 200:
        raise BadRequest(f"{plain[:80]!r}", say="只能导入 .xlsx 或 .csv 文件。")
    with TemporaryDirectory(prefix="linli-") as folder:
        path = Path(folder) / plain
        path.write_bytes(data)
        return read_tables(path)


def _written(exports: Sequence[Export]) -> bytes:
    from app.tables import write_tables  # noqa: PLC0415 - the same

    with TemporaryDirectory(prefix="linli-") as folder:
        return write_tables(Path(folder) / "tables.xlsx", exports)[0].read_bytes()
