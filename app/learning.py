"""`linli train`: a model from a table, or from the community's confirmed cases."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.engines import engines
from app.logs import configure_logs
from app.settings import Settings, load_settings
from domain.clock import SHANGHAI
from domain.confirmed import confirmed_cases
from errors import SettingsError
from models.database import database
from nlp import model as models
from nlp import training

MOST_ROWS = 20_000
"""Confirmed cases that are learned from, the newest: more take longer and change little."""
_NAMES = {
    "whole_macro_f1": "whole texts, macro-F1",
    "short_macro_f1": "their first forty characters, macro-F1",
    "rules_whole_macro_f1": "the rules alone on whole texts",
    "rules_short_macro_f1": "the rules alone on the beginnings",
    "whole_calibration_error": "confidence off by, whole texts",
    "short_calibration_error": "confidence off by, beginnings",
}


async def train(source: Path | None, output: Path | None) -> None:
    """Learn from a table, or from the database's confirmed cases, and put the model where running processes see it."""
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    rows = list(read_rows(source)) if source else await _own_cases(settings)
    console = Console()
    console.print(f"learning from {len(rows)} rows …")
    made = training.learn(rows, today=datetime.now(SHANGHAI).date())
    path = output or settings.model_path
    models.write(made, path)
    table = Table(title=f"measured on rows held out, {training.FOLDS} times a fifth", show_header=False)
    for name, what in _NAMES.items():
        table.add_row(what, f"{made.about.scores[name]:.3f}")
    console.print(table)
    if made.about.scores["whole_macro_f1"] < made.about.scores["rules_whole_macro_f1"]:
        console.print("The rules alone do better here. Delete the file to let them, and train again with more rows.")
    note = "running processes use it within seconds" if path == settings.model_path else f"use it with --model {path}"
    console.print(f"{made.about.rows} rows, {sum(map(len, made.known))} features → {path}: {note}", soft_wrap=True)


async def _own_cases(settings: Settings) -> list[training.Row]:
    with engines(settings.home, settings.database_url, settings.redis_url) as started:
        async with database(started.database_url, 2):
            return [training.Row(*case) for case in await confirmed_cases(MOST_ROWS)]


def read_rows(path: Path) -> Iterator[training.Row]:
    """The rows of a CSV with columns `label` and `text`, or `title` and `body`. Raises `errors.SettingsError`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            columns = set(table.fieldnames or ())
            if "label" not in columns or not columns & {"text", "body", "title"}:
                raise SettingsError(f"{path}: needs columns label and text (or title and body), has {sorted(columns)}")
            for row in table:
                text = row.get("text") or f"{row.get('title') or ''} {row.get('body') or ''}"
                if text.strip() and (row["label"] or "").strip():
                    yield training.Row(text.strip(), row["label"].strip())
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise SettingsError(f"{path} cannot be read as a CSV in UTF-8: {wrong}") from wrong
