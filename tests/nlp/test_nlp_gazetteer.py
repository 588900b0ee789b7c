"""A community's own places, however residents write them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.gazetteer import Gazetteer, Place, plain_number, spell_number, split_number

EAST, WEST, SOUTH, COMMUNITY = 1, 2, 3, 9
REGISTER = {
    EAST: ("阳光花园1栋", "阳光花园3栋", "长江路12号", "第一网格"),
    WEST: ("阳光花园4栋", "阳光花园十二栋", "金域蓝湾B座", "和平里3号楼", "第二网格"),
    SOUTH: ("翠湖小区1栋", "老机械厂宿舍2幢", "建设路8号"),
    COMMUNITY: ("东亭社区",),
}


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    places = [Place(key, *split_number(name), label=name) for key, names in REGISTER.items() for name in names]
    places += [
        Place(WEST, "", "", "路灯 LD-0231", code="LD-0231", kind="路灯"),
        Place(EAST, "", "", "井盖 JG-0231", code="JG-0231", kind="井盖"),
    ]
    return Gazetteer(places)


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("阳光花园3栋的灯坏了", "阳光花园3栋"),
        ("阳光花园三幢", "阳光花园3栋"),
        ("陽光花園３號樓停電", "阳光花园3栋"),
        ("阳光花园小区3#", "阳光花园3栋"),
        ("阳光小区十二号楼漏水", "阳光花园十二栋"),
        ("阳光12栋", "阳光花园十二栋"),
        ("杨光花园3栋", "阳光花园3栋"),
        ("我家在金域兰湾b座", "金域蓝湾B座"),
        ("金玉蓝弯B座电梯", "金域蓝湾B座"),
        ("老机戒厂宿舍2栋", "老机械厂宿舍2幢"),
        ("老机械长宿舍2栋", "老机械厂宿舍2幢"),
        ("翠湖花园1栋", "翠湖小区1栋"),
        ("合平里三号楼", "和平里3号楼"),
        ("长江路十二号门前", "长江路12号"),
        ("第2网格没人管", "第二网格"),
        ("東亭社區", "东亭社区"),
        ("灯杆0231不亮", "路灯 LD-0231"),
        ("电线杆 0231 歪了", "路灯 LD-0231"),
        ("窨井盖0231翘了", "井盖 JG-0231"),
        ("ld 0231不亮", "路灯 LD-0231"),
    ],
)
def test_however_it_is_written_the_registers_place_comes_first(gazetteer: Gazetteer, said: str, label: str):
    assert gazetteer.find(said)[0].place.label == label


@pytest.mark.parametrize(
    "said",
    [
        "今天阳光很好",
        "0231这个号打不通",
        "建国路8号",
        "向着和平发展",
        "翠湖公园3栋",
        "",
    ],
)
def test_what_only_looks_alike_is_not_found(gazetteer: Gazetteer, said: str):
    assert gazetteer.find(said) == []


def test_an_estate_without_its_building_may_be_in_any_of_its_grids(gazetteer: Gazetteer):
    assert {found.place.key for found in gazetteer.find("阳光花园停水了")} == {EAST, WEST}
    assert not any(found.exact for found in gazetteer.find("阳光花园停水了"))


def test_another_number_is_far_less_sure(gazetteer: Gazetteer):
    assert gazetteer.find("长江路12号")[0].score > 1.5 * gazetteer.find("长江路99号")[0].score


def test_of_two_as_likely_the_near_one_comes_first(gazetteer: Gazetteer):
    assert gazetteer.find("阳光花园停水了", near={WEST})[0].place.key == WEST
    assert gazetteer.find("阳光花园停水了", near={EAST})[0].place.key == EAST


def test_the_name_as_written_comes_before_one_that_sounds_like_it():
    both = Gazetteer([Place(1, "阳光花园", "3", "a"), Place(2, "杨光花园", "3", "b")])
    assert [found.place.key for found in both.find("杨光花园3栋")] == [2]


def test_a_name_that_is_a_word_as_well_is_meant_only_before_what_a_place_has():
    peace = Gazetteer([Place(1, "和平", "3", "和平3栋")])
    assert peace.find("希望和平解决邻里纠纷") == []
    assert peace.find("和平三栋没水")[0].exact
    assert peace.find("和平小区没水")


def test_an_empty_gazetteer_finds_nothing():
    assert Gazetteer([]).find("阳光花园3栋") == []


@given(st.integers(1, 99))
def test_digits_of_both_scripts_are_one_number(number: int):
    assert plain_number(spell_number(number)) == plain_number(f"{number:02}") == str(number)
    for ending in ("栋", "幢", "号楼", "座", "#"):
        assert split_number(f"翠湖{spell_number(number)}{ending}") == split_number(f"翠湖{number}{ending}")


@given(st.text(alphabet="阳光花园小区社里村长江路三3十12栋号#-LD021 ，的", max_size=60))
def test_what_is_found_stands_in_the_text(gazetteer: Gazetteer, text: str):
    for found in gazetteer.find(text):
        assert 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize("unit", ["里", "阳光", "花园里", "三栋", "a1-", "阳光花园3", "村里小区", "杨"])
def test_hostile_text_costs_no_more_than_its_length(gazetteer: Gazetteer, unit: str):
    gazetteer.find("杨光花园3栋")
    began = time.process_time()
    gazetteer.find(unit * 50_000)
    assert time.process_time() - began < 1.0


def test_a_large_register_is_searched_as_fast(gazetteer: Gazetteer):
    first, second = "东西南北春夏秋冬金木水火土天地日月星", "江河湖海山川林泉石云雨雪花草竹松"
    names = [f"{a}{b}{c}苑" for a in first for b in second for c in second]
    large = Gazetteer([Place(number, name, "1", name + "1栋") for number, name in enumerate(names)])
    assert len(large) > 4_000
    large.find(names[0] + "1栋")
    began = time.process_time()
    for _ in range(100):
        assert large.find(f"我住{names[1234]}1栋，楼道灯坏了三天没有人来修")[0].place.key == 1234
    assert (time.process_time() - began) / 100 < 0.01
