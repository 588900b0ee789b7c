"""The audit trail's tags in words: `case:dispatch` is 事项·派遣. They are looked for by either."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files

from console import case_words
from console.shown import status_name
from errors import BadRequest
from models.enums import Status

_WORDS = tomllib.loads(files("console").joinpath("audit_words.toml").read_text(encoding="utf-8"))
NOUNS: Mapping[str, str] = _WORDS["nouns"]
_VERBS: Mapping[str, str] = _WORDS["verbs"]
_CASE_VERBS: Mapping[str, str] = {**_VERBS, **case_words.VERBS}
_ACTORS: Mapping[str, str] = _WORDS["actors"]


def verbs_of(noun: str) -> Mapping[str, str]:
    """What may follow a noun; a case has words of its own."""
    return _CASE_VERBS if noun == "case" else _VERBS


def say_tag(tag: str) -> str:
    """事项·派遣; "" for a tag without words."""
    noun, _, verb = tag.partition(":")
    said = NOUNS.get(noun, ""), verbs_of(noun).get(verb, "")
    return "·".join(said) if all(said) else ""


def say_state(tag: str, state: str) -> str:
    """处置中 of a case's `disposing`; what is no status of one stays as it is."""
    return status_name(Status(state)) if tag.startswith("case:") and state in set(Status) else state


def say_actor(actor: str) -> str:
    """居民 of `resident:12`; "" for one who has a name of their own."""
    return _ACTORS.get(actor.partition(":")[0], "")


def read_tag(given: str) -> str:
    """`case:dispatch` of 事项·派遣, `case:*` of 事项; a tag stays as it is.

    Raises BadRequest for words that mean none.
    """
    if given.isascii():
        return given
    said, _, done = given.replace(" ", "·").partition("·")
    noun = _named(NOUNS, said)
    verb = _named(verbs_of(noun), done) if done else "*"
    if not noun or not verb:
        raise BadRequest("no such tag", say="没有这个动作。请照表里的样子写，比如“事项”或“事项·派遣”。")
    return f"{noun}:{verb}"


def _named(words: Mapping[str, str], said: str) -> str:
    return next((name for name, word in words.items() if word == said), "")
