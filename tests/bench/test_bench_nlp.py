"""`linli bench nlp`: where the labelled rows are absent it says so, and measures what needs none."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import nlp as bench
from bench.plain_methods import METHODS, cross_validated

_KEPT = {"start_up_ms", "us_per_message", "us_per_message_rules", "rss_mb", "rss_rules_mb"}


@pytest.mark.slow
def test_without_the_rows_it_measures_speed_and_says_what_was_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(bench, "LETTERS", tmp_path / "letters.csv")
    monkeypatch.setattr(bench, "CHAT", tmp_path / "chat.jsonl")
    said = bench.run()
    assert said["figures"]["letters_macro_f1"] is None
    assert [str(tmp_path) in reason for reason in said["figures"]["skipped"]] == [True, True]
    assert all(said["figures"][name] > 0 for name in _KEPT)
    assert said["ratios"]["understand_to_jieba_lcut"] == pytest.approx(
        said["figures"]["us_per_message"] / said["peers"]["jieba_lcut_us"], abs=0.01
    )


def test_a_plain_method_answers_only_for_rows_it_has_not_learned_from():
    gold = ["灯", "狗"] * 20
    texts = [f"{'路灯不亮了' if one == '灯' else '有狗乱叫'}，第{at}次说" for at, one in enumerate(gold)]
    learned_by_heart = [*texts[:-1], "这一行的说法哪里都没有"]
    folds = [bench.np.arange(len(texts))[start::4] for start in range(4)]
    for name in METHODS:
        whole, short = cross_validated(name, learned_by_heart, [text[:5] for text in texts], gold, folds)
        assert (name, whole[:-1]) == (name, gold[:-1])
        assert (name, bench.macro_f1(gold, short)) == (name, 1)
