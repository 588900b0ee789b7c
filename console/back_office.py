"""What `app/` hands in for administration: files of tables, the settings, the account's menu and QR codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.organisation import Export
from domain.tables import Sheet


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: where its value comes from (environment, .env, default), and what is wrong with it ("" = nothing).
    Secrets are told by their length alone."""

    variable: str
    value: str
    source: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: `ok`, `!` (works, but know this) or `x` (must be mended), what it is, what to do."""

    mark: str
    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class RegularWork:
    """One piece of the workers' regular work: `every` so often, last done at, after so many seconds; due next at.
    `fault`: the kind of the last error, "" for none."""

    name: str
    every: timedelta
    done_at: datetime | None
    took: float
    due_at: datetime
    late: bool
    failed_at: datetime | None
    fault: str


@dataclass(frozen=True, slots=True)
class MenuButton:
    """A button of the account's menu: what it opens, or the buttons below it."""

    name: str
    opens: str
    below: tuple[MenuButton, ...] = ()


class BackOffice(Protocol):
    """The outer parts of administration."""

    async def read_tables(self, name: str, data: bytes) -> list[Sheet]:
        """The sheets of a file that was sent. Raises BadRequest, TooLarge."""

    async def write_tables(self, exports: Sequence[Export]) -> bytes:
        """A workbook of these tables."""

    async def blank_tables(self) -> bytes:
        """A workbook to fill in, with an example row in each table."""

    def settings(self) -> list[Setting]:
        """Everything this process was started with."""

    async def examine(self) -> list[Finding]:
        """What `linli doctor` finds about data folder, disk, font, model, WeChat and connectors."""

    def menu(self) -> list[MenuButton]:
        """The menu that is put into the account."""

    async def put_menu(self) -> None:
        """Put it there. Raises what WeChat says."""

    async def grid_code(self, code: str) -> bytes:
        """A grid's QR code as SVG, for print. Raises what WeChat says."""

    def plain_http(self) -> bool:
        """Whether updates may go to other platforms unencrypted, in a closed network."""

    async def try_platform(self, name: str, url: str, secret: str) -> str:
        """Post a signed test message without a case; what went wrong, "" for nothing."""

    async def regular_work(self) -> list[RegularWork]:
        """What workers do regularly, as they have noted it; none where no worker has, or the notes cannot be read."""

    async def cache_answers(self) -> bool:
        """Whether the Redis server answers."""
