"""`linli hotspots`: what many messages of a file are about, hottest first, for a person to read."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

import nlp
from errors import SettingsError
from nlp.clusters import Cluster, Said, find_clusters

_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")


def hot_spots(path: Path, *, top: int, half_life_days: float) -> None:
    """Print the `top` hottest matters of a CSV, as seen at the time of its last message.

    Columns: `time`, and `text` or `title` and `body`; `writer`, `place` and `likes` are used where they are there.
    Raises SettingsError for a file that cannot be read, with the line.
    """
    said = list(read_messages(path))
    if not said:
        raise SettingsError(f"{path}: no messages")
    nlp.prepare()
    now = max(one.at for one in said)
    found = find_clusters(said, now, half_life=timedelta(days=half_life_days))
    grouped = sum(len(one.keys) for one in found)
    print(f"{len(said)} 条，其中 {grouped} 条说的是 {len(found)} 件多人反映的事；截至 {now:%Y-%m-%d}")
    Console().print(_table(found[:top]))


def _table(clusters: list[Cluster[int]]) -> Table:
    table = Table("", "热度", "事项", show_lines=True)
    for row, one in enumerate(clusters, 1):
        table.add_row(str(row), f"{one.heat:.1f}", f"{one.headline}\n{one.days} 天有人说，如：{one.example}")
    return table


def read_messages(path: Path) -> Iterator[Said[int]]:
    """The messages of a CSV with their line numbers as keys."""
    csv.field_size_limit(10_000_000)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            columns = set(reader.fieldnames or ())
            if "time" not in columns or not columns & {"text", "body"}:
                raise SettingsError(f"{path}: needs the columns time, and text or title and body")
            for row in reader:
                yield _message(reader.line_num, row, path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingsError(f"{path}: {error}") from error


def _message(number: int, row: Mapping[str, str | None], path: Path) -> Said[int]:
    likes = row.get("likes") or "0"
    return Said(
        key=number,
        text=row.get("text") or row.get("body") or "",
        at=_time(row["time"] or "", number, path),
        title=row.get("title") or "",
        who=row.get("writer") or "",
        place=row.get("place") or "",
        likes=int(likes) if likes.isdecimal() else 0,
    )


def _time(written: str, number: int, path: Path) -> datetime:
    plain = written.strip().replace("/", "-").replace("T", " ")[:19]
    for shape in _FORMATS:
        try:
            return datetime.strptime(plain, shape)  # noqa: DTZ007 - only differences between times of one file are used
        except ValueError:
            continue
    raise SettingsError(f"{path} line {number}: no time: {written!r}")
