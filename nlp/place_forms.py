"""How places are written that have a form rather than a name: buildings, units, rooms, gates, codes, stations.

Each pattern reads a bounded number of characters from where it begins, so that finding all of them is linear.
"""

from __future__ import annotations

import re

_N = "[\\d一二三四五六七八九十百零〇两幺]"
"""A digit in either script; 幺 is how one is spoken in numbers of rooms."""
_NUMBER = rf"{_N}{{1,4}}"
_LETTERED = rf"(?:[a-z]?\d{{1,4}}[a-z]?|[a-z]|{_N}{{1,4}}|[东南西北])"
_PART = rf"(?:[a-z东南西北中]区|{_N}{{1,2}}期|{_N}{{1,2}}区)"
_BUILDING = (
    rf"{_PART}?第?{_LETTERED}(?:\s?#\s?楼|\s?#|\s?号楼|\s?号院|\s?栋楼?|\s?幢楼?)|[a-z\d]{{1,3}}座"
    r"|\d{1,2}(?:舍|斋)(?![友得])"
)
_UNIT = rf"{_LETTERED}\s?(?:单元|门洞|门栋|号门(?![前口外牌岗]))"
_FLOOR = rf"(?:负|地下|顶)?{_NUMBER}\s?(?:层|楼(?![房盘道梯市栋长]))"
_ROOM = rf"(?:\d{{3,4}}|{_N}{{3,4}})\s?(?:室|号房|房|户)?(?![\d年元块度多人个点分])"
_ENTRANCE = rf"{_N}{{1,2}}门"
_DASH = r"\s?(?:-|杠|之)\s?"

CHAIN = re.compile(
    rf"(?=[\da-z一二三四五六七八九十百两东南西北负地第顶])(?<![\da-z])(?:"
    rf"(?:{_BUILDING})\s?(?:{_UNIT}|{_ENTRANCE}|\d{{1,2}}(?=\s?[-—]\s?\d))?\s?-?(?:{_FLOOR})?\s?(?:{_ROOM})?"
    rf"|(?:{_UNIT})\s?(?:{_FLOOR})?\s?(?:{_ROOM})?|(?:{_FLOOR})(?:{_ROOM})?|{_N}{{3,4}}室"
    rf"|{_N}{{1,3}}{_DASH}{_N}{{1,2}}{_DASH}{_N}{{2,4}}(?![\d-])|\d{{1,2}}-\d{{3,4}}(?![\d-])"
    rf"|{_N}{{1,4}}号\s?(?:{_UNIT}\s?(?:{_ROOM})?|{_NUMBER}[室楼]|\d{{3,4}}(?![\d年元块度多人个]))"
    r"|\d{1,3}#\d{1,4})"
)
"""A building with what follows it: 3栋2单元501室, 十八号楼, 3#2, 3-2-501, 三杠二杠五零一, 8号601."""

CHAIN_SIGN = re.compile(
    r"[栋幢座层楼室#杠之舍斋单号门\d](?:(?<=[栋幢座层楼室#杠之舍斋])|(?<=单)元|(?<=[号门])[楼院门洞栋\d一二三四五六七八九]|(?<=\d)-\d)"
)
"""What every chain holds: asked first, for it costs far less.

This and the other signs begin with a class of characters, which makes looking for one several times as fast.
"""

FLOOR_ONLY = re.compile(rf"(?:[负顶]|地下)?{_NUMBER}\s?(?:层|楼)")
"""A floor with nothing before it says where only to whom the building is known."""

FLOOR_END = re.compile(rf".?(?:[负顶]|地下)?{_NUMBER}\s?(?:层|楼)$")
"""The same with one character before it: 住五楼."""

GATE = re.compile(
    r"(?=[小学院公校厂东南西北侧后\d一二三四五六七八九十])(?:(?:小区|学校|院子|公园)?(?:(?<![部专热冷])(?:[东南西北]{1,2}|侧|后)(?:大|小)?门(?!诊|禁|铃|卫)"
    r"|(?<![\da-z])[\d一二三四五六七八九十]{1,2}号门(?!诊|禁|铃|牌|卫)|校门|院门|厂门)(?:岗亭|岗)?(?:口|外|内|旁边|旁|附近)?)"
)
"""A gate that is told apart from others: 东门口, 2号门岗亭."""

BACK_DOOR = re.compile("[走开靠]$")
"""Before 后门 these mean influence, not a gate."""

CODE = re.compile(
    r"(?:路灯|灯杆|电线杆|电杆|杆|井盖|箱体|变压器|设施|消火栓|消防栓|部件)\s?(?:编号|杆号|号码|编码)?\s?[是为:：]?\s?[a-z]{0,4}-?\d{2,12}\s?号?"
    r"|(?:编号|杆号|编码)\s?[是为:：]?\s?[a-z]{0,4}-?\d{2,12}(?!\d)|(?<![a-z\d])[a-z]{2,4}-\d{3,8}(?![\d-])"
    rf"|{_N}{{1,5}}号(?:路灯|灯杆|电线杆|电杆|杆|井盖|消火栓|消防栓|变压器|配电箱)"
)
"""A thing that carries its number: LD-0231, 灯杆0231, 23号路灯."""

CASE_NUMBER = re.compile(r"(?:wl)?\d{11,}|wl-?\d+")
"""What follows 编号 here is one of our cases, not a thing in the street."""

NUMBERED = re.compile(
    r"(?=[\da-z一二三四五六七八九十百零〇两幺车泊地轻负东南西北-])(?:"
    rf"(?<![\da-z.]){_N}{{1,4}}号(?:地铁口|平台|岗亭|门岗|岗|电梯|客梯|出口|入口|出入口|通道|桥|泵站|厂房|车间|仓库|食堂|宿舍|病房|病区"
    r"|窗口|摊位|摊|商铺|铺|门面|车位|泊位|车库|垃圾房|垃圾亭|投放点|码头|闸|水闸|池|井|亭|球场|大棚|鱼塘|地块|停车场|里|点位)"
    rf"|[a-z]?\d?-?[a-z]?\d{{1,4}}号?(?:车位|泊位)|(?:车位|泊位)[a-z]?\d?-?[a-z]?\d{{1,4}}|(?:地铁|轻轨)?(?<![a-z\d])[a-h]\d?(?:出|入)?口"
    rf"|(?<!入住)(?<=[楼住在])\d{{3,4}}(?![\d年元块度分路米斤个人次天万点%多号平户])|[负-]\s?[\d一二三](?:层|楼)|(?<=[库场])[b负]\d"
    rf"|{_N}{{1,4}}弄(?:{_N}{{1,4}}号)?|(?<=[库场层楼])[a-z东南西北]区|{_N}{{1,2}}号线(?:工地|施工|站厅|站台|出口|入口)"
    r"|(?<![a-z\d])[a-z]区(?![别间分])|(?<![a-z\d])b\d(?:层|楼)?(?![a-z\d栋幢座号-]))"
)
"""Things told apart by a number: 三号平台, B2-113车位, 地铁C口, 住302, 358弄12号."""

BESIDE = re.compile(
    "(?:隔壁|前面|后面|对面|旁边|最后面?|最前面?|前边|后边|东边|西边|南边|北边)(?:那|一|的)?(?:栋|幢|排)(?:楼|房子|平房)?"
    "|[坡坎桥河沟塘井湖江堤坝山岭田][上下边头后前里](?:那|的)(?:户|家|排|栋|片|几家|几户)"
    "|(?:汽车|火车|客运|长途)?[东南西北]站(?![在着起立])"
)
"""What is told apart by where it stands: 隔壁栋, 坡上那户, 汽车南站."""

PHASE = re.compile(rf"(?<![a-z\d第]){_N}{{1,2}}期(?=[的那北南东西门楼栋里内])(?!的?(?:工程|房款|款|费|项目|班))")
"""Part of an estate: 二期的围墙."""

GROUP = re.compile(
    rf"(?<=[村区湾庄屯塆寨队]){_N}{{1,3}}(?:组|队|社)|(?:^|(?<=[\s,.在]))第?{_N}{{1,2}}(?:组|队|社)(?![人织长成合员会区保])"
)
"""Part of a village: 王家湾村三组."""

HOUSE_NUMBER = re.compile(
    rf"\s?{_N}{{1,4}}(?:-\d{{1,3}})?(?:弄\s?{_N}{{1,4}}号?|号(?!线|楼|的|起|前|后|晚|早|上午|下午))(?:院|附\d{{1,2}}号|门)?"
)
"""After the name of a road: 长江路12号, 仙霞路358弄12号."""

STATION = re.compile(
    r"(?:地铁|轻轨)?[\d一二三四五六七八九十]{1,2}号线[\u4e00-\u9fff]{2,8}?站(?:[a-z]\d?出?口)?|(?:[a-z]?\d{1,3}|[一二三四五六七八九十]{1,3})路(?:公交)?车?(?:终点|起点|首末|总)?站(?:台)?"
    r"|[\u4e00-\u9fff]{2,5}站[a-h]\d?(?:出|入)?口"
)
"""Where lines stop: 地铁2号线光谷广场站, 602路公交站."""

LAST_NUMBER = re.compile(
    rf"{_N}{{1,4}}(?:号|栋|幢)(?:里|楼|屋|房子|那家|那户|院)?|\d{{1,2}}-\d{{3,4}}|{_N}{{3,4}}(?:室|房)"
)
"""A whole clause that is a number of a house: …，8号."""

THAT = re.compile("的?(?:那|这)(?:个|条|家|排|座|处|块|片|栋|棵|根|间|户|一片|一块|一排|边|头|里|儿|一)?的?|的")
"""Joins a place to what is beside it: 菜场后面那条巷子."""

JOINT = re.compile(r"[和与跟及到至~,/&]|\s|靠近|-")
"""Joins two places to one: 建设路和民主路."""

LONGEST_JOINT = 4

SUFFIX = re.compile(
    "的?(?:里面|里边|外面|下面|上面|院内|院里|楼上|楼下|那户|[里内外上下口底旁]|[前后](?=[的有那 ,]|$))"
    "(?!(?<=[上下里内外口底])[不来去没课班学午雨卖罩访报网传次载容地墙水坠程碑])"
)
"""What may follow a place and belongs to it."""

GOES_ON = re.compile(
    "[a-z\\d一二三四五六七八九十]{1,4}[栋幢号#组队期]|小区|社区|门口|[东南西北正后大]门|路口|旁边|附近|对面|$|[ ,.!]"
    "|[和与][\u4e00-\u9fff]{1,5}[路街道巷]"
)
"""What follows the name of a place whose ending is doubtful."""

LAST_WORD = re.compile(r"[^\W_]+\Z")
"""Letters and figures at the end of a stretch of text."""

PIECE = re.compile(r"[是在: ]*([^\s,.!?;:~()\[\]“”…]{2,11})")
"""After a cue, up to the end of the clause."""

CLAUSE = re.compile(r"[^\s,.!?;:~()\[\]“”…]+")
LONGEST_CLAUSE = 10

THERE = re.compile("(?:那|这)(?:里|边|儿|块|片|头|一片|一块|个|条|家|棵|附近)?$|附近$|旁边?$|边上$|[上下里内外边口底]$")
"""What may stand behind a name and is none of it."""

SIGNED = (
    (
        re.compile(
            r"[灯杆盖体器栓施部编号码a-z](?:(?<=[灯杆盖体器栓施部])(?:件|编号|杆号|号|是|:)? ?[a-z\d]|(?<=[编杆])号"
            r"|(?<=[号码])[路灯电杆井消变配]|(?<=[a-z])-\d)"
        ),
        CODE,
        3,
    ),
    (
        re.compile(
            r"[号弄位楼住在负库场层\da-z-](?:(?<=[号弄])|(?<=[位楼住在负库场-])\d|(?<=\d)车位|(?<=[a-h])\d?[出入]?口"
            r"|(?<=[库场层楼])[东南西北]区|(?<=[a-z])区|(?<=b)\d|(?<=[负-])[一二三])"
        ),
        NUMBERED,
        3,
    ),
    (re.compile(rf"[组队社](?<={_N}[组队社])"), GROUP, 3),
    (re.compile(f"期(?<={_N}期)"), PHASE, 2),
    (
        re.compile("[栋幢排户家片站](?:(?<=[面边壁后前一那的][栋幢排])|(?<=[那的][户家片排])|(?<=[东南西北]站))"),
        BESIDE,
        1,
    ),
    (re.compile("号线|路[公车终起首总站台]|站[a-h]"), STATION, 3),
)
"""Forms: what a text that has one holds somewhere, asked first because that costs far less; the form itself, and how
well it says where."""
