"""What is written for all to read goes through the word lists; what is told to the desk does not."""

from __future__ import annotations

from domain.duplicates import public_place
from domain.publishing import check_public, is_public, use
from nlp.sensitive import Outcome, read_checker
from tests.town import CHEN, Town


def test_what_insults_is_refused_with_its_reason_and_a_doubt_is_passed_on():
    refused = check_public("你个傻逼")
    assert refused.outcome is Outcome.BLOCK
    assert refused.reason == "含有辱骂"
    assert [one.words for one in refused.findings] == ["傻逼"]
    assert check_public("我电话13800138000").outcome is Outcome.REVIEW
    assert check_public("路灯修好了").outcome is Outcome.PASS


def test_the_operators_words_hold_while_they_are_set():
    own = '[[category]]\ncode = "rumour"\nname = "谣言"\nblock = "停水一个月"'
    with use(read_checker(own, "own.toml")):
        assert not is_public("要停水一个月")
    assert is_public("要停水一个月")
    assert check_public("要停水一个月").reason == ""


def test_neighbours_read_no_place_that_insults():
    assert public_place("3栋2单元") == "3栋2单元"
    assert "傻逼" not in public_place("傻逼小区3栋")


async def test_a_report_in_foul_language_is_taken_all_the_same(town: Town):
    assert "看起来您要反映" in await town.say(CHEN, "他妈的3栋2单元楼道灯又坏了，傻逼物业不管")
