"""网格群 from the chat: “进群” and “退群”, “群里说了什么”, “回复 11 …” (staff: “答 11 …”), “群里说 …”, “私聊 …”.

In relay mode what no other route takes goes into the room, and the answer says so. Dangers do not: they are told the
grid worker at once, and nobody's trouble at home is read by the neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.messages import Kind, Reply
from bot.router import Router
from domain import consents, relay_cases, relay_mode, rooms
from domain.notices import excerpt, serial
from domain.people import Home
from domain.reach import Reach, Way
from domain.relay import Line
from domain.relay_mode import MessageKind, MessageState, Purpose, RoomKind, Spoken
from domain.room_words import HELPER, WORKER, Entry, Words
from domain.rooms import RoomLine
from errors import BadRequest, Conflict, ConsentNeeded, NotAllowed
from handlers.chat import Chat, either, has_text, numbered, pattern, state, tapped, words
from handlers.report import ask_grid, offer

router: Router[Chat] = Router("room")

# “回复 11 好的” is about line 11; “回复 12月5日停水吗”, “答 12栋有人” are talk.
_ANSWER = re.compile(
    r"(?:回复|答|回答)\s*0{0,2}([1-9]\d)(?![\d年月日号点时分栋幢楼单个天次块元])\s*[:：,，、]?\s*(.*)", re.DOTALL
)
_SAY = re.compile(r"(?:群里说|发到群里|发群里|跟群里说)[\s:：,，]+(.+)", re.DOTALL)
_PRIVATE = re.compile(r"(?:私聊|私信|单独说)[\s:：,，]+(.+)", re.DOTALL)
_MENTIONED = re.compile(rf"[@＠]\s?({HELPER}|{WORKER})")
_MOST_ROOMS = 9
_PASSED_ON = {Kind.IMAGE: MessageKind.IMAGE, Kind.VOICE: MessageKind.VOICE}


def _room_name(home: Home | None) -> str:
    return f"{home.community_name}{home.grid_name}群" if home else "网格群"


@router.on(words("进群", "加入群", "进群聊", "我要进群", "加群", "入群", "进网格群", "加入网格群"))
async def enter(chat: Chat) -> Reply:
    """Into relay mode; first the grid, and their consent."""
    if chat.person.post:
        return Reply(
            "群里有居民找您，会发到这里，回复“答 编号 您的话”就能答。\n"
            "看最近说的回复“群里说了什么”，要说一句回复“群里说 您的话”。"
        )
    if chat.person.home is None:
        return await ask_grid(chat, None, "先选您住的网格，选好再回复“进群”。")
    try:
        await relay_mode.go_in(chat.person, chat.now, chat.source)
    except ConsentNeeded:
        return _ask_consent(chat)
    return _entered(chat)


def _entered(chat: Chat) -> Reply:
    chat.drop_draft()
    chat.go()
    return Reply(
        f"您进了{_room_name(chat.person.home)}。现在起您发的话会到群里，邻居和网格员看得到。\n"
        "有人回您、有公告，我发给您。\n"
        "只跟网格员说，回复“私聊 您的话”；要报事，回复“我要说事”。\n"
        "看群里说了什么，回复“群里说了什么”；不想进了，回复“退群”。"
    )


def _ask_consent(chat: Chat, **meant: object) -> Reply:
    """What neighbours will read, and whether they are fourteen. `meant`: what they wanted to say, and where."""
    asked = consents.texts()[Purpose.ROOM]
    chat.go("room.consent", version=asked.version, **meant)
    return chat.ask(f"进群前请看一下：{asked.text}", numbered("我满十四岁，同意", "我不满十四岁", "不进了"))


@router.on(state("room.consent"), tapped(1))
async def agree(chat: Chat) -> Reply:
    """They agree, and go in, or say what they wanted to say. A child's guardian must have agreed before."""
    meant = chat.data
    try:
        await consents.say_age(chat.person, True, chat.now, chat.source)
        await consents.give(chat.person, Purpose.ROOM, meant["version"], chat.now, chat.source)
    except (Conflict, ConsentNeeded) as refused:
        chat.go()
        return Reply(refused.in_chat)
    if "message" in meant:
        return await _answer(chat, meant["message"], meant["said"])
    if "room" in meant:
        return await _say(chat, meant["room"], meant["said"])
    await relay_mode.go_in(chat.person, chat.now, chat.source)
    return _entered(chat)


@router.on(state("room.consent"), tapped(2))
async def child(chat: Chat) -> Reply:
    """Children go in with a guardian's consent, given in the mini-program."""
    chat.go()
    return Reply("要请爸爸妈妈或其他监护人在小程序里看说明、同意以后才能进群。\n有事还是可以直接跟我说。")


@router.on(state("room.consent"), either(tapped(3), words("不", "不同意", "不进", "不要")))
async def decline(chat: Chat) -> Reply:
    """Nothing changes."""
    chat.go()
    return Reply("好的，没有进群。\n有事直接跟我说，只有网格员看得到。")


@router.on(words("退群", "退出群", "退出群聊", "离开群", "退出网格群", "不进群了"))
async def leave(chat: Chat) -> Reply:
    """Out of relay mode."""
    was_in = await relay_mode.go_out(chat.person, chat.now, chat.source)
    chat.go()
    if not was_in:
        return Reply("您没有进群，您说的话只有网格员看得到。\n想进群回复“进群”。")
    return Reply("已退群。您说的话不再发到群里，只有网格员看得到。\n想再进来回复“进群”。")


@router.on(words("群里说了什么", "群里在说什么", "群里说什么", "看群", "群消息", "网格群", "群聊", "看看群里"))
async def read(chat: Chat) -> Reply:
    """The newest of the room; staff of several choose."""
    if chat.person.post is None and chat.person.home is None:
        return await ask_grid(chat, None, "先选您住的网格，就能看网格群了。")
    mine = [line for line in await rooms.my_rooms(chat.person, limit=100) if _fits(line)]
    if not mine:
        return Reply("您负责的地方还没有网格群。居民进群以后就有了。")
    if len(mine) == 1:
        return await _show(chat, mine[0])
    return _which(chat, mine, "read", "看哪个群？")


def _fits(line: RoomLine) -> bool:
    """Rooms of grids, and of private talks those where something is new."""
    return line.kind is RoomKind.GRID or bool(line.unread)


def _which(chat: Chat, mine: Sequence[RoomLine], what: str, question: str) -> Reply:
    newest = sorted(mine, key=lambda line: (not line.unread, -line.changed_at.timestamp()))[:_MOST_ROOMS]
    chat.go(f"room.{what}", rooms=[line.id for line in newest])
    labels = [f"{line.name}（{line.unread} 条新的）" if line.unread else line.name for line in newest]
    return chat.ask(question, numbered(*labels))


def _chosen(chat: Chat) -> bool:
    return bool(chat.tap and chat.tap <= len(chat.data.get("rooms", [])))


@router.on(state("room.read"), _chosen)
async def read_chosen(chat: Chat) -> Reply:
    """One of several."""
    return await _show(chat, await rooms.room_line(chat.person, chat.data["rooms"][(chat.tap or 1) - 1]))


async def _show(chat: Chat, line: RoomLine) -> Reply:
    reading = await relay_mode.read_room(chat.person, line, chat.now)
    chat.go()
    if not reading.lines:
        return Reply(f"{reading.name}群里还没有人说话。\n您可以先说：回复“群里说 您的话”。")
    head = f"{reading.name}：" + (f"（前面还有 {reading.left} 条新的）" if reading.left else "")
    verb = "答" if chat.person.post else "回复"
    return Reply(
        "\n".join([head, *_lines(reading.lines), f"回其中一条，回复“{verb} {reading.lines[-1].number} 您的话”。"])
    )


def _lines(lines: Sequence[Line]) -> list[str]:
    return [f"{line.number} {line.text}" for line in lines]


@router.on(pattern(_ANSWER.pattern))
async def answer(chat: Chat) -> Reply:
    """“回复 11 谢谢”, or “回复 11” and then the words."""
    found = _ANSWER.fullmatch(chat.text)
    if found is None:
        raise BadRequest("answer")
    message_id = await relay_mode.find_line(chat.person, int(found[1]))
    if not found[2].strip():
        chat.go("room.answer", message=message_id)
        return Reply("请说要回的话。")
    return await _answer(chat, message_id, found[2].strip())


@router.on(state("room.answer"), has_text)
async def answer_said(chat: Chat) -> Reply:
    """The words for the number given before."""
    return await _answer(chat, chat.data["message"], chat.text)


async def _answer(chat: Chat, message_id: int, text: str) -> Reply:
    try:
        given = _words(chat, text, message_id)
        answered = await relay_mode.answer(chat.person, message_id, given, chat.now, chat.source)
    except ConsentNeeded:
        return _ask_consent(chat, message=message_id, said=text)
    chat.go()
    if reach := answered.reach:
        return Reply(f"已发给{answered.to}：“{excerpt(text, 40)}”\n{say_reach(reach)}")
    return Reply(_receipt(answered.entry, f"已在群里回复{answered.to}：“{excerpt(text, 40)}”"))


def say_reach(reach: Reach) -> str:
    """How many more messages somebody can get, for staff."""
    match reach.way:
        case Way.SERVICE:
            return f"对方还能收 {reach.left} 条消息，说完再发更省。"
        case Way.NOTICE:
            return f"{reach.reason}，先发一条提醒，对方打开公众号就能看到。"
        case _:
            return f"{reach.reason}。"


@router.on(pattern(_SAY.pattern))
async def say(chat: Chat) -> Reply:
    """“群里说 明天几点停水”: this once, in relay mode or not."""
    found = _SAY.fullmatch(chat.text)
    said = found[1].strip() if found else ""
    mine = [line for line in await rooms.my_rooms(chat.person, limit=100) if line.kind is RoomKind.GRID]
    if not mine and chat.person.post:
        return Reply("您负责的地方还没有网格群。居民进群以后就有了。")
    if not mine:
        return await ask_grid(chat, None, "先选您住的网格，就能在网格群里说话了。")
    if len(mine) > 1:
        reply = _which(chat, mine, "say", f"发到哪个群？\n“{excerpt(said, 60)}”")
        chat.data["said"] = said
        return reply
    return await _say(chat, mine[0].id, said)


@router.on(state("room.say"), _chosen)
async def say_there(chat: Chat) -> Reply:
    """Into one of several rooms."""
    return await _say(chat, chat.data["rooms"][(chat.tap or 1) - 1], chat.data["said"])


async def _say(chat: Chat, room_id: int, said: str) -> Reply:
    try:
        spoken = await relay_mode.speak(chat.person, room_id, _words(chat, said), chat.now, chat.source)
    except ConsentNeeded:
        return _ask_consent(chat, room=room_id, said=said)
    chat.go()
    return _passed(spoken)


@router.on(pattern(_PRIVATE.pattern))
async def talk(chat: Chat) -> Reply:
    """“私聊 我家的事不想在群里说”: to the grid worker alone."""
    found = _PRIVATE.fullmatch(chat.text)
    if chat.person.post is None and chat.person.home is None:
        return await ask_grid(chat, None, "先选您住的网格，再跟网格员说。")
    given = _words(chat, found[1].strip() if found else "")
    spoken = await relay_mode.talk_in_private(chat.person, given, chat.now, chat.source)
    chat.go()
    home = chat.person.home
    who = home.worker.label if home and home.worker else "网格员"
    return Reply("\n".join([f"已单独发给{who}，邻居看不到。有回话就发给您。", *_lines(spoken.waiting)]))


@router.on(words("私聊", "私信", "单独说"))
async def how_to_talk(_chat: Chat) -> Reply:
    """Without words."""
    return Reply("要单独跟网格员说，回复“私聊”加您的话，比如“私聊 我家老人要人照看”。")


@router.on(words("撤回", "撤回刚才的话", "撤回消息", "撤回刚才那条"))
async def take_back(chat: Chat) -> Reply:
    """What they said last, within two minutes."""
    await relay_mode.recall_newest(chat.person, chat.now, chat.source)
    chat.go()
    return Reply("已撤回，群里看不到了。")


def _words(chat: Chat, text: str, reply_to: int | None = None) -> Words:
    """What was typed, under the name of the message it came with: handled again, it is said once."""
    mentions = list(dict.fromkeys(_MENTIONED.findall(text)))
    data = {"mentions": mentions} if mentions else {}
    return Words(MessageKind.TEXT, text, f"inbox:{chat.turn.inbox_id}", reply_to, data)


def _receipt(entry: Entry, shown: str) -> str:
    if entry.state is MessageState.REFUSED:
        return f"没有发到群里：{entry.why}。\n改一改可以再发；要跟网格员说，回复“私聊 您的话”。"
    if entry.state is not MessageState.SHOWN:
        return "收到，要先看一下，看过就显示在群里。"
    return shown


def _passed(spoken: Spoken) -> Reply:
    """What became of it, and what was said to them meanwhile: the answer costs no message of the quota."""
    shown = _receipt(spoken.entry, "已发到群里。")
    if not spoken.waiting:
        return Reply(shown)
    return Reply("\n".join([shown, "刚才有人找您：", *_lines(spoken.waiting), "要回就回复“回复 编号 您的话”。"]))


async def pass_on(chat: Chat) -> Reply | None:
    """In relay mode, words and places go into the room; None for whoever is not in it, or is muted there, and for a
    bare number, which answers a question that nobody asks any more."""
    room_id = None if chat.text.isdigit() else await relay_mode.relayed_room(chat.person)
    if room_id is None:
        return None
    try:
        spoken = await relay_mode.speak(chat.person, room_id, await _given(chat), chat.now, chat.source)
    except NotAllowed:
        return None  # muted, or consent taken back: the desk takes it
    chat.go()
    if spoken.entry.state is MessageState.REFUSED and chat.seen.intent == "report":
        offered = await offer(chat, chat.seen)
        return Reply(f"这句话没有发到群里：{spoken.entry.why}。\n{offered.text}", offered.choices)
    passed = _passed(spoken)
    shown = spoken.entry.state is MessageState.SHOWN
    if shown and not spoken.auto_case and chat.text and chat.seen.intent == "report" and chat.seen.category:
        return _offer_case(chat, spoken.entry, passed)
    return passed


def _offer_case(chat: Chat, entry: Entry, passed: Reply) -> Reply:
    """What reads like a report may become a case at once, by its sender's word."""
    home = chat.person.home
    who = home.worker.label if home and home.worker else "网格员"
    chat.go("room.report", message=entry.id)
    return chat.ask(f"{passed.text}\n要同时交给{who}处理吗？不用的话接着说就行。", numbered("交给网格员"))


@router.on(state("room.report"), either(tapped(1), words("交给网格员", "要", "好", "好的", "是", "是的", "可以", "行")))
async def hand_in(chat: Chat) -> Reply:
    """The message just said becomes a case."""
    handed_in = await relay_cases.hand_in(chat.person, chat.data["message"], chat.now, chat.source)
    chat.go()
    return Reply(f"{handed_in.text}\n随时回复“查 {serial(handed_in.number)}”看进度。")


async def _given(chat: Chat) -> Words:
    message = chat.message
    if message.kind is not Kind.LOCATION:
        return _words(chat, chat.text)
    if not await consents.holds(chat.person.resident_id, Purpose.LOCATION):
        return _words(chat, f"位置：{message.label[:100] or '在这附近'}")
    where = {"latitude": message.latitude, "longitude": message.longitude, "place": message.label[:100]}
    return Words(MessageKind.LOCATION, "", f"inbox:{chat.turn.inbox_id}", None, where)


async def pass_on_media(chat: Chat) -> Reply | None:
    """In relay mode, photos, voice and places go into the room; None for whoever is not in it."""
    if chat.message.kind is Kind.LOCATION or (chat.message.kind is Kind.VOICE and chat.text):
        return await pass_on(chat)
    room_id = await relay_mode.relayed_room(chat.person)
    if room_id is None:
        return None
    kind = _PASSED_ON.get(chat.message.kind)
    if kind is None:
        return Reply("视频发不到群里。请发照片，或说一句是什么事。")
    name = f"inbox:{chat.turn.inbox_id}"
    await relay_mode.leave_media(chat.person, room_id, chat.message.media_id, kind, chat.now, name)
    return Reply("收到照片，马上发到群里。" if kind is MessageKind.IMAGE else "收到语音，马上发到群里。")
