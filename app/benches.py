"""`linli bench NAME`: runs a benchmark on engines of its own (or those of the settings) and prints what it found."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from rich.console import Console
from rich.table import Table

import nlp
from app.demo import load_demo
from app.engines import engines
from app.settings import load_settings
from errors import SettingsError
from models.database import database

if TYPE_CHECKING:
    from bench.stage import Place

Result = dict[str, Any]
Measure = Callable[["Place"], Coroutine[Any, Any, Result]]

ROOM_SIZES = (1_000, 5_000, 10_000)


@dataclass(frozen=True, slots=True)
class Size:
    """How long a timed part is, of how many cases a city, how often a page is asked for, with how many members a room,
    to how many a broadcast."""

    seconds: float
    cases: int
    calls: int
    members: Sequence[int]
    people: int


def run_bench(
    name: str,
    *,
    as_json: bool,
    seconds: float,
    cases: int = 1_000_000,
    calls: int = 120,
    members: Sequence[int] = ROOM_SIZES,
    people: int = 100_000,
) -> None:
    """Measure and print a table; with `as_json` one JSON object on the last line. `seconds`: length of a timed part."""
    bench = _BENCHES.get(name)
    if bench is None:
        raise SettingsError(f"there is no bench {name!r}, only {' and '.join(_BENCHES)}")
    result = {"bench": name, **bench(Size(seconds, cases, calls, members, people))}
    _print_table(result)
    if as_json:
        print(orjson.dumps(result).decode(), flush=True)


def _callback(size: Size) -> Result:
    from bench.callback import run  # noqa: PLC0415 - each bench loads only what it needs

    return _in_a_town(lambda own: run(own, size.seconds))


def _nlp(_size: Size) -> Result:
    from bench.nlp import run  # noqa: PLC0415 - needs more than the other benches

    return dict(run())


def _cases(size: Size) -> Result:
    from bench.cases import run  # noqa: PLC0415 - the same

    nlp.prepare()
    return _on_engines(lambda place: run(place, size.cases, size.calls))


def _console(size: Size) -> Result:
    from bench.console import run  # noqa: PLC0415 - the same

    nlp.prepare()
    return _on_engines(lambda place: run(place, size.cases, size.calls))


def _rooms(size: Size) -> Result:
    from bench.rooms import run  # noqa: PLC0415 - the same

    return _in_a_town(lambda own: run(own, size.seconds, size.members))


def _broadcast(size: Size) -> Result:
    from bench.broadcast import run  # noqa: PLC0415 - the same

    return _in_a_town(lambda own: run(own, size.people))


def _on_engines(measure: Measure) -> Result:
    """Measure on engines of its own, in a folder that is gone afterwards."""
    from bench.stage import Place  # noqa: PLC0415 - the same

    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="linli-bench-") as folder:
        Path(folder).chmod(0o755)  # run as root, PostgreSQL works as another user and must reach its data
        with engines(Path(folder), settings.database_url, settings.redis_url) as started:
            place = Place(started.database_url, started.redis_url, Path(folder))
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                return runner.run(measure(place))


def _in_a_town(measure: Measure) -> Result:
    """The same, in a database with the demo community in it."""
    from bench.stage import own_database  # noqa: PLC0415 - the same

    async def settled(place: Place) -> Result:
        async with own_database(place) as own:
            async with database(own.database_url, 2):
                await load_demo(simulator=False)
            return await measure(own)

    return _on_engines(settled)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop, where there is one: the load generator must not be slower than what it measures."""
    try:
        import uvloop  # noqa: PLC0415 - not on every system
    except ImportError:
        return None
    return uvloop.new_event_loop


def _print_table(result: Result) -> None:
    table = Table("", "", title=f"linli bench {result['bench']}", show_header=False)
    for part in ("figures", "peers", "ratios"):
        for name, value in result.get(part, {}).items():
            table.add_row(name, f"{value:,}" if isinstance(value, int | float) else str(value))
        table.add_section()
    Console().print(table)


_BENCHES: dict[str, Callable[[Size], Result]] = {
    "callback": _callback,
    "nlp": _nlp,
    "cases": _cases,
    "rooms": _rooms,
    "broadcast": _broadcast,
    "console": _console,
}
