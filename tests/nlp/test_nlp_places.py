"""Where it is: longest useful place first, in the resident's own writing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlp
from nlp.gazetteer import spell_number
from nlp.normalise import fold, tidy
from nlp.places import MOST, READ, find_places, find_public_places

FIRST = {
    "阳光花园3栋2单元501室漏水": "阳光花园3栋2单元501室",
    "在金色家园东门口有人摆摊": "金色家园东门口",
    "长宁路和新民路路口的红绿灯坏了": "长宁路和新民路路口的红绿灯",
    "我住和平里小区8号楼，没水": "和平里小区8号楼",
    "中山大道128号门前堆满垃圾": "中山大道128号门前",
    "3-2-501楼上太吵": "3-2-501楼上",
    "12#楼电梯坏了": "12#楼电梯",
    "路灯编号HB-10023不亮": "路灯编号HB-10023",
    "23号路灯不亮": "23号路灯",
    "5栋和6栋之间的绿化带有死猫": "5栋和6栋之间的绿化带",
    "楼下的烧烤店太吵": "楼下的烧烤店",
    "路口对面那个网吧": "路口对面那个网吧",
    "实验小学门口天天堵车": "实验小学门口",
    "菜市场旁边的公厕太臭": "菜市场旁边的公厕",
    "王家湾村三组没有路灯": "王家湾村三组",
    "1栋到5栋都停水": "1栋到5栋",
    "有人在河边电鱼": "河边",
    "负一楼车库进水": "负一楼车库",
    "C区7栋的门坏了": "C区7栋",
}

FOUND = {
    "十八号楼的楼道灯又灭了": "十八号楼",
    "三栋二单元五零一水管爆了": "三栋二单元五零一",
    "三杠二杠五零一没人应门": "三杠二杠五零一",
    "我在磨盘岭这边 车翻沟里了": "磨盘岭",
    "老纺织厂宿舍那条下水沟臭得不行": "老纺织厂宿舍",
    "幸福里小区地下车库B区进水": "幸福里小区",
    "长江路12号门口的井盖翘起来了": "长江路12号",
    "仙霞路358弄12号楼道堆满纸箱": "仙霞路358弄12号",
    "大润发门口共享单车堆成山": "大润发门口",
    "人民医院急诊门口没有路灯": "人民医院急诊门口",
    "后山又有人烧荒": "后山",
    "李家塆三组的路断了": "李家塆三组",
    "五社的蓄水池见底了": "五社",
    "桥头那棵树要倒了": "桥头那棵树",
    "地铁2号线光谷广场站C口台阶裂了": "光谷广场站C口",
    "602路公交站的棚子塌了": "602路公交站",
    "灯杆0231不亮": "灯杆0231",
    "LD-0231不亮三天": "LD-0231",
    "东区12号楼没水": "东区12号楼",
    "二期的围墙倒了一截": "二期",
    "A座大堂玻璃碎了": "A座大堂",
    "老李家门口的沟堵了": "老李家门口",
    "大槐树底下有人赌博": "大槐树底下",
    "卫生院斜对面的饭馆用地沟油": "卫生院斜对面",
    "有人落水了 就在二桥下面": "二桥下面",
    "解放路跟中山路十字路口信号灯坏了": "解放路跟中山路十字路口",
    "解放路中山路口一辆车撞树上了": "解放路中山路口",
    "村委会旁边的变压器冒火花": "村委会旁边",
    "收费站匝道有人躺着": "收费站匝道",
    "5号院东墙根有人埋狗": "5号院",
    "北区食堂后厨起火": "北区食堂",
    "电影院后身垃圾成堆": "电影院",
    "红星美凯龙旁边空地倒建筑垃圾": "红星美凯龙旁边",
    "河沿上那排房子要塌": "河沿",
    "坝坝头有人打架": "坝坝头",
    "菜地边上的水井没盖": "菜地边上的水井",
    "单位宿舍3舍水管漏": "3舍",
    "西苑7斋断电": "西苑7斋",
    "老年活动中心二楼窗户掉了": "老年活动中心二楼",
    "六栋跟七栋中间那块空地晚上有人烧纸": "六栋跟七栋中间",
    "铁道边上有小孩玩": "铁道边上",
    "四路车终点站没有厕所": "四路车终点站",
    "城隍庙那边扒手多": "城隍庙那边",
    "码头台阶滑得很": "码头",
    "南湖公园湖里有人游泳": "南湖公园",
    "镇中学围墙外卖烟给学生": "镇中学围墙",
    "二十三号井盖不见了": "二十三号井盖",
    "我屋里在7幢，天花板掉下来砸到人了": "7幢",
    "12单元门禁失灵": "12单元",
    "1号线工地半夜打桩": "1号线工地",
    "后街老张麻将馆天天吵到半夜": "后街老张麻将馆",
    "幼儿园转角的电箱门开着": "幼儿园转角",
    "供电局家属院停电了": "供电局家属院",
    "老粮库院里有人放炮": "老粮库院",
    "有人要跳楼 万达楼顶": "万达楼顶",
    "沃尔玛三楼扶梯夹人了": "沃尔玛三楼扶梯",
    "绿地国际花都A区8栋1单元1203漏煤气": "绿地国际花都A区8栋1单元1203",
    "樓下士多門口成日有人打架": "士多門口",
    "我哋屋邨個游樂場啲鞦韆爛咗": "游樂場",
    "天橋底有班人瞓喺度": "天橋底",
    "單車徑啲路燈唔着": "單車徑",
    "喺街市後巷有人放火": "街市後巷",
    "3座大堂啲玻璃碎晒": "3座大堂",
    "阿拉弄堂口垃圾堆得来像座山": "弄堂口",
    "302室爷叔摔倒了爬不起来": "302室",
    "石库门后头的水斗漏水": "石库门",
    "老虎灶旁边那间空房子冒烟": "老虎灶旁边",
    "坝坝里头的秋千断了": "坝坝",
    "茶馆楼上有人打架 拿刀了": "茶馆楼上",
    "河坎上有个娃儿要往下跳": "河坎",
    "老场镇那棵黄葛树要倒": "老场镇",
    "屯子东头大桥底下让人倒了一车死鸡": "大桥底下",
    "道边井盖子没了": "道边",
    "供热站烟囱冒黑烟": "供热站",
    "胡同口那帮人天天喝酒骂街": "胡同口",
    "咱这旮旯西大沟臭死人": "西大沟",
    "湾里祠堂前头的电线垮下来哒": "祠堂前头",
    "我在汽渡码头看到有人跳江": "汽渡码头",
    "大队部门前的喇叭半夜响": "大队部门前",
    "村小学旁边那个厂放臭气": "村小学旁边",
    "晒谷坪上有人摆赌摊": "晒谷坪",
    "祖庙前的广场路灯全黑": "祖庙前的广场",
    "水厂后头的涵管堵了": "水厂后头",
    "养老中心三楼电梯关人": "养老中心",
    "体校操场半夜放高音喇叭": "体校操场",
    "中央花园喷泉漏电 我手麻了": "中央花园喷泉",
    "地下二层B区消防门锁死了": "地下二层B区",
    "负二楼车位B137被人占了": "B137",
    "快来 六单元着火了": "六单元",
    "A3栋1903有人打小孩": "A3栋1903",
    "滨河西路跟建材市场交界那里翻了个油罐车": "滨河西路",
    "高速桥下有流浪汉烧火做饭": "高速桥下",
    "幸福大道与东风路交汇处信号灯不亮": "幸福大道与东风路交汇处",
    "我在二环路高架上车抛锚了": "二环路高架",
    "万家丽路机电学院门口没有斑马线": "万家丽路机电学院门口",
    "区政府对面停车场乱收费": "区政府对面停车场",
    "社区门诊部输液室漏雨": "社区门诊部",
    "兴隆镇初级中学门前卖彩票刮刮乐": "兴隆镇初级中学门前",
    "红旗连锁旁边的夹缝里有蛇": "红旗连锁旁边",
    "大门左手边那个变压器嗡嗡响冒火星": "大门左手边",
    "自来水厂门口路段积水到膝盖": "自来水厂门口路段",
    "小区儿童乐园的滑梯边上有钉子": "滑梯边上",
    "老干部活动中心麻将声太大": "老干部活动中心",
    "三组王家门前的沟堵了": "三组",
    "李庄北头养鸡场死鸡乱扔": "李庄北头养鸡场",
    "新华书店楼上舞蹈班震得天花板掉灰": "新华书店楼上",
    "古井巷14号危房要塌": "古井巷14号",
    "仁和里7号院没有厕所灯": "仁和里7号院",
    "建新东街12-3号门面占道": "建新东街12-3号",
    "第四人民医院住院部后门堵死了": "第四人民医院住院部后门",
    "交警大队斜对过有个大坑": "交警大队斜对过",
}
"""A place of the answer holds the one meant, or is part of it."""

NOWHERE = [
    "居住证怎么办",
    "早上好各位邻居",
    "养老金这个月怎么还没到账",
    "公司欠我三个月工资",
    "这条路太烂了",
    "修路修了半年",
    "11月20日晚上8点有人敲门",
    "公交602路等了很久",
    "走路太慢",
    "部门推来推去",
    "这段路灯全灭了",
    "过马路看不见",
    "我家门口被人写了字",
    "楼上半夜拖椅子",
    "电梯又停了",
    "走后门的事没人管",
    "老人旁边没人",
    "名单里头有假",
    "人在外地",
    "拎包入住1800",
    "编号WL20261120000007办到哪了",
    "进小区右转第二个垃圾桶烧起来了",
    "现在在单位上班",
    "住五楼，停水了",
]


@pytest.mark.parametrize(("text", "place"), FIRST.items())
def test_the_best_place_comes_first(text: str, place: str) -> None:
    assert nlp.understand(text).places[0] == place


@pytest.mark.parametrize(("text", "place"), FOUND.items())
def test_the_place_is_found_however_people_speak_where_they_come_from(text: str, place: str) -> None:
    plain = tidy(text)
    assert any(found in place or place in found for found in find_places(plain, fold(plain)))


@pytest.mark.parametrize("text", NOWHERE)
def test_no_place_is_made_up(text: str) -> None:
    assert nlp.understand(text).places == ()


def test_what_is_a_place_only_to_who_stands_there_gives_way_and_is_none_alone() -> None:
    assert nlp.understand("楼下有人吵架").places == ()
    assert nlp.understand("六楼上不来水").places == ()
    assert nlp.understand("8号楼有人吵架").places == ("8号楼",)


def test_questions_and_chatter_speak_of_places_as_such() -> None:
    assert find_places("图书馆周一开门吗", "图书馆周一开门吗", vague=False) == ()
    assert find_places("3栋2单元的门开了吗", "3栋2单元的门开了吗", vague=False) == ("3栋2单元",)


def test_an_answer_to_where_is_a_place() -> None:
    for answer in ("小广场", "菜场后面", "就在河边", "5栋", "第三小学那个路口"):
        assert nlp.understand(answer).places


def test_what_may_be_somebodys_name_is_not_for_everybodys_eyes() -> None:
    for text, public in {
        "王大妈家门口": (),
        "李建国3栋": ("3栋",),
        "赵家旁边": (),
        "实验小学门口": ("实验小学门口",),
    }.items():
        assert find_public_places(text, text) == public


@given(st.integers(1, 99), st.integers(1, 9))
def test_numbers_in_both_scripts_are_the_same_place(building: int, unit: int) -> None:
    digits = f"翠湖小区{building}栋{unit}单元的灯坏了"
    spoken = f"翠湖小区{spell_number(building)}栋{spell_number(unit)}单元的灯坏了"
    first, second = find_places(digits, digits)[0], find_places(spoken, spoken)[0]
    assert first.startswith(f"翠湖小区{building}栋{unit}单元")
    assert second.startswith(f"翠湖小区{spell_number(building)}栋{spell_number(unit)}单元")


_PIECES = st.sampled_from(
    [
        "长江路",
        "12号",
        "3栋",
        "二单元",
        "501",
        "小区",
        "门口",
        "旁边",
        "的",
        "和",
        "那个",
        "在",
        "就在",
        "菜场",
        "楼上",
        "电梯",
        "，",
        " ",
        "坏了",
        "灯杆",
        "-",
        "#",
        "B",
        "一",
        "里",
        "村",
        "三组",
        "站",
        "号线",
        "期",
        "東",
        "０",
        "\U0001f6a8",
        "家门口",
        "东门",
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join) | st.text(max_size=80))
def test_what_is_found_stands_in_the_text_as_written(text: str) -> None:
    plain = tidy(text)
    for places in (find_places(plain, fold(plain)), find_public_places(plain, fold(plain))):
        assert len(places) <= MOST
        assert all(place and place in plain for place in places)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_less_vague_is_a_part_of_all(text: str) -> None:
    plain = tidy(text)
    everything = find_places(plain, fold(plain))
    if len(everything) < MOST:
        assert set(find_places(plain, fold(plain), vague=False)) <= set(everything)


@pytest.mark.parametrize(
    "unit",
    [
        "一",
        "1",
        "路",
        "里",
        "小区",
        "3栋",
        "十",
        "1-",
        "在",
        "就在",
        "的",
        "门",
        "号",
        "a",
        "老",
        "楼上",
        "和",
        "那个",
        "东",
        "3号",
        "边",
        "，在",
        "长江路12号",
        "期",
        "站",
    ],
)
def test_hostile_text_costs_no_more_than_what_is_read_of_it(unit: str) -> None:
    text = unit * (READ // len(unit))
    find_places(text, text)
    best = min(_seconds(text) for _ in range(3))
    assert best < 0.05
    assert min(_seconds(text * 50) for _ in range(3)) < 2 * best + 0.01


def _seconds(text: str) -> float:
    began = time.process_time()
    find_places(text, text)
    return time.process_time() - began
