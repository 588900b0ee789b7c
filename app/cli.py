"""The `linli` command."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer

from app.cli_formula import formula
from app.cli_groups import groups
from app.cli_open import apikey, connector
from app.cli_privacy import privacy
from app.cli_rules import rules
from errors import LinliError, SettingsError

app = typer.Typer(
    name="linli",
    help="Linli (邻里): a community service desk that lives in WeChat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.add_typer(apikey, name="apikey")
app.add_typer(connector, name="connector")
app.add_typer(formula, name="formula")
app.add_typer(groups, name="groups")
app.add_typer(privacy, name="privacy")
app.add_typer(rules, name="rules")


#: New objects after which the collector looks for garbage. A start makes a million, and most of them stay: looking as
#: often as usual takes a seventh of it.
_LOOK_AFTER = 50_000


def main() -> None:
    """Entry point: an error we know is one line, never a traceback."""
    gc.set_threshold(_LOOK_AFTER)
    try:
        app()
    except SettingsError as error:
        sys.exit(f"linli: {error.detail}")
    except LinliError as error:
        sys.exit(f"linli: {error.detail} {error.say}")


T = TypeVar("T")


def _run(work: Coroutine[Any, Any, T]) -> T:
    """One event loop per command; uvloop's, where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - not on every system
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


@app.command()
def run() -> None:
    """Everything in one process: engines, migrations, demo community, web server and worker."""
    from app.commands import run_all  # noqa: PLC0415 - each command loads only what it needs

    _run(run_all())


@app.command()
def web() -> None:
    """The web server alone; any number of them over one database."""
    from app.commands import run_parts  # noqa: PLC0415

    _run(run_parts(web=True, worker=False))


@app.command()
def worker() -> None:
    """A worker alone: sends what is in the outbox, fetches photos, does periodic work. Any number of them."""
    from app.commands import run_parts  # noqa: PLC0415

    _run(run_parts(web=False, worker=True))


@app.command()
def migrate() -> None:
    """Create the database if need be and bring it to the present form."""
    from app.commands import migrate_only  # noqa: PLC0415

    _run(migrate_only())


@app.command()
def demo() -> None:
    """Load the demo community into the database; what is there already stays as it is."""
    from app.commands import demo_only  # noqa: PLC0415

    _run(demo_only())


@app.command()
def staff(
    code_for: Annotated[str, typer.Option("--code", help="make bind codes: a 工号 or 编号, or all not bound")] = "",
) -> None:
    """List staff, or make one-time codes with which they bind their WeChat."""
    from app.commands import staff_codes  # noqa: PLC0415

    _run(staff_codes(code_for))


@app.command("console")
def console_link(
    number: Annotated[str, typer.Option("--code", help="whose: a 工号; empty = the first administrator's")] = "",
) -> None:
    """A link with which somebody sets their password for the staff console, once."""
    from app.commands import console_link  # noqa: PLC0415

    _run(console_link(number))


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="FILE.xlsx, FILE.csv, or a folder of CSV files")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="check and count, write nothing")] = False,
    effective: Annotated[str, typer.Option(help="first day of a new duty list, 2026-12-01; default today")] = "",
) -> None:
    """Enter areas, departments, staff, absences, duties, households and more from tables: all of it or nothing."""
    from app.exchange import import_path  # noqa: PLC0415

    raise typer.Exit(0 if _run(import_path(path, dry_run=dry_run, effective=effective)) else 1)


@app.command()
def export(
    path: Annotated[Path, typer.Argument(help="FILE.xlsx, FILE.csv (one table), or a folder for CSV files")],
    what: Annotated[list[str] | None, typer.Option(help="tables, such as 职责清单 or duties; default all")] = None,
    template: Annotated[bool, typer.Option("--template", help="empty tables to fill in, with explanations")] = False,
) -> None:
    """Write the organisation to tables that `linli import` takes back."""
    from app.exchange import export_path  # noqa: PLC0415

    _run(export_path(path, what or (), template=template))


@app.command()
def report(
    kind: Annotated[str, typer.Argument(help="daily 日巡查, weekly 周通报, monthly 月考核, yearly 年总评")],
    path: Annotated[Path, typer.Argument(help="FILE.xlsx to write")],
    area: Annotated[str, typer.Option(help="national code of the area; default the highest there is")] = "",
    on: Annotated[str, typer.Option(help="a day in it, 2026-10-31; default today, or what has ended last")] = "",
) -> None:
    """Write a report of an area's indicators as a workbook."""
    from app.bulletins import report_file  # noqa: PLC0415

    _run(report_file(kind, path, code=area, on=on))


@app.command()
def account() -> None:
    """Create the official account's menu and print each grid's QR code address, as needed once per account."""
    from app.commands import furnish  # noqa: PLC0415

    _run(furnish())


audit = typer.Typer(help="The audit trail as evidence.", no_args_is_help=True)
app.add_typer(audit, name="audit")


@audit.command()
def verify() -> None:
    """Read the whole trail again; exit code 1 and the first bad row when something was changed or is missing."""
    from app.commands import verify_audit  # noqa: PLC0415

    if not _run(verify_audit()):
        raise typer.Exit(1)


@audit.command()
def anchor() -> None:
    """Make yesterday's anchor if it is missing, and print the newest ones: keep them outside this machine."""
    from app.commands import anchor_audit  # noqa: PLC0415

    _run(anchor_audit())


@app.command()
def doctor() -> None:
    """Print every setting with its source, check engines and WeChat, and say how to mend what is wrong."""
    from app.doctor import examine  # noqa: PLC0415

    raise typer.Exit(0 if asyncio.run(examine()) else 1)


@app.command()
def classify(
    model: Annotated[str, typer.Option(help="a model's file; `none` = the rules alone; default: the community's")] = "",
) -> None:
    """Read JSON lines {"text": …} and write what Linli understands of each, one JSON line each."""
    import nlp  # noqa: PLC0415

    _adopt_model(model)
    nlp.prepare()
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            text = orjson.loads(line)["text"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise SettingsError(f'line {number} is not a JSON object with "text": {line[:60]!r}') from None
        sys.stdout.buffer.write(orjson.dumps(nlp.to_json(nlp.understand(str(text)))) + b"\n")
        sys.stdout.buffer.flush()


def _adopt_model(wanted: str) -> None:
    """Use the model in this process. One that was asked for must be good, the community's own need not be."""
    from nlp.model import adopt, read  # noqa: PLC0415

    if wanted == "none":
        return
    if wanted:
        adopt(read(Path(wanted)))
        return
    from app.settings import load_settings  # noqa: PLC0415

    path = load_settings().model_path
    if path.exists():
        try:
            adopt(read(path))
        except SettingsError as error:
            typer.echo(f"linli: {error.detail}; the rules work alone", err=True)


@app.command()
def train(
    file: Annotated[
        Path | None, typer.Argument(help="CSV with label, and text or title and body; default: the confirmed cases")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "--out", help="where the model goes; default: where Linli looks for it")
    ] = None,
) -> None:
    """Learn from confirmed cases, or from a table, what residents' messages are about; running processes take it up."""
    from app.learning import train as learn  # noqa: PLC0415

    _run(learn(file, output))


@app.command()
def hotspots(
    file: Annotated[Path, typer.Argument(help="CSV with time, and text or title and body", exists=True)],
    top: Annotated[int, typer.Option(help="how many to show", min=1)] = 10,
    half_life: Annotated[float, typer.Option(help="days after which a message counts half", min=0.1)] = 90,
) -> None:
    """Say what many messages are about: place, kind, how many people, and how hot it is."""
    from app.hot import hot_spots  # noqa: PLC0415

    hot_spots(file, top=top, half_life_days=half_life)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="CSV with columns title, body, time", exists=True, dir_okay=False)],
    rate: Annotated[float, typer.Option(help="messages a second at most; 0 = as fast as it goes")] = 0,
    limit: Annotated[int, typer.Option(help="rows at most; 0 = all")] = 0,
    deliveries: Annotated[int, typer.Option(help="deliver every callback this many times", min=1, max=3)] = 1,
    confirm: Annotated[bool, typer.Option(help="answer 1 where a report is offered")] = True,
) -> None:
    """Send each row through the simulator as a resident's encrypted messages, and say what became of them."""
    from app.replay import Plan, replay_file  # noqa: PLC0415

    _run(replay_file(file, Plan(rate=rate, limit=limit, deliveries=deliveries, confirm=confirm)))


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="callback, nlp, cases, rooms, broadcast or console")],
    json: Annotated[bool, typer.Option("--json", help="the last line is one JSON object")] = False,
    seconds: Annotated[float, typer.Option(help="length of each timed part")] = 10,
    cases: Annotated[int, typer.Option(help="cases of the made-up city", min=1000)] = 1_000_000,
    calls: Annotated[int, typer.Option(help="times each page of the city is asked for", min=12)] = 120,
    members: Annotated[str, typer.Option(help="sizes of the room")] = "1000,5000,10000",
    people: Annotated[int, typer.Option(help="residents a broadcast goes to", min=1000)] = 100_000,
) -> None:
    """Measure speed and memory, with peers and limits in the same run."""
    from app.benches import run_bench  # noqa: PLC0415

    sizes = [int(size) for size in members.split(",")]
    run_bench(name, as_json=json, seconds=seconds, cases=cases, calls=calls, members=sizes, people=people)


if __name__ == "__main__":
    main()
