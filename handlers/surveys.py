"""问卷和投票: found by a word, answered question by question, taken up again; for staff: looked at and let out."""

from __future__ import annotations

from bot.messages import Reply
from bot.router import Router
from domain import survey_answers, survey_people, survey_results, surveys
from domain.clock import say_date
from domain.notices import TAP_LABELS, Tap, excerpt, tap_id
from domain.survey_notices import name
from domain.survey_questions import Answer, Question, how, labels, read_answer
from domain.surveys import Listed, Survey
from errors import BadRequest, NotAllowed
from handlers.chat import Chat, either, has_text, is_staff, numbered, pattern, state, tapped, words
from handlers.taps import case_tap, tapped_case

router: Router[Chat] = Router("surveys")

_MOST, _SHORT = 6, 8
_WANTED = r"(?:我?[要想]|参加|去|在哪儿?|怎么)?(?:投票|投个票|问卷|填问卷|做问卷|答问卷)[。！!]?"


@router.on(either(words("我的投票", "议事", "议事投票", "小区投票", "调查问卷"), pattern(_WANTED)))
async def list_open(chat: Chat) -> Reply:
    """What there is to answer now."""
    found = [one for one in await surveys.list_surveys(chat.person, chat.now, state="open") if await _asks(one, chat)]
    if not found:
        chat.go()
        return Reply("现在没有要投票或填写的。\n看以前的结果回复“投票结果”。")
    if len(found) == 1:
        return await _begin(chat, found[0].survey)
    chat.go("surveys.list", ids=[one.survey.id for one in found[:_MOST]])
    said = [f"{excerpt(one.survey.title, 20)}{'（已答）' if one.answered else ''}" for one in found[:_MOST]]
    return chat.ask("现在可以参加：", numbered(*said), named=True)


async def _asks(one: Listed, chat: Chat) -> bool:
    return surveys.is_open(one.survey, chat.now) and await survey_people.concerns(chat.person, one.survey, chat.now)


@router.on(state("surveys.list"), lambda chat: bool(chat.tap and chat.tap <= len(chat.data["ids"])))
async def chosen(chat: Chat) -> Reply:
    """One of the list."""
    ident = chat.data["ids"][(chat.tap or 1) - 1]
    return await _begin(chat, await surveys.find_survey(chat.person, ident, chat.now))


def _number(chat: Chat) -> int:
    return int("".join(filter(str.isdecimal, chat.text))[:9])


@router.on(pattern(r"(?:投票|问卷|参加投票|填问卷)\s*[#＃第]?\s*\d{1,9}\s*号?"))
async def named(chat: Chat) -> Reply:
    """“投票 12”, as the announcement says."""
    return await _begin(chat, await surveys.find_survey(chat.person, _number(chat), chat.now))


async def _begin(chat: Chat, survey: Survey) -> Reply:
    """What it is about and the first question, or the one where they stopped."""
    if why := await survey_answers.may_answer(chat.person, survey, chat.now):
        chat.go()
        shown = not surveys.is_open(survey, chat.now) or survey.results == "all"
        return Reply(f"{why}\n看结果回复“{name(survey)}结果 {survey.id}”。" if shown else why)
    given = await survey_answers.draft(chat.person, survey.id)
    intro = []
    if not given:
        hidden = "不记名" if survey.anonymous else "记名"
        again = await survey_answers.my_answers(chat.person, survey.id) is not None
        intro = [
            f"“{survey.title}”，{len(survey.questions)} 题，{hidden}，{say_date(survey.closes_at, chat.now)}截止。"
        ]
        intro += [excerpt(survey.words, 120)] if survey.words else []
        intro += ["您答过了，再答一遍就按新的算。"] if again else []
    return _ask(chat, survey, given, "\n".join(intro))


def _next(survey: Survey, given: dict[str, Answer]) -> int:
    """The place of the first question that is not answered yet; after the last, their number."""
    open_ones = [place for place, question in enumerate(survey.questions) if question["key"] not in given]
    return open_ones[0] if open_ones else len(survey.questions)


def _ask(chat: Chat, survey: Survey, given: dict[str, Answer], before: str = "") -> Reply:
    place, count = _next(survey, given), len(survey.questions)
    if place == count:
        return _ask_to_hand_in(chat, survey, before)
    question = survey.questions[place]
    chat.go("surveys.question", id=survey.id, question=question, place=place, hidden=survey.anonymous)
    lines = [before] if before else []
    lines.append(f"{place + 1}/{count} {question['text']}")
    if question["type"] in ("choice", "yes_no"):
        return chat.ask("\n".join(lines), numbered(*labels(question)))
    if question["type"] == "choices":
        lines.append("　".join(f"{number} {label}" for number, label in enumerate(labels(question), 1)))
    lines.append(how(question) + ("" if question["required"] else "不想答回复“跳过”。"))
    return Reply("\n".join(lines))


def _ask_to_hand_in(chat: Chat, survey: Survey, before: str) -> Reply:
    chat.go("surveys.done", id=survey.id)
    note = "不记名，交了就不能改。" if survey.anonymous else "截止前都可以改。"
    return chat.ask("\n".join([*([before] if before else []), f"答完了。{note}"]), numbered("提交", "重新答"))


def _question(chat: Chat) -> Question:
    found: Question = chat.data["question"]
    return found


def _answer(chat: Chat) -> Answer:
    """What was tapped or typed, as an answer to the question that stands open; None for what is none."""
    by_number = chat.tap is not None and _question(chat)["type"] in ("choice", "yes_no")
    typed = str(chat.tap) if by_number else chat.text
    try:
        return read_answer(_question(chat), typed)
    except BadRequest:
        return None


def _readable(chat: Chat) -> bool:
    return _answer(chat) is not None and not (_question(chat)["type"] == "text" and chat.seen.emergency)


@router.on(state("surveys.question"), words("上一题", "返回", "上一步"))
async def back(chat: Chat) -> Reply:
    """The question before, once more."""
    survey = await _still_open(chat)
    given = await survey_answers.draft(chat.person, survey.id)
    keys = [question["key"] for question in survey.questions][max(0, chat.data["place"] - 1) :]
    given = {key: value for key, value in given.items() if key not in keys}
    await survey_answers.save_draft(chat.person, survey.id, given, chat.now)
    return _ask(chat, survey, given)


@router.on(state("surveys.question"), words("跳过", "不答", "下一题", "没有", "不填"), lambda chat: not _must(chat))
async def passed_over(chat: Chat) -> Reply:
    """Not every question must be answered."""
    return await _keep(chat, None)


def _must(chat: Chat) -> bool:
    return bool(_question(chat)["required"])


@router.on(state("surveys.question"), has_text, _readable)
async def answered(chat: Chat) -> Reply:
    """An answer, kept at once; what was typed into an anonymous one leaves the inbox."""
    return await _keep(chat, _answer(chat))


async def _keep(chat: Chat, answer: Answer) -> Reply:
    survey = await _still_open(chat)
    given = await survey_answers.draft(chat.person, survey.id) | {_question(chat)["key"]: answer}
    await survey_answers.save_draft(chat.person, survey.id, given, chat.now)
    if survey.anonymous:
        await survey_answers.forget_words(chat.turn.inbox_id)
    return _ask(chat, survey, given)


def _about_it(chat: Chat) -> bool:
    """Short, or with one of the choices in it: meant for the question, though it is no answer yet. Any longer sentence
    is about something else, and goes on as such."""
    named = any(len(label) > 1 and label in chat.text for label in (*_question(chat)["choices"], "同意"))
    return (len(chat.text) <= _SHORT or named) and not chat.seen.emergency


@router.on(state("surveys.question"), has_text, _about_it)
async def unreadable(chat: Chat) -> Reply:
    """Asked once more."""
    survey = await _still_open(chat)
    if survey.anonymous:
        await survey_answers.forget_words(chat.turn.inbox_id)
    given = await survey_answers.draft(chat.person, survey.id)
    must = "这一题要答。" if chat.text.strip() in ("跳过", "不答") else ""
    later = f"回复“取消”可以先放下，以后再回复“{name(survey)}”接着答。"
    return _ask(chat, survey, given, f"没看明白。{must}{later}")


async def _still_open(chat: Chat) -> Survey:
    return await surveys.find_survey(chat.person, chat.data["id"], chat.now)


@router.on(state("surveys.done"), either(tapped(1), words("提交", "交", "确定", "好", "好的")))
async def handed_in(chat: Chat) -> Reply:
    """It counts now."""
    ident = chat.data["id"]
    given = {key: value for key, value in (await survey_answers.draft(chat.person, ident)).items() if value is not None}
    survey = await survey_answers.answer(chat.person, ident, given, chat.now, chat.source)
    chat.go()
    when = "结果给社区参考" if survey.results == "staff" else f"{say_date(survey.closes_at, chat.now)}截止后告诉您结果"
    return Reply(f"收到，谢谢您。{when}。")


@router.on(state("surveys.done"), either(tapped(2), words("重新答", "重来", "重填")))
async def once_more(chat: Chat) -> Reply:
    """From the first question."""
    survey = await _still_open(chat)
    await survey_answers.save_draft(chat.person, survey.id, {}, chat.now)
    return _ask(chat, survey, {})


@router.on(words("投票结果", "问卷结果", "调查结果", "结果公布"))
async def results(chat: Chat) -> Reply:
    """What was counted last."""
    found = await surveys.list_surveys(chat.person, chat.now, state="closed", limit=_MOST)
    shown = [one.survey for one in found if one.survey.results != "staff" or chat.person.post]
    if len(shown) == 1:
        return await _result(chat, shown[0].id)
    if not shown:
        return Reply("最近没有结束的投票和问卷。\n看现在能投的回复“投票”。")
    chat.go("surveys.results", ids=[survey.id for survey in shown])
    return chat.ask("看哪一个的结果？", numbered(*(excerpt(survey.title, 20) for survey in shown)))


@router.on(state("surveys.results"), lambda chat: bool(chat.tap and chat.tap <= len(chat.data["ids"])))
async def result_chosen(chat: Chat) -> Reply:
    """Of one of them."""
    return await _result(chat, chat.data["ids"][(chat.tap or 1) - 1])


@router.on(pattern(r"(?:投票|问卷|调查)结果\s*\d{1,9}"))
async def result_named(chat: Chat) -> Reply:
    """“投票结果 12”."""
    return await _result(chat, _number(chat))


@router.on(case_tap(Tap.SURVEY_RESULTS))
async def result_tapped(chat: Chat) -> Reply:
    """From the notice that it is over."""
    return await _result(chat, tapped_case(chat))


async def _result(chat: Chat, ident: int) -> Reply:
    result = await survey_results.result_of(chat.person, ident, chat.now)
    said = survey_results.say_result(result, chat.now)
    if not any(one.bars for one in result.questions):
        chat.go()
        return Reply(said)
    chat.go("surveys.result", id=ident)
    return chat.ask(said, numbered("看图"))


@router.on(state("surveys.result"), either(tapped(1), words("图", "看图", "发图", "图片")))
async def picture(chat: Chat) -> Reply:
    """The same as bars."""
    await survey_results.send_chart(chat.person, chat.data["id"], chat.now)
    chat.go()
    return Reply("图马上发给您。")


@router.on(is_staff, pattern(r"(?:谁没投|没投票的|未投票)\s*\d{1,9}"))
async def waited_for(chat: Chat) -> Reply:
    """“谁没投 12”: for who goes from door to door."""
    homes = await survey_results.waited_for(chat.person, _number(chat), chat.now, 31)
    if not homes:
        return Reply("您这里每户都投了。")
    more = "还有更多。" if len(homes) > 30 else ""
    return Reply(f"还没投的人家：\n{'、'.join(homes[:30])}。{more}\n老人不会用微信的，可以在小程序里替他登记。")


@router.on(is_staff, words("待审问卷", "待审投票", "问卷待审", "投票待审"))
async def waiting(chat: Chat) -> Reply:
    """What a colleague has handed in."""
    found = await surveys.list_surveys(chat.person, chat.now, state="waiting", limit=_MOST)
    if not found:
        return Reply("没有等您看的问卷和投票。")
    lines = [f"{one.survey.id} {excerpt(one.survey.title, 20)}（{one.area_name}）" for one in found]
    return Reply("\n".join(["等人审的：", *lines, f"回复“看问卷 {found[0].survey.id}”看题目，再选同意不同意。"]))


@router.on(is_staff, pattern(r"看(?:问卷|投票)\s*\d{1,9}"))
async def look(chat: Chat) -> Reply:
    """“看问卷 12”: all that is asked, for who lets it out."""
    return await _look(chat, _number(chat))


@router.on(is_staff, case_tap(Tap.SURVEY_SHOW))
async def look_tapped(chat: Chat) -> Reply:
    """The same from the notice."""
    return await _look(chat, tapped_case(chat))


async def _look(chat: Chat, ident: int) -> Reply:
    survey = await surveys.find_survey(chat.person, ident, chat.now)
    if not await surveys.runs(chat.person, survey):
        raise NotAllowed("look", tag="survey:decide", object_id=ident)
    lines = [f"{name(survey)} {survey.id}“{survey.title}”", *([excerpt(survey.words, 200)] if survey.words else [])]
    for place, question in enumerate(survey.questions, 1):
        choices = f"（{'、'.join(question['choices'])}）" if question["choices"] else ""
        lines.append(f"{place}. {question['text']}{choices}")
    if not surveys.waits(survey):
        return Reply("\n".join(lines))
    chat.go("surveys.look", id=survey.id, version=survey.version)
    taps = (Tap.SURVEY_AGREE, Tap.SURVEY_REFUSE)
    return chat.ask("\n".join(lines), [(TAP_LABELS[tap], tap_id(survey.id, tap)) for tap in taps])


@router.on(is_staff, state("surveys.look"), case_tap(Tap.SURVEY_AGREE))
async def agree(chat: Chat) -> Reply:
    """What was just read goes out."""
    survey = await surveys.decide(
        chat.person, tapped_case(chat), _read_version(chat), True, chat.now, source=chat.source
    )
    chat.go()
    opens = "马上通知居民" if survey.opens_at <= chat.now else f"{say_date(survey.opens_at, chat.now)}通知居民"
    until = say_date(survey.closes_at, chat.now)
    return Reply(f"好的，“{survey.title}”{opens}，问 {survey.expected} 个，{until}截止。")


def _read_version(chat: Chat) -> int:
    """Which version they have read of what they tapped on; 0 = none."""
    return int(chat.data["version"]) if chat.data.get("id") == tapped_case(chat) else 0


@router.on(is_staff, state("surveys.look"), case_tap(Tap.SURVEY_REFUSE))
async def refuse(chat: Chat) -> Reply:
    """With a reason, which may stand behind the number already."""
    version = _read_version(chat)
    if chat.rest:
        return await _refused(chat, tapped_case(chat), version, chat.rest)
    chat.go("surveys.refuse", id=tapped_case(chat), version=version)
    return Reply("请说一句为什么，好让同事改。")


@router.on(is_staff, case_tap(Tap.SURVEY_AGREE, Tap.SURVEY_REFUSE))
async def read_first(chat: Chat) -> Reply:
    """Tapped on an old question: the questions once more, as they are now."""
    return await _look(chat, tapped_case(chat))


@router.on(is_staff, state("surveys.refuse"), has_text)
async def refused(chat: Chat) -> Reply:
    """The reason."""
    return await _refused(chat, chat.data["id"], chat.data["version"], chat.text)


async def _refused(chat: Chat, ident: int, version: int, why: str) -> Reply:
    survey = await surveys.decide(chat.person, ident, version, False, chat.now, why=why, source=chat.source)
    chat.go()
    return Reply(f"好的，“{survey.title}”没有发出去，原因已告诉同事。")
