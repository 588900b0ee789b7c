"""Values for template keywords, the menu and QR scenes: made to fit WeChat's limits, or refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import TemplateConfig
from bot.fields import fill, fit
from bot.menu import DEFAULT_MENU, Button, menu_body
from bot.qrcodes import grid_of, grid_scene
from errors import BadRequest, SettingsError

FITTING = [
    ("thing2", "楼道照明损坏", "楼道照明损坏"),
    ("thing2", "字" * 20, "字" * 20),
    ("thing2", "字" * 21, "字" * 19 + "…"),
    ("thing2", "第一行\n第二行\x1d", "第一行 第二行"),
    ("phrase3", "处置中", "处置中"),
    ("phrase3", "已办结。", "已办结"),
    ("phrase3", "等待街道核查", "等待街道核"),
    ("character_string1", "1120-0037", "1120-0037"),
    ("character_string1", "１１２０－００３７", "1120-0037"),
    ("number4", "-3.50", "-3.50"),
    ("letter5", "abcXYZ", "abcXYZ"),
    ("symbol6", "***", "***"),
    ("time4", "15:01", "15:01"),
    ("time4", "2026年11月20日 18:00", "2026年11月20日 18:00"),
    ("time4", "2026-11-20 8:00", "2026年11月20日 08:00"),
    ("time4", "2026-11-20T18:00:59", "2026年11月20日 18:00:59"),
    ("time4", "9:00~17:00", "09:00~17:00"),
    ("time4", "18：00", "18:00"),
    ("date5", "2026/11/20", "2026年11月20日"),
    ("date5", "2019-12-25 09:42", "2019年12月25日 09:42"),
    ("date5", "2026年1月1日~2026年1月3日", "2026年1月1日~2026年1月3日"),
    ("amount6", "￥1,200.50", "￥1200.50"),
    ("amount6", "100元", "100元"),
    ("phone_number7", "027-8765 4321", "027-8765 4321"),
    ("car_number8", "鄂A12345", "鄂A12345"),
    ("car_number8", "粤Z1234港", "粤Z1234港"),
    ("name9", "王芳", "王芳"),
    ("name9", "东亭社区第三网格网格员王芳", "东亭社区第三网格网格"),
    ("name9", "Wang Fang of the third grid", "Wang Fang of the thi"),
    ("short_thing10", "任何 内容", "任何 内容"),
    ("const11", "已受理", "已受理"),
    ("enum12", "是", "是"),
]
REFUSED = [
    ("phrase3", "OK"),
    ("phrase3", "处置2次"),
    ("phrase3", "……"),
    ("character_string1", "编号0037"),
    ("character_string1", "1" * 33),
    ("number4", "三"),
    ("number4", "1" * 33),
    ("number4", "1.2.3"),
    ("letter5", "abc1"),
    ("symbol6", "a"),
    ("symbol6", "******"),
    ("time4", "25:00"),
    ("time4", "明天下午"),
    ("time4", "9:00~10:00~11:00"),
    ("time4", "2026-13-01 10:00"),
    ("date5", "15:01"),
    ("date5", "2026-00-10"),
    ("amount6", "12345678901"),
    ("amount6", "很多"),
    ("phone_number7", "1" * 18),
    ("phone_number7", "打电话"),
    ("car_number8", "鄂A123456789"),
    ("first", "您好"),
    ("remark", "谢谢"),
    ("thing2", ""),
    ("thing2", " \n\x00 "),
    ("2thing", "a"),
    ("", "a"),
]


@pytest.mark.parametrize(("keyword", "value", "expected"), FITTING)
def test_a_value_is_made_to_fit(keyword: str, value: str, expected: str) -> None:
    assert fit(keyword, value) == expected


@pytest.mark.parametrize(("keyword", "value"), REFUSED)
def test_a_value_that_cannot_fit_is_refused_by_name(keyword: str, value: str) -> None:
    with pytest.raises(BadRequest) as refused:
        fit(keyword, value)
    assert refused.value.detail.startswith(f"{keyword}: ")


@given(st.sampled_from(["thing1", "name2"]), st.text(min_size=1))
def test_running_text_is_never_longer_than_its_keyword_takes(keyword: str, value: str) -> None:
    try:
        fitted = fit(keyword, value)
    except BadRequest:
        fitted = "empty"
    assert 1 <= len(fitted) <= 20
    assert "\n" not in fitted


@given(st.sampled_from([keyword for keyword, _, _ in FITTING]), st.text())
def test_a_fitted_value_fits_again_unchanged(keyword: str, value: str) -> None:
    try:
        fitted = fit(keyword, value)
    except BadRequest:
        return
    assert fit(keyword, fitted) == fitted


TEMPLATE = TemplateConfig("tpl-1", {"number": "character_string1", "subject": "thing2", "status": "phrase3"})


def test_a_template_is_filled_by_our_names_and_leaves_out_what_it_has_no_keyword_for() -> None:
    values = {"number": "1120-0037", "subject": "灯" * 30, "status": "处置中", "note": "不在模板里"}
    assert fill(TEMPLATE, values) == {
        "character_string1": "1120-0037",
        "thing2": "灯" * 19 + "…",
        "phrase3": "处置中",
    }


def test_a_template_with_a_missing_value_is_refused() -> None:
    with pytest.raises(BadRequest, match="tpl-1: no value for subject, status"):
        fill(TEMPLATE, {"number": "1"})


def test_the_accounts_menu_is_within_wechats_limits() -> None:
    body = menu_body(DEFAULT_MENU)
    keys = [button.get("key") for button in body["button"]]
    assert keys == ["report", "services", None]
    more = [sub["key"] for sub in body["button"][2]["sub_button"]]
    assert more == ["my_cases", "activities", "help", "worker", "my_grid"]
    assert {sub["type"] for sub in body["button"][2]["sub_button"]} == {"click"}


@pytest.mark.parametrize(
    ("menu", "said"),
    [
        ((), "1 to 3"),
        (DEFAULT_MENU * 2, "1 to 3"),
        ((Button("六个字的名字", key="a"),), "18 bytes"),
        (
            (
                Button(
                    "空",
                ),
            ),
            "only one of them",
        ),
        ((Button("两样", key="a", url="https://a"),), "only one of them"),
        ((Button("多", sub=tuple(Button(str(n), key="a") for n in range(6))),), "1 to 5"),
        ((Button("深", sub=(Button("里", sub=(Button("底", key="a"),)),)),), "cannot hold"),
        ((Button("键", key="k" * 129),), "129 bytes"),
        ((Button("址", url="javascript:alert(1)"),), "https"),
        ((Button("", key="a"),), "0 bytes"),
    ],
)
def test_a_menu_beyond_wechats_limits_is_refused_before_the_call(menu: tuple[Button, ...], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        menu_body(menu)


def test_a_page_button_opens_its_address() -> None:
    assert menu_body((Button("网站", url="https://a.cn"),)) == {
        "button": [{"type": "view", "name": "网站", "url": "https://a.cn"}]
    }


def test_a_grids_scene_leads_back_to_the_grid() -> None:
    assert grid_scene("420106-003") == "grid:420106-003"
    assert grid_of("grid:420106-003") == "420106-003"


@pytest.mark.parametrize("scene", [None, "", "123", "grid:", "grid:a b", "desk:1"])
def test_other_scenes_name_no_grid(scene: str | None) -> None:
    assert grid_of(scene) is None


@pytest.mark.parametrize("code", ["", "a b", "网格一", "x" * 60])
def test_a_grid_code_that_makes_no_scene_is_refused(code: str) -> None:
    with pytest.raises(BadRequest):
        grid_scene(code)
