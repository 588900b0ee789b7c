"""What the documents say of settings, commands, imports and verbs is what the code does; their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from app.cli import app
from app.settings import Settings
from models.enums import Status
from models.transitions import TRANSITIONS
from tests.architecture.test_imports import ROOT, TABLE

READMES = ("README.md", "README.zh-CN.md")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
VARIABLE = re.compile(r"LINLI_[A-Z0-9_]+[A-Z]")
SETTINGS = {f"LINLI_{name.upper()}" for name in Settings.model_fields}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every table row."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]


@pytest.mark.parametrize("name", READMES)
def test_the_table_of_settings_is_complete_and_says_the_defaults(name: str):
    told = {variable: row for row in rows(read(name)) for variable in VARIABLE.findall(row[0])}
    assert set(told) == SETTINGS
    for setting, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, str | int) and not isinstance(default, bool) and default:
            assert f"`{default}`" in told[f"LINLI_{setting.upper()}"][1], setting


@pytest.mark.parametrize("name", READMES)
def test_the_table_of_commands_is_complete(name: str):
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    told = {found for row in rows(read(name)) for found in re.findall(r"`linli ([a-z]+)", row[0])}
    assert told == commands


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "deploy" / "linli.env.example"], ids=lambda path: path.name)
def test_no_document_names_a_setting_that_does_not_exist(path: Path):
    assert set(VARIABLE.findall(path.read_text(encoding="utf-8"))) - SETTINGS <= {"LINLI_WECHAT"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_lead_to_something(path: Path):
    text = path.read_text(encoding="utf-8")
    broken = [
        target
        for target in re.findall(r"\]\(([^)]+)\)", text)
        if not target.startswith("http") and not _exists(path, target)
    ]
    assert broken == []


def _exists(path: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    file = path.parent / name if name else path
    if not file.exists():
        return False
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
    return not anchor or anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_import_table_of_the_document_is_the_one_that_is_enforced():
    told = {
        row[0].strip("`/").removesuffix(".py"): row[2] for row in rows(read("docs/architecture.md")) if len(row) == 3
    }
    for folder, words in told.items():
        if folder not in TABLE or folder == "app":
            continue
        may = {entry.split(".")[0] for entry in TABLE[folder]} - {"errors"}
        assert may == set(re.findall(r"`([a-z_]+)`", words)) & set(TABLE), folder


def test_the_life_cycle_page_is_the_transition_table():
    page = (ROOT / "docs" / "life-cycle.md").read_text(encoding="utf-8")
    written = {}
    for verb, sources, target, who in re.findall(
        r"^\| `(\w+)` [^|]+\| ([^|]+) \| ([^|]+) \| ([^|]+) \|", page, re.MULTILINE
    ):
        known = set(Status) if sources == "any" else {Status(name) for name in sources.split(", ")}
        written[verb] = (known, None if target == "–" else Status(target), set(who.split(", ")))
    assert written == {row.verb: (set(row.sources), row.target, set(row.who)) for row in TRANSITIONS}
