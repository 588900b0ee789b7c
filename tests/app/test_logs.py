"""No text forges a line of the log or turns around what stands there (S17), and no value of a person's row gets in."""

from __future__ import annotations

import json
import subprocess
import sys

from models.database import parse_url
from tests.api.abuse import HOSTILE, UNSEEN

NAMES = [
    *HOSTILE,
    "一行\n2026-11-21 [error] forged",
    "二\u2028行",
    "反\u200f了",
    "\u061c左右",
    "终\x1b]0;端\x07",
    "半\x85行",
]

_WRITE = """
import json, logging, sys
import structlog
from app.logs import configure_logs

configure_logs("info", sys.argv[1])
log = structlog.get_logger()
for name in json.loads(sys.stdin.read()):
    log.info("nickname", name=name, inside=[{"address": name}])
    logging.getLogger("library").warning("file %s", name)
    if sys.argv[1] == "json":
        try:
            raise ValueError(name)
        except ValueError:
            log.exception("failed", file=name)
"""


_BREAK = """
import asyncio, sys
from ast import literal_eval
import asyncpg, structlog
from app.logs import configure_logs

configure_logs("info", "json")

async def main():
    connection = await asyncpg.connect(**literal_eval(sys.argv[2]))
    await connection.execute("CREATE TEMP TABLE person (openid text PRIMARY KEY)")
    for _ in range(2):
        try:
            await connection.execute("INSERT INTO person VALUES ($1)", "o_canary")
        except asyncpg.PostgresError as error:
            structlog.get_logger().exception("failed", error=repr(error), text=str(error))

asyncio.run(main())
"""


def written(form: str, names: list[str], script: str = _WRITE, *more: str) -> list[str]:
    """The lines a process writes about these names."""
    ran = subprocess.run(
        [sys.executable, "-c", script, form, *more], input=json.dumps(names).encode(), capture_output=True, check=True
    )
    return ran.stderr.decode().removesuffix("\n").split("\n")


def test_each_event_is_one_line_of_json_that_reads_as_it_was():
    lines = written("json", NAMES)
    assert len(lines) == 3 * len(NAMES)
    assert [line for line in lines if (UNSEEN | {"\u2028", "\u200f", "\u061c"}) & set(line)] == []
    read = [json.loads(line) for line in lines]
    assert [(one["name"], one["inside"][0]["address"]) for one in read[::3]] == [(name, name) for name in NAMES]
    assert [one["event"] for one in read[1::3]] == [f"file {name}" for name in NAMES]
    assert all("ValueError" in one["exception"] for one in read[2::3])


def test_on_a_terminal_each_is_one_line_too():
    lines = written("console", NAMES)
    assert len(lines) == 2 * len(NAMES)
    assert [line for line in lines if {"\u202e", "\u2066", "\u2028", "\x9b", "\x07", "\r"} & set(line)] == []


async def test_the_values_that_postgresql_names_in_an_error_stay_out(empty_database: str):
    said = written("json", [], _BREAK, repr(parse_url(empty_database) | {"database": "postgres"}))
    assert [json.loads(line)["event"] for line in said] == ["failed"]
    assert "person_pkey" in said[0]
    assert "o_canary" not in said[0]
