"""Fields of application forms: what fits, what does not and with which sentence; the table out and in again."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.form_tables import FORMS, fields, write_fields
from domain.forms import Field, FieldType, Unfit, check, check_digit, read_words, say, validate
from domain.organisation import export_tables
from domain.tables import Sheet, Wrong
from errors import BadRequest
from models.bookings import ServiceForm
from tests.domain.tables import NOW, imported, refused

GOOD_ID = "11010519491231002X"  # the example printed in GB 11643-1999
PHOTOS = [str(uuid4()) for _ in range(4)]


def field(kind: FieldType, **more: object) -> Field:
    given: dict[str, object] = {"key": "f1", "label": "这一项", "type": kind} | more
    return Field(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "given", "kept"),
    [
        (field(FieldType.TEXT), "  张 桂兰 ", "张 桂兰"),
        (field(FieldType.LONG), "第一行\n第二行", "第一行\n第二行"),
        (field(FieldType.NUMBER, least=1, most=20), "３", 3),
        (field(FieldType.NUMBER), 2.5, 2.5),
        (field(FieldType.DATE), "1946年11月20日", "1946-11-20"),
        (field(FieldType.DATE), "19461120", "1946-11-20"),
        (field(FieldType.PHONE), "138 0000 0000", "13800000000"),
        (field(FieldType.ID_NUMBER), "11010519491231002x", GOOD_ID),
        (field(FieldType.CHOICE, choices=("一居", "两居")), "两居", "两居"),
        (field(FieldType.CHOICES, choices=("甲", "乙", "丙")), ["丙", "甲"], ["甲", "丙"]),
        (field(FieldType.YES_NO), False, False),
        (field(FieldType.PHOTO, most=4), PHOTOS, PHOTOS),
        (field(FieldType.POSITION), "3栋501", {"text": "3栋501"}),
        (
            field(FieldType.POSITION),
            {"latitude": 30.5, "longitude": 114.3},
            {"text": "", "latitude": 30.5, "longitude": 114.3},
        ),
        (field(FieldType.TEXT, required=False), "", None),
    ],
)
def test_what_fits_is_kept_as_it_is_meant(one: Field, given: object, kept: object):
    assert check(one, given) == kept


@pytest.mark.parametrize(
    ("one", "given", "said"),
    [
        (field(FieldType.TEXT), "", "还缺这一项"),
        (field(FieldType.TEXT, most=3), "四个字了", "最多 3 个"),
        (field(FieldType.TEXT, least=2), "张", "至少写 2 个字"),
        (field(FieldType.TEXT), ["x"], "请用文字写"),
        (field(FieldType.NUMBER, least=1), 0, "不小于 1"),
        (field(FieldType.NUMBER, most=20), 21, "不大于 20"),
        (field(FieldType.NUMBER), True, "请写数字"),
        (field(FieldType.NUMBER), "1e9", "请写数字"),
        (field(FieldType.DATE), "2026-02-30", "没有这一天"),
        (field(FieldType.DATE), "去年", "1946-11-20 的样子"),
        (field(FieldType.PHONE), "1380000000", "手机号是 11 位"),
        (field(FieldType.ID_NUMBER), GOOD_ID[:17], "有 17 位，应该是 18 位"),
        (field(FieldType.ID_NUMBER), "110105194912310021", "有一位写错了"),
        (field(FieldType.ID_NUMBER), "110105194913310020", "有一位写错了"),
        (field(FieldType.CHOICE, choices=("一居", "两居")), "三居", "一居、两居"),
        (field(FieldType.CHOICES, choices=("甲", "乙", "丙"), most=2), ["甲", "乙", "丙"], "最多选 2 个"),
        (field(FieldType.CHOICES, choices=("甲", "乙", "丙"), least=2), ["甲"], "至少选 2 个"),
        (field(FieldType.YES_NO), "也许", "是”或“不是"),
        (field(FieldType.PHOTO), ["no uuid"], "重新选照片"),
        (field(FieldType.PHOTO, most=2), PHOTOS, "最多 2 张"),
        (field(FieldType.PHOTO, least=2), PHOTOS[:1], "还差 1 张"),
        (field(FieldType.POSITION), {"latitude": 114.3, "longitude": 30.5}, "不在国内"),
        (field(FieldType.POSITION), {"text": "x" * 101}, "100 个字"),
    ],
)
def test_what_does_not_fit_is_told_in_one_plain_sentence(one: Field, given: object, said: str):
    with pytest.raises(Unfit) as refusal:
        check(one, given)
    assert said in refusal.value.say
    assert refusal.value.say.endswith("。")


@given(st.text("0123456789", min_size=3, max_size=3), st.integers(0, 16), st.integers(1, 9))
def test_an_identity_number_with_one_digit_wrong_is_always_noticed(serial: str, place: int, step: int):
    number = f"42010619461120{serial}"
    whole = number + check_digit(number)
    assert check(field(FieldType.ID_NUMBER), whole) == whole
    other = str((int(whole[place]) + step) % 10)
    with pytest.raises(Unfit):
        check(field(FieldType.ID_NUMBER), whole[:place] + other + whole[place + 1 :])


def test_words_of_the_chat_mean_options_by_number_or_name():
    rooms = field(FieldType.CHOICES, choices=("甲", "乙", "丙"))
    assert read_words(rooms, "1 3") == read_words(rooms, "甲，丙") == ["甲", "丙"]
    assert read_words(field(FieldType.CHOICE, choices=("一居", "两居")), "２") == "两居"
    assert [read_words(field(FieldType.YES_NO), one) for one in ("是的", "没有。")] == [True, False]
    assert say(field(FieldType.YES_NO), value=False) == "不是"
    assert say(rooms, ["甲", "丙"]) == "甲、丙"


def test_all_that_is_wrong_is_named_field_by_field():
    two = [field(FieldType.TEXT), field(FieldType.PHONE, key="f2", label="电话")]
    with pytest.raises(BadRequest) as refusal:
        validate(two, {"f2": "1", "f9": "x"})
    assert [one["field"] for one in refusal.value.data["fields"]] == ["answers.f1", "answers.f2", "answers"]
    assert validate(two, {"f1": "张", "f2": "13800000000"}) == {"f1": "张", "f2": "13800000000"}


def test_a_form_is_written_as_it_is_read():
    lines = "姓名｜文字｜必填｜2-20｜和身份证一样\n户型｜单选｜选填｜一居、两居\n照片｜照片｜必填｜1-3"
    lines += "\n收入｜数字｜必填｜0-"
    assert write_fields(fields(lines)) == lines
    assert [one["type"] for one in fields(lines)] == ["text", "choice", "photo", "number"]


@pytest.mark.parametrize(
    ("cell", "wrong"),
    [
        ("姓名", "看不懂"),
        ("姓名｜图章", "看不懂"),
        ("户型｜单选｜必填｜一居", "选项不对"),
        ("照片｜照片｜必填｜1-30", "太多"),
        ("姓名｜文字\n姓名｜文字", "一样"),
        ("收入｜数字｜必填｜9-3", "范围"),
        ("\n".join(f"第{place}项｜文字" for place in range(16)), "有 16 行"),
    ],
)
def test_a_line_that_is_no_field_says_what_is_wrong(cell: str, wrong: str):
    with pytest.raises(Wrong) as refusal:
        fields(cell)
    assert wrong in refusal.value.wrong + refusal.value.mend


def _sheet(*rows: list[object], heads: str = "事项编码 填写项 办理时限") -> Sheet:
    return Sheet("申请表", list(enumerate([heads.split(), *rows], 1)))  # type: ignore[arg-type]


async def test_shipped_forms_go_out_and_come_back_without_a_change(orm: None):
    [table] = await export_tables([FORMS], NOW.date())
    assert len(table.rows) >= 5
    report = await imported(Sheet("申请表", list(enumerate([[c.head for c in FORMS.columns], *table.rows], 1))))
    assert report.changes == 0


async def test_a_changed_form_is_a_new_version_and_switching_it_off_is_none(orm: None):
    await imported(_sheet(["gljt", "老人姓名｜文字｜必填｜2-20", "3工作日"]))
    forms = await ServiceForm.filter(item__code="gljt").order_by("version")
    assert [(one.version, len(one.fields_), one.time_limit) for one in forms] == [(1, 6, "10工作日"), (2, 1, "3工作日")]
    await imported(_sheet(["gljt", "停用"], heads="事项编码 启用"))
    assert [one.active for one in await ServiceForm.filter(item__code="gljt").order_by("version")] == [True, False]


async def test_a_form_of_an_item_there_is_not_is_refused(orm: None):
    assert await refused(_sheet(["no-such", "姓名｜文字", ""])) == [("申请表", 2, "事项编码", "没有这个服务事项")]
