"""Word lists of comparing, searching and checking, as they stand in `nlp/data`."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import errors


def word_table(name: str) -> dict[str, Any]:
    """The table `name` of `nlp/data`. Raises SettingsError, with the file's name, for one that cannot be read."""
    return parse_table(files("nlp.data").joinpath(name).read_text(encoding="utf-8"), f"nlp/data/{name}")


def parse_table(text: str, name: str) -> dict[str, Any]:
    """`text` as a table; `name` is what the message calls it."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise errors.SettingsError(f"{name}: {wrong}") from wrong


def groups(lines: str) -> list[list[str]]:
    """The words of each line that has any."""
    return [line.split() for line in lines.splitlines() if line.strip()]
