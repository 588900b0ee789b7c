"""Rules of the house that a reader cannot check by eye in every change."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from tests.architecture.test_imports import ROOT, folder_of, sources

#: Last words of names whose values must be compared in constant time.
SECRETS = re.compile(r"(?:^|_)(?:signature|secret|token|password|digest|code_hash|aes_key|mac)$")


def product() -> Iterator[Path]:
    """Everything that ships."""
    return (path for path in sources() if folder_of(path) not in ("tests", "bench"))


@lru_cache(8)
def parsed(path: Path) -> ast.Module:
    """The module's tree; rules that look up names ask for the same one again and again."""
    return ast.parse(path.read_text(encoding="utf-8"))


def _where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def _name(node: ast.AST) -> str:
    """`c` of a.b.c, `name` of name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def test_every_time_is_aware():
    naive = [
        _where(path, node)
        for path in product()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and (
            _name(node.func) in ("utcnow", "utcfromtimestamp")
            or (_name(node.func) == "now" and _name_of_owner(node) == "datetime" and not node.args + node.keywords)
            or (_name(node.func) == "fromtimestamp" and len(node.args + node.keywords) < 2)
        )
    ]
    assert naive == []


def _name_of_owner(call: ast.Call) -> str:
    return _name(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def test_secrets_and_signatures_are_compared_in_constant_time():
    compared = [
        _where(path, node)
        for path in product()
        if folder_of(path) != "simulator"  # it plays WeChat and guards nothing of ours
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        and any(SECRETS.search(_name(side)) for side in (node.left, *node.comparators))
    ]
    assert compared == []


def test_values_reach_sql_as_arguments_and_never_as_text():
    pasted = [
        _where(path, call)
        for path in product()
        for call in _calls(parsed(path), "fetch")
        if call.args and not _is_fixed_text(call.args[0], parsed(path))
    ]
    assert pasted == []


def _calls(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        # `transport.fetch` and the like are no SQL; ours is always called by its bare name
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def _is_fixed_text(node: ast.expr, tree: ast.Module) -> bool:
    """A literal, a constant of the module or of another of ours, or such texts put together with `+`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _is_fixed_text(node.left, tree) and _is_fixed_text(node.right, tree)
    if not isinstance(node, ast.Name):
        return isinstance(node, ast.Constant) and isinstance(node.value, str)
    values = [
        statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign) and any(_name(target) == node.id for target in statement.targets)
    ]
    if not values and (origin := _imported_from(node.id, tree)):
        return _is_fixed_text(node, parsed(origin))
    return bool(values) and all(_is_fixed_text(value, tree) for value in values)


def _imported_from(name: str, tree: ast.Module) -> Path | None:
    """Our module from which a name comes."""
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and any(alias.name == name for alias in statement.names):
            path = ROOT / f"{(statement.module or '').replace('.', '/')}.py"
            return path if path.is_file() else None
    return None


@pytest.mark.parametrize(
    "statement",
    [
        "fetch(f'SELECT {name}')",
        "fetch('SELECT ' + name)",
        "fetch('SELECT %s' % name)",
        "fetch(sql)",
        "fetch(make_sql())",
    ],
)
def test_the_rule_sees_every_way_of_pasting(statement: str):
    tree = ast.parse(statement)
    assert [_is_fixed_text(call.args[0], tree) for call in _calls(tree, "fetch")] == [False]


def test_a_refusal_holds_wherever_it_is_read_and_the_words_to_write_in_the_chat_stand_apart():
    spoken = [
        _where(path, value)
        for path in sources("domain", "errors", "miniapp_api")
        for value in _sentences(parsed(path))
        if re.search("(?:回复|发|写|说)“", text := _text_of(value, parsed(path))) and "公众号" not in text
    ]
    assert spoken == []


def _sentences(tree: ast.Module) -> Iterator[ast.expr]:
    """What is told everybody: what errors are given as `say`, under that name or directly."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "say":
            yield node.value
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=True)
                    yield from (value for name, value in pairs if _name(name) == "say")
                elif _name(target) in ("say", "default_say"):
                    yield node.value


def _text_of(value: ast.expr, tree: ast.Module) -> str:
    """The fixed parts of a text, and of the module's constants it names."""
    names = {_name(part) for part in ast.walk(value)} - {""}
    named = [
        statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign) and names & {_name(target) for target in statement.targets}
    ]
    parts = [part for text in (value, *named) for part in ast.walk(text)]
    return "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def test_every_dependency_says_why_it_is_there():
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    start, end = lines.index("dependencies = ["), lines.index("[project.scripts]")
    dependencies = [line for line in lines[start:end] if line.startswith('    "')]
    assert len(dependencies) > 20
    assert [line for line in dependencies if not re.search(r'",\s+# \S.{2,}', line)] == []


def test_every_module_says_what_it_is_for():
    silent = [
        str(path.relative_to(ROOT))
        for path in product()
        if "migrations" not in path.parts and not ast.get_docstring(parsed(path))
    ]
    assert silent == []


def test_modules_stay_short_enough_to_be_read_at_one_sitting():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in product()
        if "migrations" not in path.parts and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_nothing_is_left_for_later():
    mark = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if mark.search(line)
    ]
    assert found == []
