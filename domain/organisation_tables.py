"""The tables of an organisation (组织架构), column by column, as they are imported, exported and explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import nlp
from domain import table_values as read
from domain.booking_tables import PLANS
from domain.fact_tables import FACT_TABLES
from domain.form_tables import FORMS
from domain.service_tables import SERVICE_TABLES
from domain.tables import Cell, Column, Table, Wrong
from errors import BadRequest
from models.enums import Level, Role, Verifier
from models.transitions import Verb

LEVEL_NAMES = {
    Level.GRID: "网格",
    Level.COMMUNITY: "社区",
    Level.STREET: "街道",
    Level.DISTRICT: "区",
    Level.CITY: "市",
}
POST_NAMES = {
    Role.GRID_WORKER: "网格员",
    Role.COMMUNITY_STAFF: "社区工作人员",
    Role.STREET_STAFF: "街道工作人员",
    Role.DISTRICT_STAFF: "区工作人员",
    Role.CITY_STAFF: "市工作人员",
    Role.DEPARTMENT_STAFF: "部门工作人员",
}
VERIFIER_NAMES = {Verifier.RESIDENT: "居民", Verifier.GRID_WORKER: "网格员", Verifier.COMMUNITY: "社区"}
FALLBACK = "兜底"
VERB_NAMES = {
    Verb.ACCEPT: "受理",
    Verb.REJECT: "不受理",
    Verb.SIGN: "签收",
    Verb.RETURN: "退回",
    Verb.NOTE: "进展",
    Verb.DISPOSE: "办结",
    Verb.ESCALATE: "上报",
    Verb.REWORK: "返工",
    Verb.TRANSFER: "转办",
    Verb.SUSPEND: "挂账",
    Verb.WAIT: "待补充",
    Verb.EXTEND: "延期",
    Verb.VOID: "作废",
    Verb.ASSIST: "协办",
    Verb.VERIFY: "核查",
    Verb.ANSWER: "督办答复",
}

_LEVELS = {name: level for level, name in LEVEL_NAMES.items()} | {level.value: level for level in Level}
_LEVELS |= {"区县": Level.DISTRICT, "县": Level.DISTRICT, "乡镇": Level.STREET, "村": Level.COMMUNITY}
_POSTS = {name: role for role, name in POST_NAMES.items()} | {role.value: role for role in Role}
_POSTS |= {"社区": Role.COMMUNITY_STAFF, "街道": Role.STREET_STAFF, "区": Role.DISTRICT_STAFF, "市": Role.CITY_STAFF}
_POSTS |= {"部门": Role.DEPARTMENT_STAFF, "区指挥中心": Role.DISTRICT_STAFF, "专职网格员": Role.GRID_WORKER}
_VERIFIERS = {name: one for one, name in VERIFIER_NAMES.items()} | {one.value: one for one in Verifier}
_VERBS = {name: verb.value for verb, name in VERB_NAMES.items()} | {verb.value: verb.value for verb in Verb}


def category(cell: Cell) -> str:
    """A category by its name or code; 兜底 or 其他 is the line for whatever has none."""
    found = read.plain(cell)
    if found in (FALLBACK, "其他"):
        return ""
    names = {each.name: each.code for each in nlp.categories()} | {each.code: each.code for each in nlp.categories()}
    if found not in names:
        raise Wrong("没有这个事项类别", "请照导出的职责清单里的名称写，比如“路灯不亮”；都不合适就写“兜底”。")
    return names[found]


def category_name(code: str) -> str:
    """A category as the tables write it."""
    return next((each.name for each in nlp.categories() if each.code == code), code) if code else FALLBACK


def all_categories() -> tuple[str, ...]:
    """Every category as the tables write it, that for whatever has none first."""
    return (FALLBACK, *(each.name for each in nlp.categories()))


def _code(name: str, head: str, example: str, note: str, *, key: bool = False, needed: bool = False) -> Column:
    return Column(name, head, read.code, example, note, key=key, needed=needed)


def _text(name: str, head: str, most: int, example: str = "", note: str = "", *, needed: bool = False) -> Column:
    return Column(name, head, read.text(most), example, note, needed=needed)


def _flag(name: str, head: str, example: str, note: str = "") -> Column:
    return Column(name, head, read.flag, example, note, clears=False)


def _key(name: str, head: str, most: int, example: str, note: str = "") -> Column:
    return Column(name, head, read.text(most), example, note, key=True)


_LIMIT = "写成 2小时、4工作时、7天、3工作日；不写按紧急程度"
_GRID = "网格的 15 位编码"

AREAS = Table(
    "areas",
    "区域",
    "市、区、街道、社区、网格，编码决定上下级",
    (
        Column("code", "编码", read.area_code, "429906001001004", "市和区 6 位，街道 9，社区 12，网格 15", key=True),
        _text("name", "名称", 64, "第四网格", needed=True),
        Column("level", "层级", read.choice(_LEVELS), "网格", "可不写，按编码位数；6 位的末尾是 00 为市"),
        Column("parent", "上级编码", read.area_code, "429906001001", "可不写；写了就核对"),
        Column("duty_phone", "值班电话", read.phone, "027-55503456", "居民打的电话；不写用上级的"),
        Column("gas_phone", "燃气电话", read.phone, "027-55596777", "燃气抢修；写在区一级就够"),
        Column("boundary", "边界", read.boundary, "", "GeoJSON Polygon，高德坐标；可不写"),
    ),
)
DEPARTMENTS = Table(
    "departments",
    "部门",
    "街道和区的职能部门",
    (
        _code("code", "编码", "CG-SGH", "自己定的短编码，全区不重复", key=True),
        _text("name", "名称", 64, "水果湖街道城管执法队", needed=True),
        _text("kind", "类别", 16, "城管", "职责清单里怎么叫它：城管、房管、派出所 …"),
        Column("area", "区域编码", read.area_code, "429906001", "街道（9 位）或区（6 位）", needed=True),
    ),
)
STAFF = Table(
    "staff",
    "人员",
    "网格员和各级工作人员；换人请新写一行，离岗的人写停用",
    (
        _code("code", "工号", "G004", "自己定，不重复", key=True),
        Column("name", "姓名", read.person, "吴娟", needed=True),
        Column("role", "岗位", read.choice(_POSTS), "网格员", "可不写，按所在区域或部门"),
        Column("area", "区域编码", read.area_code, "429906001001004", "在哪个区域；部门的人不写"),
        _code("department", "部门编码", "", "部门的人写这里"),
        Column("phone", "电话", read.phone, "13812345678"),
        Column("capacity", "在办上限", read.number(1, 999), "30", "手上到这么多件就先派给别人"),
        _flag("active", "在岗", "是", "写 否 或 停用 即不再派件，微信也解绑"),
    ),
)
ABSENCES = Table(
    "absences",
    "请假",
    "谁从哪天到哪天不在，谁代",
    (
        _code("staff", "工号", "G004", "谁", key=True),
        Column("starts_at", "开始", read.moment(end=False), "2026-12-01", "只写日期，从当天 0 点起", key=True),
        Column("ends_at", "结束", read.moment(end=True), "2026-12-03", "只写日期，到当天结束", needed=True),
        _code("deputy", "代办人工号", "G005", "不写就派给别人"),
        _text("reason", "原因", 64, "年休假"),
    ),
)
DUTIES = Table(
    "duties",
    "职责清单",
    "哪类事在哪一级归谁、几时办好；导入就是新的一版，旧的不动，没写的行照旧",
    (
        Column("category", "事项类别", category, "路灯不亮", "名称或代码；兜底 = 其他所有", key=True),
        Column("level", "层级", read.choice(_LEVELS), "网格", "网格、社区、街道、区", key=True),
        _text("unit", "责任单位", 20, "城管", "部门编码，或部门类别（每个街道用自己的）；不写是本级人员"),
        Column("assisting", "协办单位", read.words, "供电", "部门编码或类别，几个用顿号隔开"),
        Column("accept_limit", "受理时限", read.limit, "4工作时", _LIMIT),
        Column("dispatch_limit", "派遣时限", read.limit, "2工作时", "退回的事几时派给别人；不写按紧急程度"),
        Column("sign_limit", "签收时限", read.limit, "4工作时", _LIMIT),
        Column("handle_limit", "处置时限", read.limit, "1工作日", "答应居民的时间，从受理起算"),
        Column("verify_limit", "核查时限", read.limit, "2工作日", _LIMIT),
        _flag("auto_accept", "自动受理", "是", "不用人看就派下去"),
        Column("verifier", "核查人", read.choice(_VERIFIERS), "网格员", "居民、网格员、社区"),
        _flag("closing_photo", "办结照片", "是", "办结要有照片"),
        _flag("closing_text", "办结说明", "否", "办结要写十个字以上"),
        _flag("anonymous", "可匿名", "是", "居民可以不让工作人员看到名字"),
        Column("effective_on", "生效日期", read.day, "2026-12-01", "整张表一个日期；不写或已过去就是今天"),
        _flag("active", "启用", "是", "写 停用 即新的一版里没有这一行"),
    ),
)
HOUSEHOLDS = Table(
    "households",
    "住户",
    "网格里的每一户",
    (
        Column("grid", "网格编码", read.area_code, "429906001001004", _GRID, key=True),
        _key("building", "楼栋", 32, "3栋"),
        _text("unit", "单元", 16, "2单元"),
        _key("room", "房号", 16, "501"),
        Column("contact", "联系人", read.person, "刘大爷"),
        Column("phone", "电话", read.phone, "13812345679"),
        Column("note", "备注", read.text(200, lines=True), "独居，耳背"),
    ),
)
COMPONENTS = Table(
    "components",
    "部件",
    "有编号的路灯杆、井盖、消火栓 …（一号定位）",
    (
        Column("code", "编号", read.component_code, "LD-0132", "杆上、盖上印的号", key=True),
        _text("kind", "种类", 32, "路灯", needed=True),
        _text("place", "位置", 200, "东亭路 5 号门口"),
        Column("grid", "网格编码", read.area_code, "429906001001004", _GRID, needed=True),
        Column("latitude", "纬度", read.degrees(3, 54, "纬度"), "30.5454", "高德坐标"),
        Column("longitude", "经度", read.degrees(73, 136, "经度"), "114.3418", "高德坐标"),
    ),
)
SPECIAL_DAYS = Table(
    "special_days",
    "特殊日期",
    "和国家日历不一样的日子：本地放假、调休上班",
    (
        Column("day", "日期", read.day, "2027-01-04", key=True),
        Column("works", "上班或放假", read.flag, "放假", "写 上班 或 放假", needed=True),
        _text("name", "名称", 32, "本地活动日"),
    ),
)
TEMPLATES = Table(
    "reply_templates",
    "答复模板",
    "工作人员常用的话；可以用 {number} {subject} {place} {due} {holder}",
    (
        _key("name", "名称", 32, "灯已修好"),
        Column("category", "事项类别", category, "路灯不亮", "不写或写 兜底 = 各类都用"),
        Column("verb", "环节", read.choice(_VERBS), "办结", "不写 = 各环节都用"),
        Column("text", "内容", read.text(500, lines=True), "{place}的灯已经修好，请您看看亮了没有。", needed=True),
        _flag("active", "启用", "是"),
    ),
)

#: In the order in which one needs the other.
TABLES = (
    AREAS,
    DEPARTMENTS,
    STAFF,
    ABSENCES,
    DUTIES,
    HOUSEHOLDS,
    COMPONENTS,
    SPECIAL_DAYS,
    TEMPLATES,
    *SERVICE_TABLES,
    FORMS,
    PLANS,
    *FACT_TABLES,
)


def named_tables(names: Iterable[str]) -> list[Table]:
    """The tables of these names, Chinese or English; all where none is named. Raises BadRequest for an unknown one."""
    known: Mapping[str, Table] = {name: table for table in TABLES for name in (table.name, table.title)}
    wanted = list(names)
    if unknown := [name for name in wanted if name not in known]:
        raise BadRequest(
            f"no table {unknown[0]!r}", say=f"没有“{unknown[0]}”这张表；可以选：{'、'.join(t.title for t in TABLES)}。"
        )
    return [table for table in TABLES if not wanted or known.keys() & {table.name, table.title} & set(wanted)]
