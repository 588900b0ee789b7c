"""服务导航: “怎么办居住证” to the guide at once, “附近修水管” to who comes, or class by class; three taps at most."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.messages import Reply
from bot.router import Router
from domain import booking_plans, service_help, services
from domain.applications import offered_form
from domain.notices import excerpt
from domain.services import Found, Hit, ServiceItem
from handlers import bookings, form_filling, providers
from handlers.chat import Chat, Filter, click, either, has_text, numbered, pattern, state, tapped, words
from handlers.report import receipt_text

router: Router[Chat] = Router("services")

_NEARBY = "附近的家政维修"
_NONE_OF_THEM = "都不是，问网格员"
_PAGE, _HITS = 6, 4
#: Said in front of what one looks for, where the same words without it would be a fault somebody reports.
_LOOKING = re.compile(r"(?:请问|我?想|帮我?|要)?(?:附近|哪里|哪儿|哪有|哪家|找个?|请个?|有没有|有谁|谁能|谁会)")
_WORDS = re.compile(r"[A-Za-z\u4e00-\u9fff]")
_ITEM_CHOICES = ("材料清单", "步骤", "地点", "问网格员")
#: What people ask in front of a guide, by the number of the part that answers it.
_ASKED = {
    1: (r"(?:都|还)?(?:要|需要|用)(?:带|准备|交|拿)?(?:什么|哪些|啥)(?:材料|东西|证件|资料)?[啊呢吗？?]*",),
    2: (r"(?:具体)?(?:怎么|如何)(?:办|弄|申请)(?:理|的)?[啊呢？?]*", r"(?:办理)?流程.{0,4}"),
    3: (
        r"(?:在|去|到)?(?:哪里?儿?|什么地方)(?:办|去|交|申请)?理?[啊呢？?]*",
        r"地址.{0,4}|(?:电话|号码)(?:是)?(?:多少|几号)?[啊呢？?]*",
        r"几点(?:上班|下班|开门|关门).{0,2}|什么(?:时候|时间)(?:去|办|上班|开门)?[啊呢？?]*|周[末六日天].{0,6}[吗？?]",
    ),
    4: (),
}
_COSTS = (
    r"(?:要|得)?(?:多少钱|收费吗?|花钱吗?|要钱吗?|费用.{0,4}|免费吗|多久.{0,4}|几天.{0,4}|多长时间.{0,4})[啊呢？?]*"
)
_MAY_I = r".{0,8}(?:能不能|可不可以|可以|能)(?:办|申请|领)(?:理|取)?(?:吗|不|么)?[啊呢？?]*"
_NOT_THIS = ("都不是", "不是这个", "不是", "不对", "不是问这个", "答非所问", "没有我要的")
_ELIGIBLE, _BOOK, _APPLY = "我能不能办", "预约", "网上申请"


def _one_of(name: str) -> Filter:
    """A tap on one of what was listed, not on what stands behind it."""
    return lambda chat: chat.tap is not None and 0 < chat.tap <= len(chat.data.get(name, []))


def _behind(name: str, steps: int = 1) -> Filter:
    """A tap on what stands that many lines behind what was listed."""
    return lambda chat: chat.tap == len(chat.data.get(name, [])) + steps


@router.on(either(click("services"), words("服务导航", "办事", "办事指南", "服务", "便民服务", "我要办事", "办事大厅")))
async def menu(chat: Chat) -> Reply:
    """The classes."""
    found = await services.classes()
    chat.go("services.class", classes=[one.code for one in found])
    names = [f"{one.name}服务" for one in found]
    return chat.ask("想办哪一类？\n也可以直接说，比如“怎么办居住证”。", numbered(*names, _NEARBY), named=True)


@router.on(state("services.class"), _one_of("classes"))
async def class_chosen(chat: Chat) -> Reply:
    """Its items, what is asked most first."""
    return await _page(chat, chat.data["classes"][(chat.tap or 1) - 1], 0)


@router.on(state("services.class"), _behind("classes"))
async def nearby(chat: Chat) -> Reply:
    """Who comes to the house."""
    return await providers.kinds(chat)


async def _page(chat: Chat, class_code: str, start: int) -> Reply:
    listed = await services.list_items(chat.person, class_code, limit=200)
    page = listed[start : start + _PAGE]
    if not page:
        chat.go()
        return Reply("这一类现在还没有内容。\n想办什么直接说，网格员会答复您。")
    more = start + _PAGE < len(listed)
    chat.go("services.list", items=[item.code for item in page], cls=class_code, start=start + _PAGE if more else 0)
    labels = [*(item.title for item in page), *(["看更多"] if len(listed) > _PAGE else [])]
    return chat.ask(f"{page[0].service_class.name}服务，想办哪一件？", numbered(*labels), named=True)


@router.on(state("services.list"), _one_of("items"))
async def item_chosen(chat: Chat) -> Reply:
    """Its guide."""
    return await open_guide(chat, chat.data["items"][(chat.tap or 1) - 1])


@router.on(state("services.list"), either(_behind("items"), words("更多", "下一页", "看更多")))
async def more(chat: Chat) -> Reply:
    """The next of the class; after the last the first again."""
    return await _page(chat, chat.data["cls"], chat.data["start"])


async def open_guide(chat: Chat, code: str) -> Reply:
    """The guide of one item."""
    return await _show(chat, await services.find_item(chat.person, code), "")


async def _show(chat: Chat, item: ServiceItem, text: str) -> Reply:
    """The guide, or one part of it, with the other parts by number, and what else this item offers behind them."""
    extras = [_ELIGIBLE] if item.questions else []
    if await booking_plans.plans_of_item(chat.person, item.code):
        extras.append(_BOOK)
    if await offered_form(item):
        extras.append(_APPLY)
    said = chat.data.get("said", "") if chat.state in ("services.item", "services.found") else ""
    chat.go("services.item", item=item.code, extras=extras, said=said)
    return chat.ask(text or guide(item), numbered(*_ITEM_CHOICES, *extras))


def _extra(label: str, *more: str, says: str = "(?!)") -> Sequence[Filter]:
    """What not every item offers: its number in this guide, its label or other words for it."""
    asks = pattern(says)

    def agrees(chat: Chat) -> bool:
        extras = chat.data.get("extras", [])
        tapped_it = label in extras and chat.tap == len(_ITEM_CHOICES) + extras.index(label) + 1
        return tapped_it or (label in extras and asks(chat))

    return state("services.item"), either(agrees, words(label, *more))


def guide(item: ServiceItem) -> str:
    """What to bring, where to go, what it costs: six short lines at most."""
    brought = "、".join(one["name"] for one in item.materials)
    where = "，".join(part for part in (item.place, item.hours) if part)
    facts = (("要带", brought), ("地点", where), ("电话", item.phone))
    lines = [f"{head}：{text}" for head, text in facts if text]
    return "\n".join(part for part in (item.title, item.summary, *lines, _costs(item)) if part)


def _costs(item: ServiceItem) -> str:
    said = "；".join(part for part in dict.fromkeys((item.fee, item.duration)) if part)
    return f"费用和时间：{said}" if said else ""


def _in_item(number: int) -> Sequence[Filter]:
    said = words(_ITEM_CHOICES[number - 1], _ITEM_CHOICES[number - 1][:2])
    return state("services.item"), either(tapped(number), said, *map(pattern, _ASKED[number]))


async def _item(chat: Chat) -> ServiceItem:
    return await services.find_item(chat.person, chat.data["item"])


@router.on(state("services.item"), pattern(_COSTS))
async def costs(chat: Chat) -> Reply:
    """“要多少钱”, “多久”: the guide says it."""
    item = await _item(chat)
    return await _show(chat, item, f"{item.title}\n{_costs(item) or '要多少钱、多久，请打电话或到窗口问一下。'}")


@router.on(*_in_item(1))
async def materials(chat: Chat) -> Reply:
    """The checklist, to be ticked."""
    item = await _item(chat)
    if not item.materials:
        return await _show(chat, item, f"{item.title}不用带材料。")
    return _checklist(chat, item, await service_help.ticked(chat.person, item))


def _checklist(chat: Chat, item: ServiceItem, at_hand: set[str]) -> Reply:
    names = [one["name"] for one in item.materials]
    chat.go("services.materials", item=item.code, names=names)
    lacking = len(set(names) - at_hand)
    head = f"{item.title}：还差 {lacking} 样，备好一样点一样。" if lacking else f"{item.title}：都备齐了，可以去办。"
    lines = [f"{'☑' if one['name'] in at_hand else '☐'} {service_help.say_material(one)}" for one in item.materials]
    return chat.ask("\n".join([head, *lines]), numbered(*names, "发给家人", "回到办事指南"))


@router.on(state("services.materials"), _one_of("names"))
async def tick(chat: Chat) -> Reply:
    """At hand, or after all not."""
    at_hand = await service_help.ticked(chat.person, await _item(chat))
    at_hand ^= {chat.data["names"][(chat.tap or 1) - 1]}
    item = await service_help.tick(chat.person, chat.data["item"], at_hand, chat.now, chat.source)
    return _checklist(chat, item, at_hand)


@router.on(state("services.materials"), _behind("names"))
async def share(chat: Chat) -> Reply:
    """The list as a text of its own: a long press sends it on."""
    item = await _item(chat)
    chat.go("services.item", item=item.code)
    return Reply(service_help.share_text(item, await service_help.ticked(chat.person, item)))


@router.on(state("services.materials"), _behind("names", 2))
async def back(chat: Chat) -> Reply:
    """The guide again."""
    return await open_guide(chat, chat.data["item"])


@router.on(state("services.item"), lambda chat: bool(chat.data.get("said")), words(*_NOT_THIS))
async def not_this(chat: Chat) -> Reply:
    """What was surely meant was not."""
    return await ask_worker(chat, chat.data["said"])


@router.on(*_in_item(2))
async def steps(chat: Chat) -> Reply:
    """What to do, in order."""
    item = await _item(chat)
    lines = [f"{place}. {step}" for place, step in enumerate(item.steps, 1)] or ["直接去窗口办就行。"]
    return await _show(
        chat, item, "\n".join([f"{item.title}，这样办：", *lines, *([f"网上办：{item.link}"] if item.link else [])])
    )


@router.on(*_in_item(3))
async def place(chat: Chat) -> Reply:
    """Where and when."""
    item = await _item(chat)
    map_point = f"https://uri.amap.com/marker?position={item.longitude},{item.latitude}" if item.latitude else ""
    facts = (("地点", item.place), ("时间", item.hours), ("电话", item.phone), ("地图", map_point))
    lines = [f"{head}：{text}" for head, text in facts if text]
    return await _show(chat, item, "\n".join([item.title, *lines, "去之前最好先打电话问一下，以窗口答复为准。"]))


@router.on(*_in_item(4))
async def ask_about(chat: Chat) -> Reply:
    """What the guide does not say."""
    item = await _item(chat)
    chat.go("services.ask", item=item.code)
    return Reply(f"关于{item.title}，您想问什么？直接说，我转给网格员。\n不问了回复“取消”。")


@router.on(state("services.ask"), has_text)
async def asked_about(chat: Chat) -> Reply:
    """It goes to the grid worker with what it is about."""
    item = await _item(chat)
    return await ask_worker(chat, chat.text, item)


@router.on(*_extra(_BOOK, "我要预约"))
async def book(chat: Chat) -> Reply:
    """The days on which there are seats."""
    return await bookings.plans_of(chat, await _item(chat))


@router.on(*_extra(_APPLY, "申请", "我要申请", "网上办理"))
async def apply(chat: Chat) -> Reply:
    """The first question of its form."""
    return await form_filling.start(chat, (await _item(chat)).code)


@router.on(*_extra(_ELIGIBLE, "能不能办", "我能办吗", says=_MAY_I))
async def eligible(chat: Chat) -> Reply:
    """The first question."""
    return await _ask_next(chat, await _item(chat), [])


async def _ask_next(chat: Chat, item: ServiceItem, answers: list[int]) -> Reply:
    judged = service_help.judge(item, answers)
    if judged.question:
        labels = [one["text"] for one in judged.question["answers"]]
        chat.go("services.eligible", item=item.code, answers=answers, labels=labels)
        return chat.ask(judged.question["text"], numbered(*labels))
    said = {
        "yes": f"看起来您可以办{item.title}。",
        "no": f"看起来现在还不能办{item.title}。",
        "ask": f"{item.title}要看具体情况，请问一下窗口或网格员。",
    }[judged.verdict]
    return await _show(chat, item, "\n".join(part for part in (said, judged.say, "以窗口答复为准。") if part))


@router.on(state("services.eligible"), _one_of("labels"))
async def eligible_next(chat: Chat) -> Reply:
    """An answer leads to the next question or the verdict."""
    return await _ask_next(chat, await _item(chat), [*chat.data["answers"], chat.tap or 1])


async def answer(chat: Chat, said: str, *, sure: bool = False) -> Reply | None:
    """What the directory has for a question in words; None where it has nothing (`sure`: nothing surely meant)."""
    if not _WORDS.search(said):
        return None
    found = await services.search(chat.person, said, _HITS)
    if not found.hits or (sure and not found.clear):
        return None
    return await _found(chat, found, said)


async def answer_looking(chat: Chat) -> Reply | None:
    """“附近修水管”: who looks for somebody reports no fault. None for everything else."""
    if not _LOOKING.match(chat.text):
        return None
    found = await services.search(chat.person, _LOOKING.sub("", chat.text, count=1), _HITS)
    return await _hit(chat, found.hits[0]) if found.hits and found.hits[0].kind else None


async def _found(chat: Chat, found: Found, said: str) -> Reply:
    if found.clear and not found.meant:
        reply = await _hit(chat, found.hits[0])
        chat.data["said"] = said
        return reply
    chat.go("services.found", hits=[[hit.item.code if hit.item else "", hit.kind] for hit in found.hits], said=said)
    head = "您是不是要找：" if found.meant else f"“{excerpt(said, 20)}”，您要找的是："
    labels = [hit.name if hit.item else f"{hit.name}（附近）" for hit in found.hits]
    return chat.ask(head, numbered(*labels, _NONE_OF_THEM))


async def _hit(chat: Chat, hit: Hit) -> Reply:
    return await _show(chat, hit.item, "") if hit.item else await providers.of_kind(chat, hit.kind)


@router.on(state("services.found"), _one_of("hits"))
async def hit_chosen(chat: Chat) -> Reply:
    """The guide, or who comes."""
    code, kind = chat.data["hits"][(chat.tap or 1) - 1]
    return await open_guide(chat, code) if code else await providers.of_kind(chat, kind)


@router.on(state("services.found"), either(_behind("hits"), words("都不是", "没有", "不是")))
async def none_of_them(chat: Chat) -> Reply:
    """The grid worker answers."""
    return await ask_worker(chat, chat.data["said"])


async def ask_worker(chat: Chat, said: str, about: ServiceItem | None = None) -> Reply:
    """The question goes to the grid worker; the answer comes back as any result does."""
    receipt = await service_help.ask(chat.person, said, chat.now, message_id=chat.turn.inbox_id, about=about)
    chat.go()
    return Reply(receipt_text(chat, receipt))
