"""`linli replay`: every row of a CSV is said by an invented resident over the real callback, and counted afterwards.

The residents' phones live in this process: it pushes to the server's callback exactly as WeChat does (signed, sealed,
five seconds, three tries). The server is the one that runs at LINLI_HOST:LINLI_PORT, or else one of our own. What
became of the messages is read from the database, never from what we believe to have sent.
"""

from __future__ import annotations

import asyncio
import csv
import secrets
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import aiohttp
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.demo import load_demo
from app.engines import engines
from app.logs import configure_logs
from app.serve import Parts, serving
from app.settings import Settings, load_settings, wechat_faults
from bot.qrcodes import grid_scene
from domain.community import has_community
from domain.people import grid_codes
from errors import SettingsError
from models.database import database, fetch, migrate
from simulator import Platform, SimulatorConfig
from simulator.courier import Delivery

#: Residents who are in the middle of something at one time.
AT_ONCE = 16
#: Seconds without any notice going out after which we stop waiting: no worker runs.
_PATIENCE = 30.0
_COLUMNS = ("title", "body", "time")
#: What a reply's choices say about how the message was understood; the first sign found counts.
_SIGNS = (
    ("offered as report", ">交给网格员</a>"),
    ("offered to join another's", ">不是同一件，照常上报</a>"),
    ("a guide or a choice of guides", "问网格员</a>"),
    ("consult nobody has a guide for", ">请网格员回答</a>"),
    ("asked which kind", ">都不是</a>"),
    ("asked back", ">问怎么办事</a>"),
)
#: Where the kind is not clear, three are offered and this; the first is chosen.
_NO_KIND = "都不是"
#: What hands a report in, and the number to type for it; nobody here joins another's.
_HAND_IN = {"交给网格员": "1", "不是同一件，照常上报": "2"}


@dataclass(frozen=True, slots=True)
class Plan:
    """How to replay: messages a second at most (0 = as fast as it goes), rows at most (0 = all), how often each
    callback is delivered (1 to 3), and whether an offered report is confirmed."""

    rate: float = 0
    limit: int = 0
    deliveries: int = 1
    confirm: bool = True


@dataclass(slots=True)
class Sent:
    """What left this process."""

    prefix: str
    follows: int = 0
    messages: list[str] = field(default_factory=list)
    """Dedupe keys."""
    choices: list[str] = field(default_factory=list)
    """Answers to which kind of matter it is."""
    confirmations: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    """Pushes that showed the resident WeChat's fault line, by reason."""
    unequal: int = 0
    """Pushes whose copies were answered differently."""
    seconds: float = 0.0

    @property
    def callbacks(self) -> int:
        return self.follows + len(self.messages) + len(self.choices) + len(self.confirmations)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the database knows of them."""

    stored: int
    confirmed: int
    rows: int
    replies: Counter[str]
    failed: int
    cases: int
    urgent: int
    more_than_one: int
    without_case: int
    undelivered: int
    waiting: int
    categories: Sequence[tuple[str, int]]

    def faults(self, sent: Sent) -> dict[str, int]:
        """What must not be: lost, doubled or failed, by name; empty when all is well."""
        found = {
            "messages lost": len(sent.messages) - self.stored,
            "confirmations lost": len(sent.confirmations) - self.confirmed,
            "inbox rows too many": self.rows - sent.callbacks,
            "residents with more than one case": self.more_than_one,
            "confirmed without a case": self.without_case,
            "failed or parked": self.failed,
            "fault line shown": sent.faults.total(),
            "copies answered differently": sent.unequal,
        }
        return {name: count for name, count in found.items() if count}


def read_rows(file: Path, limit: int = 0) -> list[str]:
    """Title and body of each row as one text, without rows that say nothing. Raises SettingsError for a file that is
    no such table."""
    csv.field_size_limit(10_000_000)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise SettingsError(f"{file}: no column {', '.join(missing)}; replay needs {', '.join(_COLUMNS)}")
            texts = [f"{row['title'] or ''}\n{row['body'] or ''}".strip() for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"{file} cannot be read as CSV in UTF-8: {error}") from None
    said = [text for text in texts if text]
    return said[:limit] if limit else said


async def replay_file(file: Path, plan: Plan) -> None:
    """Replay and print what became of the messages; exit code 1 when one was lost, doubled or failed."""
    texts = read_rows(file, plan.limit)
    settings = _simulated(load_settings())
    configure_logs("warning" if settings.log_level == "info" else settings.log_level, settings.log_format)
    sent = Sent(f"o_replay_{secrets.token_hex(3)}_")
    async with _target(settings) as callback_url:
        await _send_all(texts, plan, sent, _config(settings, callback_url))
        drained = await _drain(sent.prefix)
        outcome = await count_outcome(sent)
    faults = outcome.faults(sent)
    Console().print(_table(sent, outcome, drained))
    for reason, count in sent.faults.items():
        Console(stderr=True).print(f"fault line shown {count} times: {reason}")
    if faults:
        Console(stderr=True).print("NOT in order: " + ", ".join(f"{name}: {count}" for name, count in faults.items()))
        raise typer.Exit(1)


def _simulated(settings: Settings) -> Settings:
    """Invented residents must never reach a real account or the cases of a real city."""
    if settings.wechat_appid and not settings.simulator:
        raise SettingsError("replay plays invented residents: not with a real account, unless LINLI_SIMULATOR=1 is set")
    if faults := wechat_faults(settings.model_copy(update={"simulator": True})):
        raise SettingsError("; ".join(f"{name} {fault}" for name, fault in faults))
    return settings.model_copy(update={"simulator": True})


def _config(settings: Settings, callback_url: str) -> SimulatorConfig:
    """The account as the server has it; nothing is kept of the phones."""
    wechat = settings.wechat()
    return SimulatorConfig(
        callback_url=callback_url,
        appid=wechat.appid,
        secret=wechat.secret,
        token=wechat.token,
        aes_key=wechat.aes_key,
        mode=wechat.mode,
    )


@asynccontextmanager
async def _target(settings: Settings) -> AsyncIterator[str]:
    """The callback address of the server that runs, or of one that runs until we are done; its database is open."""
    async with AsyncExitStack() as stack:
        running = await _answers(settings.base_url)
        started = stack.enter_context(engines(settings.home, settings.database_url, settings.redis_url))
        if running:
            await stack.enter_async_context(database(started.database_url, 4))
            yield f"{settings.base_url}/wechat/callback"
            return
        await _prepare(started.database_url)
        own = settings.model_copy(update={"host": "127.0.0.1", "port": _free_port()})
        # Also where the operator's own API base is set: what staff are told must not leave this machine.
        own = own.model_copy(update={"wechat_api_base": f"{own.base_url}/simulator/wechat"})
        served = await stack.enter_async_context(serving(own, started, Parts(web=True, worker=True)))
        yield f"{served.url}/wechat/callback"


async def _prepare(database_url: str) -> None:
    """Migrate, and load the demo community into an empty database."""
    await migrate(database_url)
    async with database(database_url, 2):
        if not await has_community():
            await load_demo(simulator=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _answers(url: str) -> bool:
    """Whether a Linli serves there."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session,
            session.get(f"{url}/healthz") as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _send_all(texts: Sequence[str], plan: Plan, sent: Sent, config: SimulatorConfig) -> None:
    scenes = [grid_scene(code) for code in await grid_codes()]
    gate, pace = asyncio.Semaphore(AT_ONCE), _Pace(plan.rate)
    async with Platform(config) as platform:
        platform.faults.duplicates = plan.deliveries
        with _progress() as progress:
            task = progress.add_task("messages", total=len(texts))

            async def one(number: int, text: str) -> None:
                async with gate:
                    await pace.wait()
                    resident = _Resident(platform, f"{sent.prefix}{number:06d}", sent)
                    await resident.live(scenes[number % len(scenes)], text, confirm=plan.confirm)
                    progress.advance(task)

            started = perf_counter()
            async with asyncio.TaskGroup() as residents:
                for number, text in enumerate(texts):
                    residents.create_task(one(number, text))
            sent.seconds = perf_counter() - started


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


class _Pace:
    """Lets at most `rate` pass in a second, evenly; 0 lets all pass."""

    def __init__(self, rate: float) -> None:
        self._step = 1 / rate if rate > 0 else 0.0
        self._next = 0.0

    async def wait(self) -> None:
        now = perf_counter()
        self._next = max(now, self._next + self._step)
        if self._next > now:
            await asyncio.sleep(self._next - now)


@dataclass(frozen=True, slots=True)
class _Resident:
    """Somebody with a phone who follows through their grid's code and says one thing."""

    platform: Platform
    openid: str
    sent: Sent

    async def live(self, scene: str, text: str, *, confirm: bool) -> None:
        """Follow, say it, and hand in what is offered."""
        self.sent.follows += 1
        await self._push(lambda: self.platform.follow(self.openid, scene))
        said = await self._push(lambda: self.platform.send(self.openid, "text", text=text))
        self.sent.messages.append(f"m:{said.msg_id}")
        if confirm and any(link.text == _NO_KIND for link in said.links):
            said = await self._push(lambda: self.platform.send(self.openid, "text", text="1"))
            self.sent.choices.append(f"m:{said.msg_id}")
        number = next((_HAND_IN[link.text] for link in said.links if link.text in _HAND_IN), "")
        if confirm and number:
            answered = await self._push(lambda: self.platform.send(self.openid, "text", text=number))
            self.sent.confirmations.append(f"m:{answered.msg_id}")

    async def _push(self, push: Callable[[], Awaitable[Delivery]]) -> Delivery:
        delivery = await push()
        if delivery.outcome == "fault":
            self.sent.faults[delivery.reason] += 1
        if len({(copy.outcome, copy.text) for copy in delivery.copies}) > 1:
            self.sent.unequal += 1
        return delivery


_WAITING = """
SELECT count(*) AS waiting FROM outbox WHERE finished_at IS NULL AND (starts_with(recipient, $1) OR case_id IN (
    SELECT c.id FROM cases c JOIN resident r ON r.id = c.reporter_id WHERE starts_with(r.openid, $1)))
"""
_CATEGORIES = """
SELECT c.subject, count(*) FROM cases c JOIN resident r ON r.id = c.reporter_id WHERE starts_with(r.openid, $1)
GROUP BY c.subject ORDER BY count DESC, c.subject LIMIT 10
"""
_FIGURES = """
WITH run AS (SELECT c.* FROM cases c JOIN resident r ON r.id = c.reporter_id WHERE starts_with(r.openid, $1)),
told AS (SELECT * FROM outbox WHERE case_id IN (SELECT id FROM run) OR starts_with(recipient, $1))
SELECT (SELECT count(*) FROM run) AS cases,
    (SELECT count(*) FROM run WHERE urgency = 'urgent') AS urgent,
    (SELECT count(*) FROM (SELECT 1 FROM run GROUP BY reporter_id HAVING count(*) > 1) AS twice) AS more_than_one,
    (SELECT count(*) FROM told WHERE state IN ('undelivered', 'parked')) AS undelivered,
    (SELECT count(*) FROM told WHERE finished_at IS NULL) AS waiting,
    (SELECT count(*) FROM inbox WHERE starts_with(openid, $1)) AS rows,
    (SELECT count(*) FROM inbox WHERE starts_with(openid, $1) AND state <> 'done') AS failed
"""
_STORED = """
SELECT i.reply, c.id IS NOT NULL AS made_case FROM inbox i LEFT JOIN cases c ON c.message_id = i.id
WHERE i.dedupe_key = ANY($1::text[])
"""


async def _drain(prefix: str) -> float:
    """Wait until every notice of the run has ended; gives the seconds it took."""
    started = moved = perf_counter()
    last = -1
    while True:
        rows = await fetch(_WAITING, prefix)
        waiting, now = int(rows[0]["waiting"]), perf_counter()
        if waiting != last:
            moved, last = now, waiting
        if not waiting or now - moved > _PATIENCE:
            return now - started
        await asyncio.sleep(0.1)


async def count_outcome(sent: Sent) -> Outcome:
    """Read from the database what became of everything that was sent."""
    stored = await fetch(_STORED, sent.messages)
    confirmed = await fetch(_STORED, sent.confirmations)
    figures = (await fetch(_FIGURES, sent.prefix))[0]
    categories = await fetch(_CATEGORIES, sent.prefix)
    return Outcome(
        stored=len(stored),
        confirmed=len(confirmed),
        replies=Counter(_understood(row["reply"], made_case=row["made_case"]) for row in stored),
        without_case=sum(not row["made_case"] for row in confirmed),
        categories=[(row["subject"], row["count"]) for row in categories],
        **figures,
    )


def _understood(reply: str | None, *, made_case: bool) -> str:
    """How a message was taken, by what it was answered."""
    if made_case:
        return "emergency"
    for name, sign in _SIGNS:
        if sign in (reply or ""):
            return name
    return "chat" if reply else "no reply"


def _table(sent: Sent, outcome: Outcome, drained: float) -> Table:
    """Everything on one page."""
    table = Table("what became of them", "count", title=f"replay {sent.prefix}*")
    count, callbacks = len(sent.messages), sent.callbacks
    speed = count / sent.seconds if sent.seconds else 0.0
    lines: list[tuple[str, object]] = [
        ("messages sent", count),
        ("inbox rows of them", outcome.stored),
        ("inbox rows in all (with follows and answers)", f"{outcome.rows} of {callbacks}"),
        ("replies", outcome.replies.total() - outcome.replies["no reply"]),
        *((f"  {name}", outcome.replies[name]) for name, _ in _SIGNS),
        ("  emergency: a case at once", outcome.replies["emergency"]),
        ("  chat", outcome.replies["chat"]),
        ("confirmed", outcome.confirmed),
        ("cases", outcome.cases),
        ("  urgent", outcome.urgent),
        ("  residents with more than one", outcome.more_than_one),
        ("  confirmed without one", outcome.without_case),
        ("messages failed or parked", outcome.failed),
        ("faults seen by residents", sent.faults.total()),
        ("notices not delivered", outcome.undelivered),
        ("notices still waiting", outcome.waiting),
        *((f"  {subject}", number) for subject, number in outcome.categories),
        ("seconds, and until the last notice", f"{sent.seconds:.1f} + {drained:.1f}"),
        ("messages a second (callbacks)", f"{speed:.0f} ({callbacks / max(sent.seconds, 1e-9):.0f})"),
    ]
    for name, value in lines:
        table.add_row(name, str(value))
    return table
