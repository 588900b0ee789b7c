"""Learning from labelled sentences, the file a model lives in, and what it does to an answer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nlp
from errors import SettingsError
from nlp import model, training
from nlp.training import Row

TODAY = date(2026, 11, 21)
#: Made-up words of a dialect no word list knows: only a model can learn what they mean.
_STRANGE = {
    "城乡建设": ("呱哩灯", "嘟噜沟", "哒哒梯"),
    "环境保护": ("呼噜烟", "咕咚响", "嗡嗡臭"),
    "教育文体": ("哇啦娃", "叽喳班", "咿呀课"),
}
_FRAMES = (
    "{}又来了，真是没办法",
    "昨天{}闹了一天，麻烦看看",
    "{}什么时候能好呢",
    "跟您说个{}的事",
    "这个{}大家都有意见",
)


def rows(number: int = 300) -> list[Row]:
    """Sentences about things only their label explains."""
    chance = random.Random(7)
    labels = list(_STRANGE)
    return [
        Row(chance.choice(_FRAMES).format(chance.choice(_STRANGE[label])) + f"，{chance.randint(1, 99)}号楼", label)
        for label in (labels[one % len(labels)] for one in range(number))
    ]


@pytest.fixture(scope="module")
def learned() -> model.Model:
    return training.learn(rows(), today=TODAY)


@pytest.fixture
def adopted(learned: model.Model) -> Iterator[model.Model]:
    model.adopt(learned)
    yield learned
    model.adopt(None)


def test_a_model_knows_words_that_no_list_has(adopted: model.Model):
    said = nlp.understand("门口的呼噜烟熏得人睡不着，请来管一管这个事情行吗")
    assert said.domain == "环境保护"
    assert "呼噜" in "".join(one.word for one in said.matched)
    model.adopt(None)
    assert nlp.understand("跟您说个呼噜烟的事").domain is None


def test_its_scores_come_from_rows_it_had_not_seen_and_stand_beside_those_of_the_rules(learned: model.Model):
    scores = learned.about.scores
    assert scores["whole_macro_f1"] > 0.9
    assert scores["rules_whole_macro_f1"] < 0.5
    assert (learned.about.rows, learned.about.trained) == (300, TODAY)


def test_labels_that_mean_nothing_cannot_be_learned_by_heart():
    chance = random.Random(3)
    labels = list(_STRANGE)
    shuffled = [Row(f"第{one}件事情，{chance.randint(0, 9999)}号", chance.choice(labels)) for one in range(240)]
    assert training.learn(shuffled, today=TODAY).about.scores["whole_macro_f1"] < 0.5


def test_what_the_rows_say_nothing_of_is_still_known_from_the_rules(adopted: model.Model):
    assert nlp.understand("身份证丢了怎么补办").domain == "政法"
    assert nlp.understand("低保怎么申请，要什么材料").domain == "民政"


def test_danger_is_never_left_to_the_model(adopted: model.Model):
    said = nlp.understand("家里煤气漏了，一股呼噜烟的味道，快来人")
    assert (said.urgent, said.emergency) == (True, "gas")
    model.adopt(None)
    assert nlp.understand("家里煤气漏了，一股呼噜烟的味道，快来人") == said


def test_categories_are_learned_by_code_or_by_name():
    kinds = [nlp.category("lighting.corridor"), nlp.category("noise.site")]
    words = ("呱哩灯", "咕咚堆")
    made = [
        Row(frame.format(words[at]) + f"，{number}号", (kinds[at].code, kinds[at].name)[number % 2])
        for at in (0, 1)
        for number in range(25)
        for frame in _FRAMES
    ]
    learned, _ = next(training.fold_models(training.prepare(made), seed=0))
    model.adopt(learned)
    try:
        said = nlp.understand("昨天咕咚堆闹了一天，麻烦看看，味道很大的，天天这样谁受得了")
        assert (said.category, said.domain) == (kinds[1].code, kinds[1].domain)
        assert said.alternatives[0].code == kinds[1].code
    finally:
        model.adopt(None)


def test_too_little_is_refused_with_what_is_needed():
    with pytest.raises(SettingsError, match=r"of 30 rows 30 .* 200 rows in 2 such classes are needed"):
        training.learn(rows(30), today=TODAY)


def test_strange_labels_are_named():
    with pytest.raises(SettingsError, match=r"1 labels are no class Linli knows, such as 路灯组"):
        training.learn([*rows(), Row("灯坏了", "路灯组")], today=TODAY)


def test_a_model_comes_back_from_its_file_as_it_was(learned: model.Model, tmp_path: Path):
    path = tmp_path / "made" / "model.linli"
    model.write(learned, path)
    again = model.read(path)
    assert (again.about, again.known) == (learned.about, learned.known)
    assert [one.name for one in path.parent.iterdir()] == ["model.linli"]


def test_a_newer_form_is_told_from_damage(learned: model.Model):
    newer = model.dump(learned).replace(b'"format":1', b'"format":2')
    with pytest.raises(SettingsError, match="has form 2, this version reads 1"):
        model.load(newer)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x05pickle", "你好".encode()])
def test_other_files_are_no_model(data: bytes):
    with pytest.raises(SettingsError, match="no model of Linli"):
        model.load(data)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_happens_to_a_file_it_is_refused_or_the_same(learned: model.Model, data: st.DataObject):
    whole = model.dump(learned)
    place = data.draw(st.integers(0, len(whole) - 1))
    broken = data.draw(st.sampled_from((whole[:place], whole[:place] + b"\xff" + whole[place + 1 :], whole + b"x")))
    if broken != whole:
        with pytest.raises(SettingsError):
            model.load(broken)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=300))
def test_every_text_gets_shares_that_add_up_and_three_kinds_at_most(adopted_for_all: model.Model, text: str):
    said = nlp.understand(text)
    assert 0 <= said.confidence <= 1
    assert len(said.alternatives) <= 3
    assert sum(one.confidence for one in said.alternatives) <= 1.01


@pytest.fixture(scope="module")
def adopted_for_all(learned: model.Model) -> Iterator[model.Model]:
    model.adopt(learned)
    yield learned
    model.adopt(None)


def test_confidence_is_measured_as_the_distance_from_being_right():
    sure = training.np.array([0.9] * 10 + [0.6] * 10, training.np.float32)
    right = training.np.array([True] * 9 + [False] + [True] * 6 + [False] * 4)
    assert training.calibration_error(sure, right) == pytest.approx(0, abs=1e-6)
    assert training.calibration_error(sure, ~right) == pytest.approx(0.5)
