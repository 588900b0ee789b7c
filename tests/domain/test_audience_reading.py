"""Whatever is written as a rule is a rule, or is refused in a sentence; what is not known is no answer."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.audience_reading import Vocabulary, read_rule
from domain.audience_rules import All, Either, KnownFact, Not, Rule, Someone
from errors import BadRequest
from models.enums import FactType

KNOWN = Vocabulary(
    {
        "alone": KnownFact("alone", "独居", FactType.YES),
        "wed": KnownFact("wed", "婚姻", FactType.CHOICE, ("未婚", "已婚")),
        "kids": KnownFact("kids", "子女数", FactType.NUMBER),
        "licence": KnownFact("licence", "驾照到期", FactType.DATE),
    },
    {"429906001001": ("东亭社区", frozenset({4, 5}))},
)
TODAY = date(2026, 11, 20)
LEAVES: list[dict[str, Any]] = [
    {"area": ["429906001001"]},
    {"building": "3栋"},
    {"badge": "volunteer"},
    {"age": {"from": 60, "to": 79}},
    {"birthday": "month"},
    {"fact": "alone", "is": True},
    {"fact": "alone", "is": False},
    {"fact": "wed", "is": ["未婚"]},
    {"fact": "kids", "is": {"from": 1}},
    {"fact": "licence", "is": {"to": "2027-01-01"}},
    {"date": "licence", "within_days": 30},
    {"followers": True},
    {"household": {"age": {"to": 6}}},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
#: Real rules with something else in place of one of their values.
BROKEN = st.builds(
    lambda leaf, name, value: leaf | {name: value},
    st.sampled_from(LEAVES),
    st.sampled_from(
        ["area", "building", "badge", "age", "birthday", "fact", "is", "date", "within_days", "role", "all"]
    ),
    JSON,
)
RULES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        st.builds(lambda rules: {"all": rules}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda rules: {"any": rules}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda rule: {"not": rule}, inner)
    ),
    max_leaves=6,
)
PEOPLE = st.builds(
    Someone,
    area_id=st.sampled_from([4, 9]),
    follows=st.booleans(),
    building=st.sampled_from([None, "3栋", "5栋"]),
    birthday=st.sampled_from([None, date(1946, 11, 20), date(1956, 2, 29), date(2021, 1, 1)]),
    facts=st.sampled_from([None, {}, {"alone": True, "kids": 2}, {"wed": "未婚", "licence": "2026-12-01"}]),
    badges=st.sampled_from([(), ("volunteer",)]),
)


def read(data: Any) -> Rule | str:
    """The rule, or the sentence in which it was refused."""
    try:
        return read_rule(data, KNOWN)
    except BadRequest as error:
        return error.say


@settings(deadline=None, max_examples=60)
@given(JSON | BROKEN | st.builds(lambda rule: {"not": rule}, BROKEN), PEOPLE)
def test_whatever_is_written_is_a_rule_or_refused(data: Any, one: Someone):
    rule = read(data)
    if isinstance(rule, str):
        assert rule.startswith("人群")
    else:
        assert rule.said()
        assert rule.holds(one, TODAY) in (True, False, None)


@settings(deadline=None, max_examples=60)
@given(RULES, RULES, PEOPLE)
def test_joined_rules_answer_as_three_valued_logic_says(first: Any, second: Any, one: Someone):
    a, b = read(first), read(second)
    if isinstance(a, str) or isinstance(b, str):  # too deep
        return
    x, y = a.holds(one, TODAY), b.holds(one, TODAY)
    assert Not(a).holds(one, TODAY) == (None if x is None else not x)
    assert All((a, b)).holds(one, TODAY) == (False if False in (x, y) else None if None in (x, y) else True)
    assert Either((a, b)).holds(one, TODAY) == (True if True in (x, y) else None if None in (x, y) else False)


@settings(deadline=None, max_examples=60)
@given(RULES)
def test_of_somebody_nobody_knows_anything_no_rule_about_facts_says_yes(data: Any):
    rule = read(data)
    stranger = Someone(9)
    if not isinstance(rule, str) and rule.holds(stranger, TODAY):
        assert any(isinstance(part, Not) for part in rule.parts())
