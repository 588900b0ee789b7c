"""住户档案 in the chat: “我住3栋2单元501”, “我的档案” for residents; “档案 3栋501” for those who keep it."""

from __future__ import annotations

import re

from bot.messages import Reply
from bot.router import Router
from domain import facts, household_claims, households
from domain.anniversaries import age_on
from domain.clock import SHANGHAI
from domain.facts import Fact, Member
from domain.homes import Home, read_home
from domain.notices import TAP_LABELS, Tap, tap_id
from handlers.chat import Chat, Filter, either, has_text, is_staff, numbered, state, tapped, words
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("households")

_I_LIVE = re.compile(r"(?:我|我家|我们|我们家)(?:住|住在|家住|家在)\s*(.+)", re.DOTALL)
_LOOK_UP = re.compile(r"(?:居民|住户)?档案\s*[:：]?\s*(\S.*)", re.DOTALL)
_SET = re.compile(r"([\w\u4e00-\u9fff]{2,24}?)\s*(?:[:：=]|是|改成|\s)\s*(\S.{0,60})", re.DOTALL)
#: Where “我住…” is no answer to something else.
_FREE = {"", "services.class", "services.list", "services.item", "services.found", "services.materials", "unsure"}
_FREE |= {"surveys.list", "surveys.results", "surveys.result", "topics.listed", "apply.menu", "apply.own"}
_FREE |= {"booking.plan", "booking.day", "booking.time", "booking.confirm", "booking.mine", "booking.one"}
_FREE |= {"activity.list", "activity.one", "activity.mine", "activity.account", "providers.kind", "providers.list"}
_TAGS, _HOMES = 5, 6
_NOTHING = ("无", "没有", "没有了", "删掉", "删除")
_MORE, _ADD = "更多标签", "加一个人"


def _names_home(chat: Chat) -> bool:
    found = _I_LIVE.fullmatch(chat.text)
    free = chat.state in _FREE or chat.state.startswith("households.")
    return free and chat.tap is None and found is not None and read_home(found[1]) is not None


def _place(expression: re.Pattern[str]) -> Filter:
    return lambda chat: chat.tap is None and expression.fullmatch(chat.text.strip()) is not None


def _chosen(name: str) -> Filter:
    """A tap on one of what was listed."""
    return lambda chat: chat.tap is not None and 0 < chat.tap <= len(chat.data.get(name, []))


def _behind(name: str) -> Filter:
    """A tap on the line behind what was listed."""
    return lambda chat: chat.tap == len(chat.data.get(name, [])) + 1


# Residents: which household they belong to.


@router.on(_names_home)
async def says_home(chat: Chat) -> Reply:
    """“我住3栋2单元501”."""
    found = _I_LIVE.fullmatch(chat.text)
    return _ask_name(chat, read_home(found[1]) if found else None)


@router.on(words("我的住址", "登记住址", "登记住户", "绑定住户", "我的家", "我住哪里"))
async def where(chat: Chat) -> Reply:
    """The question they may begin with."""
    chat.go("households.where")
    return Reply("您住哪一户？比如：3栋2单元501。\n登记后，跟您家有关的政策会提醒您。不登记回复“取消”。")


@router.on(state("households.where"), has_text)
async def said_where(chat: Chat) -> Reply:
    """The answer."""
    return _ask_name(chat, read_home(chat.text))


def _ask_name(chat: Chat, home: Home | None) -> Reply:
    if home is None:
        return Reply("没看懂是哪一户。\n请写成“3栋2单元501”，没有单元就写“3栋501”。")
    if chat.person.home is None:
        chat.go()
        return Reply("请先告诉我您在哪个网格：回复“我的网格”选一个，再说住哪一户。")
    chat.go("households.name", home=[home.building, home.unit, home.room])
    return Reply(f"{home}，对吧？请写您的姓名，网格员好核对。\n写错了就再说一次“我住…”，不登记回复“取消”。")


@router.on(state("households.name"), has_text)
async def said_name(chat: Chat) -> Reply:
    """Who keeps the register confirms."""
    home = Home(*chat.data["home"])
    await household_claims.claim(chat.person, home, chat.text, chat.now, chat.source)
    chat.go()
    worker = chat.person.home.worker if chat.person.home else None
    return Reply(f"记下了，请{worker.label if worker else '社区'}核对。\n核对好了告诉您，之后回复“我的档案”可以看。")


# Residents: what is known of them.


@router.on(words("我的档案", "我的户", "我家档案", "社区知道我什么"))
async def mine(chat: Chat) -> Reply:
    """What the community has written down about them."""
    record = await facts.my_record(chat.person)
    if record is None:
        chat.go()
        return Reply("社区还没有和您的微信对上档案。\n想收到跟您家有关的提醒，请说“我住3栋2单元501”。")
    if record.claimed:
        chat.go()
        return Reply(f"您说住{record.place}，网格员还没核对。\n核对好了会告诉您。")
    chat.go("households.mine")
    how = "哪里不对，直接写，比如“生日 1946-12-03”“独居 否”；不想留就写“独居 无”。"
    return chat.ask("\n".join([*_lines(record, chat), how]), numbered("都对", "我搬走了"))


@router.on(state("households.mine"), tapped(1))
async def all_right(chat: Chat) -> Reply:
    """Nothing to put right."""
    chat.go()
    return Reply("好的。以后有变化，回复“我的档案”随时改。")


@router.on(either(lambda chat: chat.state == "households.mine" and chat.tap == 2, words("我搬走了", "解除住户")))
async def moved(chat: Chat) -> Reply:
    """Their WeChat belongs to no household any more."""
    await household_claims.leave(chat.person, chat.now, chat.source)
    chat.go()
    return Reply("好的，您的微信不再对应这一户。\n搬到新家后再说“我住…”，换网格回复“我的网格”。")


@router.on(state("households.mine"), _place(_SET))
async def correct(chat: Chat) -> Reply:
    """“生日 1946-12-03”, “独居 否”."""
    name, value = _said(chat)
    await facts.correct(chat.person, {name: value}, chat.now, chat.source)
    return await mine(chat)


def _said(chat: Chat) -> tuple[str, str | None]:
    found = _SET.fullmatch(chat.text.strip())
    name, value = (found[1], found[2].strip()) if found else ("", "")
    return name, None if value in _NOTHING else value


def _lines(member: Member, chat: Chat) -> list[str]:
    """Who it is, and what is known, in three lines."""
    today = chat.now.astimezone(SHANGHAI).date()
    relation = f"（{member.relation}）" if member.relation else ""
    born = f"生日 {member.birthday}，{age_on(member.birthday, today)} 岁" if member.birthday else "生日没有记"
    tags = "、".join(fact.kind.name for fact in member.known if fact.is_tag)
    others = [f"{fact.kind.name} {fact.said}" for fact in member.known if not fact.is_tag]
    known = "；".join(part for part in (tags, *others) if part)
    return [f"{member.name}{relation} {member.place}", born, known or "别的没有记"]


# Staff: who lives where, and what is known.


@router.on(is_staff, words("档案", "住户", "住户档案", "居民档案"))
async def how(chat: Chat) -> Reply:
    """What to type."""
    chat.go()
    return Reply("请写“档案 3栋2单元501”或“档案 姓名”。\n等着核对的住户回复“核对住户”。")


@router.on(is_staff, _place(_LOOK_UP))
async def look_up(chat: Chat) -> Reply:
    """“档案 3栋501”, “档案 刘桂兰”."""
    found = _LOOK_UP.fullmatch(chat.text.strip())
    said = found[1] if found else ""
    homes = await households.find_households(chat.person, said, limit=_HOMES)
    if len(homes) == 1:
        return await _home(chat, homes[0].id, homes[0].place)
    if homes:
        chat.go("households.homes", homes=[[home.id, home.place] for home in homes])
        return chat.ask("有几户都像，是哪一户？", numbered(*[f"{home.grid} {home.place}" for home in homes]))
    home = read_home(said)
    if home is None or chat.person.post is None or chat.person.post.level.rank:
        chat.go()  # which grid it is in is clear for its own worker alone
        return Reply("没有找到。\n请写“档案 3栋2单元501”或“档案 姓名”。")
    chat.go("households.new", home=str(home))
    return chat.ask(f"还没有{home}这一户。", numbered("新建这一户", "算了"))


@router.on(state("households.new"), tapped(1))
async def make(chat: Chat) -> Reply:
    """Write the household down."""
    post, place = chat.person.post, chat.data["home"]
    made = await households.add_household(chat.person, post.area_id if post else 0, place, chat.now, chat.source)
    return await _home(chat, made, place)


@router.on(state("households.new"), tapped(2))
async def leave_it(chat: Chat) -> Reply:
    """After all not."""
    chat.go()
    return Reply("好的。")


@router.on(state("households.homes"), _chosen("homes"))
async def home_chosen(chat: Chat) -> Reply:
    """One of several."""
    household_id, place = chat.data["homes"][(chat.tap or 1) - 1]
    return await _home(chat, household_id, place)


async def _home(chat: Chat, household_id: int, place: str) -> Reply:
    people = await households.list_members(chat.person, household_id)
    people = people[:8]
    chat.go("households.home", home=household_id, members=[one.id for one in people])
    labels = [f"{one.name}{f'（{one.relation}）' if one.relation else ''}" for one in people]
    head = f"{place}，点一个人看档案。" if people else f"{place}还没有记人。"
    return chat.ask(head, numbered(*labels, _ADD))


@router.on(state("households.home"), _chosen("members"))
async def member_chosen(chat: Chat) -> Reply:
    """What is known of one; reading sensitive facts is noted."""
    member = await facts.show_member(chat.person, chat.data["members"][(chat.tap or 1) - 1], chat.now, chat.source)
    return _card(chat, member, 0)


@router.on(state("households.home"), _behind("members"))
async def ask_new(chat: Chat) -> Reply:
    """Somebody who is not written down."""
    chat.go("households.add", home=chat.data["home"])
    return Reply("请写姓名和关系，比如：刘小明 子女。\n不加了回复“取消”。")


@router.on(state("households.add"), has_text)
async def add(chat: Chat) -> Reply:
    """“刘小明 子女”."""
    name, *relation = chat.text.split(maxsplit=1)
    home = int(chat.data["home"])
    member = await households.add_member(chat.person, home, name, chat.now, chat.source, relation="".join(relation))
    return _card(chat, member, 0)


def _tags(member: Member) -> list[Fact]:
    return [fact for fact in member.facts if fact.is_tag]


def _card(chat: Chat, member: Member, start: int) -> Reply:
    """With the tags to be switched by a tap; everything else is written."""
    tags = _tags(member)
    page = tags[start : start + _TAGS]
    chat.go("households.member", member=member.id, codes=[fact.kind.code for fact in page], start=start)
    labels = [f"{'☑' if fact.value else '☐'} {fact.kind.name}" for fact in page]
    how = "点一下改标签；别的直接写，比如“生日 1946-12-03”。搬走了写“搬走”。"
    labels += [_MORE] if len(tags) > _TAGS else []
    return chat.ask("\n".join([*_lines(member, chat), how]), numbered(*labels))


@router.on(state("households.member"), _chosen("codes"))
async def switch(chat: Chat) -> Reply:
    """A tag on or off."""
    member_id, code = int(chat.data["member"]), chat.data["codes"][(chat.tap or 1) - 1]
    member = await facts.kept_member(chat.person, member_id)
    before = next((fact.value for fact in member.facts if fact.kind.code == code), None)
    changed = await facts.set_fact(chat.person, member_id, code, None if before else True, chat.now, chat.source)
    return _card(chat, changed, chat.data["start"])


@router.on(state("households.member"), either(_behind("codes"), words(_MORE, "更多")))
async def more_tags(chat: Chat) -> Reply:
    """The next tags; after the last the first again."""
    member = await facts.show_member(chat.person, int(chat.data["member"]), chat.now, chat.source)
    start = chat.data["start"] + _TAGS
    return _card(chat, member, start if _tags(member)[start:] else 0)


@router.on(state("households.member"), words("搬走", "搬走了", "去世", "去世了", "删除这个人", "不在了"))
async def ask_removal(chat: Chat) -> Reply:
    """Somebody is not there any more."""
    member = await facts.kept_member(chat.person, int(chat.data["member"]))
    chat.go("households.remove", member=member.id)
    return chat.ask(f"{member.name}的档案删掉吗？删了就没有了。", numbered("删掉", "不删"))


@router.on(state("households.remove"), tapped(1))
async def remove(chat: Chat) -> Reply:
    """Gone for good."""
    await households.remove_member(chat.person, int(chat.data["member"]), chat.now, chat.source)
    chat.go()
    return Reply("已删掉。")


@router.on(state("households.remove"), tapped(2))
async def keep(chat: Chat) -> Reply:
    """After all not."""
    member = await facts.show_member(chat.person, int(chat.data["member"]), chat.now, chat.source)
    return _card(chat, member, 0)


@router.on(state("households.member"), _place(_SET))
async def write(chat: Chat) -> Reply:
    """“生日 1946-12-03”, “关系 户主”, “驾驶证到期 2027-01-15”."""
    name, value = _said(chat)
    member_id = int(chat.data["member"])
    if name in ("生日", "关系", "姓名"):
        given = {{"生日": "birthday", "关系": "relation", "姓名": "name"}[name]: value or ""}
        member = await households.change_member(chat.person, member_id, chat.now, chat.source, **given)
    else:
        member = await facts.set_fact(chat.person, member_id, name, value, chat.now, chat.source)
    return _card(chat, member, 0)


@router.on(is_staff, words("待核对住户", "核对住户", "住户核对"))
async def claims(chat: Chat) -> Reply:
    """Who says to live where and waits."""
    waiting = await household_claims.waiting_claims(chat.person, 5)
    chat.go("households.claims", claims=[one.id for one in waiting])
    if not waiting:
        return Reply("没有等着核对的住户。")
    return chat.ask("点一个看：", numbered(*[f"{one.name}说住{one.place}" for one in waiting]))


@router.on(state("households.claims"), _chosen("claims"))
async def claim_chosen(chat: Chat) -> Reply:
    """The same two taps as on the notice."""
    member = await facts.kept_member(chat.person, chat.data["claims"][(chat.tap or 1) - 1])
    chat.go("households.claim")
    choices = [(TAP_LABELS[tap], tap_id(member.id, tap)) for tap in (Tap.LIVES_HERE, Tap.NOT_HERE)]
    return chat.ask(f"{member.name}说住{member.place}，对吗？", choices)


@router.on(case_tap(Tap.LIVES_HERE))
async def lives_here(chat: Chat) -> Reply:
    """The tap on the notice."""
    member = await household_claims.confirm(chat.person, tapped_case(chat), chat.now, chat.source)
    chat.go()
    return Reply(f"好，{member.name}住{member.place}，已告诉本人。\n要记档案，回复“档案 {member.place}”。")


@router.on(case_tap(Tap.NOT_HERE))
async def not_here(chat: Chat) -> Reply:
    """They are not."""
    await household_claims.refuse(chat.person, tapped_case(chat), chat.now, chat.source)
    chat.go()
    return Reply("好，没有登记，已请本人再说一次。")
