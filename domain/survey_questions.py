"""What a survey asks, as data, and what counts as an answer to it.

A question: `key`, `text`, `type` (choice, choices, stars, yes_no, text), `choices` (of choice and choices), `required`.
An answer: the number of the choice from 1, a list of such numbers, 1 to 5 stars, true or false, a text; None = passed
over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from errors import BadRequest

MOST_QUESTIONS, MOST_CHOICES, STARS = 20, 9, 5
_LONGEST_QUESTION, _LONGEST_CHOICE, _LONGEST_ANSWER = 100, 30, 500
_TYPES = ("choice", "choices", "stars", "yes_no", "text")
_FIELDS = {"key", "text", "type", "choices", "required"}
_KEY = re.compile(r"[a-z][a-z0-9_]{0,15}")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９①②③④⑤⑥⑦⑧⑨一二三四五六七八九", "0123456789" + "123456789" * 2)
_ONE = re.compile(r"(?:选|第)?\s*(\d)\s*(?:[.、。号题项个颗星分]+)?")
_MANY = re.compile(r"[\d\s,，、.;；和]+")
_YES = {"1", "是", "是的", "对", "同意", "有", "好", "好的", "行", "可以", "愿意"}
_NO = {"2", "不是", "不", "否", "不同意", "没有", "没", "不行", "不可以", "不愿意"}
_TRIM = " \t\r\n。，,.!！~～"

Question = Mapping[str, Any]
Answer = Any


def check_questions(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The questions with every field filled in. Raises BadRequest with what is wrong, and in which."""
    if not 1 <= len(given) <= MOST_QUESTIONS:
        raise BadRequest("number of questions", say=f"请写 1 到 {MOST_QUESTIONS} 道题。")
    found = [_checked(one, place) for place, one in enumerate(given, 1)]
    keys = [one["key"] for one in found]
    if len(set(keys)) < len(keys):
        raise BadRequest("keys are not different", say="每道题的代号要不一样。")
    return found


def _checked(given: Mapping[str, Any], place: int) -> dict[str, Any]:
    def wrong(say: str) -> BadRequest:
        return BadRequest(f"question {place}", say=f"第 {place} 题{say}", fields=[{"field": "questions", "say": say}])

    key, text, type_ = given.get("key") or f"q{place}", str(given.get("text") or "").strip(), given.get("type")
    if set(given) - _FIELDS or not isinstance(key, str) or not _KEY.fullmatch(key):
        raise wrong("有看不懂的内容，请检查。")
    if not 1 <= len(text) <= _LONGEST_QUESTION:
        raise wrong(f"的问题要写 1 到 {_LONGEST_QUESTION} 个字。")
    if type_ not in _TYPES:
        raise wrong("的类型要是单选、多选、打星、是或不是、填写之一。")
    choices = [str(one).strip() for one in given.get("choices") or ()]
    if type_ in ("choice", "choices"):
        if not 2 <= len(choices) <= MOST_CHOICES or len(set(choices)) < len(choices):
            raise wrong(f"要有 2 到 {MOST_CHOICES} 个不一样的选项。")
        if any(not 1 <= len(one) <= _LONGEST_CHOICE for one in choices):
            raise wrong(f"的选项要写 1 到 {_LONGEST_CHOICE} 个字。")
    elif choices:
        raise wrong("不用写选项。")
    return {"key": key, "text": text, "type": type_, "choices": choices, "required": given.get("required") is not False}


def labels(question: Question) -> list[str]:
    """What one can choose, in the order of the numbers; [] where one writes."""
    if question["type"] == "yes_no":
        return ["是", "不是"]
    if question["type"] == "stars":
        return [f"{stars} 星" for stars in range(1, STARS + 1)]
    return list(question["choices"])


def say_answer(question: Question, answer: Answer) -> str:
    """An answer in words; "" for one that was passed over."""
    if answer is None:
        return ""
    if question["type"] == "text":
        return str(answer)
    return "、".join(labels(question)[number - 1] for number in numbers(question, answer))


def numbers(question: Question, answer: Answer) -> list[int]:
    """The chosen labels' numbers, from 1."""
    if answer is None or question["type"] == "text":
        return []
    if question["type"] == "choices":
        return list(answer)
    if question["type"] == "yes_no":
        return [1 if answer else 2]
    return [answer]


def check_answers(questions: Sequence[Question], given: Mapping[str, Answer]) -> dict[str, Answer]:
    """Whole answers, those passed over left out. Raises BadRequest with the first that does not do."""
    if set(given) - {question["key"] for question in questions}:
        raise BadRequest("unknown question", say="有一题对不上，请重新打开再答。")
    found = {}
    for place, question in enumerate(questions, 1):
        answer = given.get(question["key"])
        if isinstance(answer, str):
            answer = answer.strip()
        if answer in (None, "", []):
            if question["required"]:
                raise BadRequest(f"question {place} is required", say=f"第 {place} 题还没有答。")
        elif not _fits(question, answer):
            raise BadRequest(f"answer {place}", say=f"第 {place} 题的回答不对：{how(question)}")
        else:
            found[question["key"]] = sorted(answer) if question["type"] == "choices" else answer
    return found


def _fits(question: Question, answer: Answer) -> bool:
    type_ = question["type"]
    if type_ == "text":
        return isinstance(answer, str) and len(answer) <= _LONGEST_ANSWER
    if type_ == "yes_no":
        return isinstance(answer, bool)
    chosen = answer if type_ == "choices" else [answer]
    if not isinstance(chosen, list) or any(isinstance(one, bool) or not isinstance(one, int) for one in chosen):
        return False
    return len(set(chosen)) == len(chosen) and all(1 <= one <= len(labels(question)) for one in chosen)


def how(question: Question) -> str:
    """How it is answered, for people: one sentence."""
    count = len(labels(question))
    return {
        "choice": f"请选 1 到 {count} 中的一个。",
        "choices": f"可以选几个，比如“1 {min(3, count)}”。",
        "stars": "请给 1 到 5，5 颗星最好。",
        "yes_no": "请选 1 是，2 不是。",
        "text": f"请直接写，最多 {_LONGEST_ANSWER} 个字。",
    }[question["type"]]


def read_answer(question: Question, words: str) -> Answer:
    """What somebody typed, as an answer. Raises BadRequest with how it is answered."""
    said = words.strip(_TRIM)
    answer = _read(question, said)
    if answer is None or not _fits(question, answer):
        raise BadRequest("unreadable answer", say=f"没看明白。{how(question)}")
    return sorted(answer) if question["type"] == "choices" else answer


def _read(question: Question, said: str) -> Answer:
    type_, plain = question["type"], said.translate(_FULL_WIDTH)
    if type_ == "text":
        return said or None
    if type_ == "yes_no":
        return True if plain in _YES or said in _YES else False if plain in _NO or said in _NO else None
    if type_ == "choices":
        if _MANY.fullmatch(plain):
            return [int(one) for one in dict.fromkeys(re.findall(r"\d", plain))]
        return [labels(question).index(said) + 1] if said in labels(question) else None
    if said in labels(question):
        return labels(question).index(said) + 1
    match = _ONE.fullmatch(plain)
    return int(match[1]) if match else None
