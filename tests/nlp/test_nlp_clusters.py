"""What many people write about at once is found, counted by people, and named so that a person can read it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from nlp.clusters import Said, find_clusters, heat_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LETTERS = Path(__file__).resolve().parents[3] / "shared" / "data" / "messages_unlabelled.csv"


def said(key: int, text: str, days_ago: float = 0, **more) -> Said[int]:
    return Said(key, text, NOW - timedelta(days=days_ago), **more)


PLANT = [
    "阳光花园旁边的搅拌站半夜还在轰鸣，睡不着",
    "阳光花园边上混凝土搅拌厂夜里噪音太大",
    "搅拌站吵得阳光花园的人没法休息",
    "请管管阳光花园旁的搅拌站，灰尘大噪音大",
]
OTHERS = ["3栋电梯坏了", "公积金怎么提取", "602路公交车等不到", "建设路井盖没了", "孩子入学怎么报名"]
HEAP = [said(at, text, at) for at, text in enumerate([*PLANT, *OTHERS])]


def test_what_several_people_say_is_one_matter_and_single_voices_are_none():
    (found,) = find_clusters(HEAP, NOW)
    assert set(found.keys) == set(range(len(PLANT)))
    assert (found.people, found.days) == (len(PLANT), 4)


def test_the_headline_says_where_what_how_many_and_when():
    (found,) = find_clusters(HEAP, NOW)
    assert found.headline.startswith("阳光花园 ")
    assert found.headline.endswith("：4 人反映（2026-11-17 至 2026-11-20）")
    assert found.subject
    assert found.example in PLANT


def test_people_are_counted_and_not_messages():
    angry = [said(at, text, at, who="一个人") for at, text in enumerate(PLANT)]
    assert find_clusters(angry, NOW) == []
    assert find_clusters(angry, NOW, least=1)[0].people == 1
    copies = [said(at, PLANT[0], at) for at in range(5)]
    assert find_clusters(copies, NOW) == [], "nobody knows who wrote: the same words are one person"


def test_heat_is_what_the_formula_says():
    assert heat_of([said(1, "一")], NOW) == pytest.approx(1.0)
    assert heat_of([said(1, "一", 90)], NOW) == pytest.approx(0.5)
    assert heat_of([said(1, "一", likes=9)], NOW) == pytest.approx(1.5)
    assert heat_of([said(1, "一", who="甲"), said(2, "二", 90, who="甲")], NOW) == pytest.approx(1.0 * 1.125)
    assert heat_of([said(1, "一"), said(2, "二")], NOW) == pytest.approx(2.0)
    assert heat_of([said(1, "一", -5)], NOW) == pytest.approx(1.0), "clocks differ"
    assert heat_of([], NOW) == 0


def test_the_hottest_comes_first():
    old = [
        said(100 + at, text, 300 + at)
        for at, text in enumerate(["东门广场舞音响太吵了", "东门跳广场舞太吵", "东门的广场舞吵死了"])
    ]
    found = find_clusters([*old, *HEAP], NOW)
    assert [one.keys[0] >= 100 for one in found] == [False, True]


def test_one_sentence_two_matters_share_does_not_chain_them():
    water = ["自来水停水一天了，什么时候来水", "今天没水，自来水公司没有通知", "停水了没法做饭，自来水什么时候来"]
    fees = ["地下车库停车费涨到三百", "地下车库停车费乱涨价", "物业把地下车库停车费涨价了"]
    bridge = ["自来水停水，地下车库停车费涨价，都没人管"]
    background = [
        line for line in (Path(__file__).parent / "matters.txt").read_text().splitlines() if line[:1] not in "#锦"
    ]
    heap = [said(at, text) for at, text in enumerate([*water, *fees, *bridge, *background])]
    groups = [set(one.keys) for one in find_clusters(heap, NOW)]
    assert not any({0, 3} <= group for group in groups)


def test_questions_are_called_questions():
    asked = ["住房公积金贷款要什么条件", "咨询住房公积金贷款的条件", "住房公积金贷款条件是什么"]
    (found,) = find_clusters([said(at, text) for at, text in enumerate(asked)], NOW)
    assert "3 人咨询" in found.headline


def test_the_command_prints_a_table(tmp_path: Path):
    path = tmp_path / "heap.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("time", "text"))
        out.writerows((f"2026/11/{at + 1} 8:05:00", text) for at, text in enumerate([*PLANT, *OTHERS]))
    shown = CliRunner().invoke(app, ["hotspots", str(path), "--top", "3"])
    assert shown.exit_code == 0
    assert "9 条，其中 4 条说的是 1 件多人反映的事" in shown.stdout
    assert "阳光花园" in shown.stdout


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("title\n一\n", "needs the columns"),
        ("time,text\n昨天,灯坏了\n", "line 2: no time"),
        ("time,text\n", "no messages"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path, content: str, wrong: str):
    path = tmp_path / "heap.csv"
    path.write_text(content, encoding="utf-8")
    shown = CliRunner().invoke(app, ["hotspots", str(path)])
    assert shown.exit_code != 0
    assert wrong in str(shown.exception)


@pytest.mark.slow
@pytest.mark.skipif(not LETTERS.exists(), reason="the messages of ../shared/data are not here")
def test_the_real_messages_have_hot_spots_with_a_place_and_many_people():
    shown = CliRunner().invoke(app, ["hotspots", str(LETTERS)])
    assert shown.exit_code == 0
    assert "4299 条" in shown.stdout
    assert shown.stdout.count("天有人说，如：") == 10
