"""The audit trail in words: every tag the code writes has some, and they lead back to it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from console.audit_words import NOUNS, read_tag, say_state, say_tag, verbs_of
from errors import BadRequest
from models.transitions import Verb

_ROOT = Path(__file__).parents[2]
_WRITERS = ("app", "bot", "console", "domain", "handlers", "jobs", "miniapp_api")
_TAG = re.compile(r"[a-z]+(_[a-z]+)*:[a-z]+(_[a-z]+)*")
_NO_TAGS = {"linli", "bearer", "m"}  # channels, ids of messages


def _tags() -> set[str]:
    texts = (
        node.value
        for folder in _WRITERS
        for file in (_ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {text for text in texts if _TAG.fullmatch(text) and text.partition(":")[0] not in _NO_TAGS}


def test_every_tag_the_code_writes_is_said_in_words():
    tags = _tags() | {f"case:{verb}" for verb in Verb}
    assert len(tags) > 250
    assert sorted(tag for tag in tags if not say_tag(tag)) == []


@pytest.mark.parametrize("tag", sorted({f"case:{verb}" for verb in Verb} | {"broadcast:approve", "console:enter"}))
def test_the_words_find_the_tag_again(tag: str):
    assert read_tag(say_tag(tag)) == tag
    assert read_tag(say_tag(tag).replace("·", " ")) == tag


def test_how_a_case_stood_is_said_in_words_and_nothing_else_is_taken_for_it():
    said = [say_state(tag, "closed") for tag in ("case:close", "survey:close")]
    assert said == ["已办结", "closed"]
    assert say_state("case:export", "12 件") == "12 件"


def test_a_noun_alone_finds_all_that_was_done_with_it():
    assert read_tag("群发") == "broadcast:*"
    assert read_tag("case:*") == "case:*"
    assert all(read_tag(word) == f"{noun}:*" for noun, word in NOUNS.items())


def test_no_word_stands_for_two_things():
    for noun in NOUNS:
        words = list(verbs_of(noun).values())
        assert sorted({word for word in words if words.count(word) > 1}) == [], noun


@pytest.mark.parametrize("words", ["房子", "事项·飞走", "·派遣"])
def test_words_that_mean_nothing_are_said_to(words: str):
    with pytest.raises(BadRequest, match=r".") as refused:
        read_tag(words)
    assert "事项·派遣" in refused.value.say
