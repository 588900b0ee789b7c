"""The tables of the service directory (服务导航), column by column; a list stands in one cell, an entry a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domain import table_values as read
from domain.tables import Cell, Column, Table, Wrong

FORMS = {"原件": "original", "复印件": "copy", "原件和复印件": "both", "线上": "online"}
"""How a material is to be brought, as people write it."""
FORM_NAMES = {form: name for name, form in FORMS.items()}
VERDICTS = {"继续": "next", "可以": "yes", "不能": "no", "要问": "ask"}
"""What an answer to an eligibility question means: go on with the next, yes, no, the counter decides."""
VERDICT_NAMES = {verdict: name for name, verdict in VERDICTS.items()}
#: Entries of one list. Numbers from 1 to 10 can be tapped or typed in the chat.
MOST_ENTRIES = 10
EVERYWHERE = "全部"

_BAR = re.compile(r"\s*[|｜]\s*")
_ANSWER = re.compile(r"(.+?)\s*[=＝]\s*(\S+?)\s*(?:[:：]\s*(.+))?")
_LINK = re.compile(r"https?://[^\s<>\"']{3,290}")


def _lines(cell: Cell) -> list[str]:
    found: str = read.text(4000, lines=True)(cell)
    lines = [line.strip() for line in found.split("\n") if line.strip()]
    if len(lines) > MOST_ENTRIES:
        raise Wrong(f"有 {len(lines)} 行", f"最多 {MOST_ENTRIES} 行，请合并几行。")
    return lines


def steps(cell: Cell) -> list[str]:
    """One step a line."""
    lines = _lines(cell)
    if long := [line for line in lines if len(line) > 100]:
        raise Wrong(f"“{long[0][:10]}…”太长", "每一步最多 100 个字。")
    return lines


def materials(cell: Cell) -> list[dict[str, Any]]:
    """One material a line: `身份证｜原件｜1｜本人到场｜派出所补领`; only the name is needed."""
    found = [_material(line) for line in _lines(cell)]
    if len({one["name"] for one in found}) < len(found):
        raise Wrong("有两行是同一份材料", "同一份材料只写一行。")
    return found


def _material(line: str) -> dict[str, Any]:
    name, form, count, note, source, *rest = [*_BAR.split(line), "", "", "", ""]
    if any(rest) or not name or len(name) > 30:
        raise Wrong(f"“{line[:20]}”看不懂", "每行写：名称（30 字内）｜原件｜1｜说明｜在哪里拿。")
    if form and form not in FORMS:
        raise Wrong(f"“{form}”看不懂", f"第二格写 {'、'.join(FORMS)}。")
    if count and not (count.isascii() and count.isdigit() and 1 <= int(count) <= 20):
        raise Wrong(f"份数“{count}”不对", "第三格写 1 到 20 的数字。")
    return {
        "name": name,
        "form": FORMS.get(form, "original"),
        "count": int(count or 1),
        "note": note[:60],
        "source": source[:60],
    }


def questions(cell: Cell) -> list[dict[str, Any]]:
    """One question a line: `满 80 岁了吗？｜满了=继续｜没满=不能：到 80 岁再来`."""
    return [_question(line) for line in _lines(cell)]


def _question(line: str) -> dict[str, Any]:
    text, *answers = _BAR.split(line)
    parsed = [_ANSWER.fullmatch(answer) for answer in answers]
    good = [found for found in parsed if found and found[2] in VERDICTS]
    if not text or not 2 <= len(answers) <= 5 or len(good) < len(answers):
        raise Wrong(
            f"“{line[:20]}”看不懂", f"每行写：问题？｜回答=继续｜回答=不能：说明；可以写 {'、'.join(VERDICTS)}。"
        )
    return {
        "text": text[:80],
        "answers": [{"text": one[1][:20], "verdict": VERDICTS[one[2]], "say": (one[3] or "")[:80]} for one in good],
    }


def write_materials(found: Sequence[Mapping[str, Any]]) -> str:
    """As `materials` reads them."""
    return "\n".join(
        "｜".join([one["name"], FORM_NAMES[one["form"]], str(one["count"]), one["note"], one["source"]])
        for one in found
    )


def write_questions(found: Sequence[Mapping[str, Any]]) -> str:
    """As `questions` reads them."""
    return "\n".join("｜".join([one["text"], *map(_written_answer, one["answers"])]) for one in found)


def _written_answer(answer: Mapping[str, Any]) -> str:
    say = f"：{answer['say']}" if answer["say"] else ""
    return f"{answer['text']}={VERDICT_NAMES[answer['verdict']]}{say}"


def area_or_everywhere(cell: Cell) -> str:
    """An area's code, or 全部."""
    return "" if read.plain(cell) == EVERYWHERE else read.area_code(cell)


def link(cell: Cell) -> str:
    """An address of a page."""
    found: str = read.text(300)(cell)
    if not _LINK.fullmatch(found):
        raise Wrong("不是网址", "请写完整的网址，以 https:// 开头。")
    return found


def _text(name: str, head: str, most: int, example: str = "", note: str = "", *, needed: bool = False) -> Column:
    return Column(name, head, read.text(most), example, note, needed=needed)


def _is(name: str, head: str, reader: Callable[[Cell], Any], example: str = "", note: str = "") -> Column:
    return Column(name, head, reader, example, note)


def _code(head: str, example: str) -> Column:
    return Column("code", head, read.code, example, "自己定的短编码，不重复", key=True)


_ACTIVE = Column("active", "启用", read.flag, "是", "写 停用 就不再给居民看", clears=False)
_AREA = Column(
    "area", "区域编码", area_or_everywhere, "429906001001", "这个区域和下面的都能看到；写 全部 = 处处", clears=False
)

CLASSES = Table(
    "service_classes",
    "服务类别",
    "服务导航的大类和顺序，比如政务、生活、法律、文体、关爱、党员",
    (
        _code("编码", "gov"),
        _text("name", "名称", 16, "政务", needed=True),
        _is("position", "顺序", read.number(1, 99), "1", "菜单里排第几"),
        _ACTIVE,
    ),
)
ITEMS = Table(
    "services",
    "服务事项",
    "居民要办的事：带什么、去哪里、怎么办",
    (
        _code("编码", "jzz"),
        Column("service_class", "类别编码", read.code, "gov", "服务类别表里的编码", needed=True),
        _text("title", "名称", 32, "居住证办理", needed=True),
        _is("aliases", "俗称", read.words, "暂住证、居住登记", "居民平时怎么叫，几个用顿号隔开"),
        _text("keywords", "关键词", 300, "流动人口 外来务工", "还能用哪些词找到"),
        _text("summary", "简介", 200, "住满半年的外地户口居民可以办"),
        _text("audience", "办理对象", 200, "在本地住满半年的外地户口居民"),
        _is("materials", "材料", materials, "身份证｜原件｜1", "每行一份：名称｜原件｜份数｜说明｜在哪里拿"),
        _is("steps", "步骤", steps, "到派出所窗口交材料", "每行一步"),
        _is("questions", "能不能办", questions, "住满半年了吗？｜满了=可以｜没满=不能", "每行一问；不写就不问"),
        _text("fee", "费用", 100, "首次办理免费"),
        _text("duration", "办理时间", 100, "15 天内"),
        _text("place", "地点", 200, "居住地派出所"),
        _is("latitude", "纬度", read.degrees(3, 54, "纬度"), "30.5454", "高德坐标"),
        _is("longitude", "经度", read.degrees(73, 136, "经度"), "114.3418", "高德坐标"),
        _is("phone", "电话", read.phone, "12345"),
        _text("hours", "开放时间", 100, "周一至周五 9:00–17:00"),
        _is("link", "网上办理", link, "https://example.com/jzz"),
        _AREA,
        Column("department", "部门编码", read.code, "PCS-SGH", "哪个部门管"),
        _is("position", "顺序", read.number(1, 999), "10", "类别里排第几，常办的在前"),
        _is("reviewed_on", "核对日期", read.day, "2026-11-20", "最近一次核对内容的日子"),
        _is("reviewer", "核对人", read.person, "李主任"),
        _ACTIVE,
    ),
)
PROVIDERS = Table(
    "providers",
    "服务商家",
    "家政、餐饮、维修等上门或附近的服务",
    (
        _code("编码", "wx01"),
        _text("name", "名称", 32, "邻家维修铺", needed=True),
        _text("kind", "类别", 16, "维修", "家政、餐饮、维修 …", needed=True),
        _text("words", "能做什么", 200, "修水管 通下水道", "几样用空格隔开"),
        _is("phone", "电话", read.phone, "027-55501234"),
        _text("place", "地点", 200, "东亭路 5 号"),
        _AREA,
        _text("price", "价格", 100, "上门费 30 元，材料另算"),
        _is("checked_on", "核查日期", read.day, "2026-11-20", "工作人员最近一次看证照和价格的日子"),
        _ACTIVE,
    ),
)
SERVICE_TABLES = (CLASSES, ITEMS, PROVIDERS)
