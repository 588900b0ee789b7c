"""What a notice of each kind carries, as typed data: whether a template's keywords can hold it is known when the
template is configured, not when the first notice fails.

The keyword's letters are its type (thing2), and the type fixes what WeChat accepts. Running text is cut to what a
`thing` takes; everything else must fit as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from bot.config import TemplateConfig
from bot.fields import keyword_type

CASE = "case"
"""The kind of notices whose own has no template, and of jobs written before there were kinds."""


class Form(Enum):
    """What a value is made of."""

    CODE = "letters, digits and signs"
    TEXT = "running text"
    PHRASE = "Chinese characters alone"
    MOMENT = "a time"


@dataclass(frozen=True, slots=True)
class Value:
    """One of our values: its form, its length in characters at most (running text is cut), and an example."""

    form: Form
    longest: int
    example: str


_EVERY = {
    "number": Value(Form.CODE, 20, "20261120-0037"),
    "subject": Value(Form.TEXT, 60, "楼道照明损坏"),
    "status": Value(Form.PHRASE, 5, "处理中"),
    "time": Value(Form.MOMENT, 17, "2026年11月20日 16:20"),
    "note": Value(Form.TEXT, 200, "已交给网格员王芳，最晚明天下午 6 点前。"),
}

KINDS: Mapping[str, Mapping[str, Value]] = {
    CASE: _EVERY,
    "booking": _EVERY | {"place": Value(Form.TEXT, 60, "东湖社区服务站二楼"), "code": Value(Form.CODE, 8, "471102")},
    "application": _EVERY,
    "policy": _EVERY,
    "survey": _EVERY,
}
"""What each kind of notice carries, by our names."""

#: Types that hold each form, the best first.
_SUITS: Mapping[Form, tuple[str, ...]] = {
    Form.CODE: ("character_string", "thing"),
    Form.TEXT: ("thing",),
    Form.PHRASE: ("phrase", "thing"),
    Form.MOMENT: ("time", "date", "thing"),
}

#: Every type with a known rule: how many characters, and of what.
_TYPES: Mapping[str, tuple[int, str]] = {
    "thing": (20, "20 characters of any kind"),
    "number": (32, "32 digits"),
    "letter": (32, "32 letters"),
    "symbol": (5, "5 signs"),
    "character_string": (32, "32 letters, digits and signs, no Chinese"),
    "time": (40, "a time such as 15:01 or 2019年10月1日 15:01"),
    "date": (40, "a date such as 2019年10月1日"),
    "amount": (12, "an amount of money"),
    "phone_number": (17, "a phone number"),
    "car_number": (8, "a number plate"),
    "name": (10, "a name of 10 Chinese characters"),
    "phrase": (5, "5 Chinese characters"),
    "enum": (0, "what WeChat lists for it and nothing else"),
    "const": (0, "what WeChat lists for it and nothing else"),
    "first": (0, "nothing since May 2023: WeChat drops it"),
    "remark": (0, "nothing since May 2023: WeChat drops it"),
}


def template_faults(kind: str, template: TemplateConfig) -> list[str]:
    """Why notices of this kind could not go out by this template, a sentence each; empty when all of them can."""
    values = KINDS[kind]
    faults = [] if template.template_id and template.fields else ["needs an id and fields"]
    for name, keyword in template.fields.items():
        if name in values:
            faults += value_faults(name, values[name], keyword)
        else:
            faults.append(f"{name}: Linli has {', '.join(values)}")
    twice = [keyword for keyword, count in Counter(template.fields.values()).items() if count > 1]
    return faults + [f"{keyword} is named twice: each keyword takes one value" for keyword in twice]


def value_faults(name: str, value: Value, keyword: str) -> list[str]:
    """Why a value does not go into a keyword, in one sentence that says which would do; empty when it does. Types whose
    rule is nowhere written (short_thing, those of old templates) take what they are given."""
    type_ = keyword_type(keyword)
    if type_ is None:
        return [f"{name} → {keyword}: no keyword of a template; they look like thing2"]
    suits = _SUITS[value.form]
    longest, words = _TYPES.get(type_, (0, ""))
    if not words or (type_ in suits and (value.form is Form.TEXT or value.longest <= longest)):
        return []
    what = f"{value.form.value} (up to {value.longest}, e.g. {value.example})"
    return [f"{name} → {keyword}: it is {what}, {type_} takes {words}; choose a keyword of type {' or '.join(suits)}"]


def suiting(value: Value, keywords: Sequence[str]) -> list[str]:
    """Those of a template's keywords that hold the value."""
    return [keyword for keyword in keywords if not value_faults("", value, keyword)]
