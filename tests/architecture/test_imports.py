"""Who may import whom, read from the source: the table of docs/architecture.md, enforced."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

EVERYTHING = frozenset(
    {"bot", "console", "domain", "errors", "handlers", "jobs", "miniapp_api", "models", "nlp", "simulator"}
)
#: Folder → what it may import of ours. A dotted name allows that module alone. `errors` is open to all: it is the
#: one error tree, and imports nothing.
TABLE = {
    "app": EVERYTHING | {"bench"},
    "bench": EVERYTHING | {"app", "tests"},
    "bot": {"models", "errors"},
    # consents: what WeChat says of notices comes as messages; qrcodes: the grid is read off a scanned scene
    "handlers": {"bot.router", "bot.messages", "bot.consents", "bot.qrcodes", "domain", "nlp", "errors"},
    "domain": {"models", "nlp", "errors"},
    "models": {"errors"},
    "nlp": {"errors"},
    # enums: the closed sets of values are the API's as they are the database's
    "miniapp_api": {"domain", "models.enums", "errors"},
    # enums: as for the API
    "console": {"domain", "models.enums", "errors"},
    "simulator": {"bot.crypto", "bot.messages", "errors"},
    "jobs": {"domain", "bot", "errors"},
    "errors": set[str](),
    "tests": EVERYTHING | {"app", "bench", "tests"},
}
#: The inner folders know neither the web, nor Redis, nor the scheduler.
INNER = ("domain", "models", "nlp")
OUTER_LIBRARIES = {"aiohttp", "redis", "apscheduler"}


def sources(*folders: str) -> Iterator[Path]:
    """Our Python files below these folders (every folder with Python in it when none is named)."""
    skipped = {"build", "dist", "var", "node_modules"}
    for entry in sorted(ROOT.iterdir()):
        if entry.name.startswith(".") or entry.name in skipped or (folders and entry.stem not in folders):
            continue
        yield from [entry] if entry.suffix == ".py" else sorted(entry.rglob("*.py")) if entry.is_dir() else []


def folder_of(path: Path) -> str:
    """The row of the table a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def imported(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file; `from bot import router` counts as bot.router."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute, so that this test can read them"
            module = node.module or ""
            submodules = {alias.name for alias in node.names if _is_module(module, alias.name)}
            found |= {f"{module}.{name}" for name in submodules}
            if not submodules or len(submodules) < len(node.names):
                found.add(module)
    return found


def _is_module(package: str, name: str) -> bool:
    folder = ROOT.joinpath(*package.split("."))
    return (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists()


def allowed(importer: str, module: str) -> bool:
    """Whether the table lets `importer` import `module`."""
    top = module.split(".", maxsplit=1)[0]
    if top not in TABLE or top == importer:
        return True
    return any(module == entry or module.startswith(f"{entry}.") for entry in TABLE[importer])


def test_every_folder_with_python_in_it_stands_in_the_table():
    assert {folder_of(path) for path in sources()} <= set(TABLE)


def test_every_import_is_one_the_table_allows():
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources()
        for module in sorted(imported(path))
        if not allowed(folder_of(path), module)
    ]
    assert wrong == []


def test_the_inner_folders_know_no_web_no_redis_and_no_scheduler():
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(*INNER)
        for module in sorted(imported(path))
        if module.split(".")[0] in OUTER_LIBRARIES
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("importer", "module"),
    [
        ("handlers", "models.cases"),
        ("handlers", "bot.api"),
        ("miniapp_api", "models.rooms"),
        ("domain", "bot.messages"),
        ("bot", "domain.reports"),
        ("models", "app.settings"),
        ("nlp", "models.enums"),
        ("simulator", "bot.inbox"),
        ("jobs", "models.database"),
        ("errors", "models"),
    ],
)
def test_the_table_refuses_what_would_tie_the_layers_together(importer: str, module: str):
    assert not allowed(importer, module)


def test_nobody_but_tests_and_benchmarks_reaches_into_app():
    assert [row for row, may in TABLE.items() if "app" in may] == ["bench", "tests"]


def test_every_third_party_import_is_a_dependency_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = " ".join([*project["dependencies"], *project["optional-dependencies"]["dev"]]).lower().replace("-", "_")
    # What is installed under another name than it is imported by.
    names = {"tortoise": "tortoise_orm", "chinese_calendar": "chinesecalendar", "sklearn": "scikit_learn"}
    ours = set(TABLE) | set(sys.stdlib_module_names)
    missing = {
        f"{folder_of(path)}: {top}"
        for path in sources()
        for top in {module.split(".")[0] for module in imported(path)} - ours
        if names.get(top, top).lower() not in text and not (path.parent / f"{top}.py").exists()
    }
    assert missing == set()
