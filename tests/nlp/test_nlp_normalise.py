"""How residents write: slips, dialect, other characters, hidden numbers; the person's own words stay where they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlp
from nlp.catalogue import other_forms, same_length_forms, single_signs
from nlp.normalise import LONGEST, fold, tidy

SLIPS = {
    "楼上嗓音太大，饶民": "noise.neighbour",
    "天燃气什么时候通": "utility.gas",
    "有人溜狗不栓绳": "dog.unleashed",
    "班马线磨没了": "transit.signals",
    "公基金怎么取": "housing.fund",
    "折迁补偿款没给": "housing.demolition",
    "這邊的路燈壞咗冇人修": "lighting.street",
    "楼梯口的💡坏了": "lighting.corridor",
    "耗子满屋跑": "rubbish.pests",
    "坝坝舞吵死人": "noise.square",
    "有人往我屋门口屙屎屙尿，是狗子拉屎": "dog.dirt",
}


@pytest.mark.parametrize(("text", "code"), SLIPS.items())
def test_slips_and_dialect_are_understood(text: str, code: str) -> None:
    assert nlp.understand(text).category == code


KEPT = ["怎么样", "没什么事", "嗓音沙哑", "感冒人多", "反应过来了", "好嗓音", "过敏反应", "那么样", "犯困觉得累"]


@pytest.mark.parametrize("text", KEPT)
def test_words_that_only_look_like_slips_are_left_alone(text: str) -> None:
    assert fold(text) == text


def test_every_slip_leads_to_what_is_meant_and_no_further() -> None:
    meant = {slip: word for slip, word in same_length_forms().items() if slip != word}
    assert len(meant) > 100
    assert {slip: fold(slip) for slip in meant} == meant
    assert {word: fold(word) for word in meant.values()} == {word: word for word in meant.values()}


def test_no_other_form_is_a_slip_of_something_else() -> None:
    forms = [form for others in other_forms().values() for form in others]
    assert [form for form in forms if fold(form) != form] == []
    assert all(len(word) == 1 for word in single_signs().values())


@pytest.mark.parametrize(
    "text",
    [
        "138****5678",
        "13812345678",
        "138 1234 5678",
        "027-87654321",
        "420106199001011234",
        "42010619900101123X",
        "420106********1234",
    ],
)
def test_numbers_of_people_are_hidden_and_no_place(text: str) -> None:
    said = f"我的号码{text}，请回电"
    assert fold(said) == f"我的号码{'#' * len(text)},请回电"
    assert nlp.understand(said).places == ()


@pytest.mark.parametrize("text", ["3-2-501漏水", "路灯编号1002345不亮", "工单20261120", "8栋1201"])
def test_numbers_of_things_are_left_alone(text: str) -> None:
    assert fold(text) == text


def test_compatibility_characters_are_what_they_look_like() -> None:
    assert fold("③号楼") == "3号楼"
    assert fold("⼩区⽔管") == "小区水管"


PIECES = st.sampled_from([*same_length_forms(), *single_signs(), "Ａ", "，", "燈", "①", "138****5678", " ", "电梯"])


@given(st.lists(PIECES, max_size=30).map("".join))
def test_every_position_leads_back_to_the_persons_own_words(text: str) -> None:
    tidied = tidy(text)
    folded = fold(tidied)
    assert len(folded) == len(tidied)


def test_the_reasons_are_the_persons_own_words() -> None:
    said = nlp.understand("樓上嗓音太大，饒民")
    assert said.category == "noise.neighbour"
    assert said.matched
    assert all(match.word in "樓上嗓音太大，饒民" for match in said.matched)


def test_a_message_is_cut_at_its_longest() -> None:
    assert len(tidy("水" * (LONGEST + 5))) == LONGEST
