"""Notices are typed data: whether a template can carry one is known when it is configured."""

from __future__ import annotations

import pytest

from app.settings import Settings
from bot.account import AccountTemplate, differences
from bot.config import TemplateConfig
from bot.fields import fill
from bot.notice_kinds import KINDS, template_faults

GOOD = {"number": "character_string1", "subject": "thing2", "status": "phrase3", "time": "time4", "note": "thing5"}


def faults(kind: str = "case", **changes: str) -> str:
    fields = {name: keyword for name, keyword in (GOOD | changes).items() if keyword}
    return "; ".join(template_faults(kind, TemplateConfig("tpl", fields)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_into_the_simulated_accounts_template_and_so_does_its_example(kind: str) -> None:
    settings = Settings(simulator=True, _env_file=None)
    for templates in (settings.templates, settings.subscriptions):
        assert template_faults(kind, templates[kind]) == []
        fill(templates[kind], {name: value.example for name, value in KINDS[kind].items()})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"subject": "character_string2"}, "subject → character_string2: it is running text (up to 60, e.g. 楼道"),
        ({"subject": "character_string2"}, "32 letters, digits and signs, no Chinese; choose a keyword of type thing"),
        ({"note": "phrase5"}, "phrase takes 5 Chinese characters; choose a keyword of type thing"),
        ({"number": "number1"}, "number takes 32 digits; choose a keyword of type character_string or thing"),
        ({"number": "phrase1"}, "number → phrase1: it is letters, digits and signs (up to 20, e.g. 20261120-0037)"),
        ({"status": "character_string3"}, "choose a keyword of type phrase or thing"),
        ({"time": "amount4"}, "choose a keyword of type time or date or thing"),
        ({"note": "name5"}, "choose a keyword of type thing"),
        ({"subject": "first"}, "first takes nothing since May 2023: WeChat drops it; choose a keyword of type thing"),
        ({"note": "remark"}, "remark takes nothing since May 2023"),
        ({"status": "enum3"}, "what WeChat lists for it and nothing else; choose a keyword of type phrase or thing"),
        ({"note": "thing 5"}, "note → thing 5: no keyword of a template; they look like thing2"),
        ({"titel": "thing6"}, "titel: Linli has number, subject, status, time, note"),
        ({"note": "thing2"}, "thing2 is named twice: each keyword takes one value"),
    ],
)
def test_what_does_not_fit_is_named_with_what_would(changes: dict[str, str], said: str) -> None:
    assert said in faults(**changes)


def test_what_fits_in_other_ways_and_types_without_a_known_rule_pass() -> None:
    assert faults(number="thing1", status="thing3", time="thing4") == ""
    assert faults(time="date4", note="", subject="short_thing2") == ""
    assert faults("booking", place="thing6", code="character_string7") == ""
    assert "code" in faults("case", code="character_string7")
    assert template_faults("case", TemplateConfig("", {})) == ["needs an id and fields"]


def test_the_accounts_own_template_is_compared_keyword_by_keyword() -> None:
    account = {"tpl": AccountTemplate("进度", ("first", "character_string1", "thing2", "phrase9", "time4", "thing5"))}
    ours = TemplateConfig("tpl", GOOD)
    assert differences("case", ours, account) == [
        "status → phrase3: “进度” has first, character_string1, thing2, phrase9, time4, thing5; phrase9 would do",
        "phrase9 of “进度” would stay empty: WeChat sends no message with an empty keyword",
    ]
    renamed = TemplateConfig("tpl", GOOD | {"status": "phrase9"})
    assert differences("case", renamed, account) == []
    assert differences("case", TemplateConfig("other", GOOD), account) == [
        "the account has no template other; it has tpl (进度)"
    ]
