"""Application forms as data: which fields an item asks for, what may stand in each, how answers are read and shown.

A field is `{"key", "label", "type", "required", "choices", "least", "most", "hint"}`. Bounds count characters of texts,
pictures of photos, chosen options; of a number they are its range. What people answer is checked here alone, whether it
comes as JSON or as words in the chat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from unicodedata import normalize
from uuid import UUID

from errors import BadRequest


class FieldType(StrEnum):
    """What a field takes."""

    TEXT = "text"  # 文字：一行
    LONG = "long"  # 长文
    NUMBER = "number"  # 数字
    DATE = "date"  # 日期
    PHONE = "phone"  # 电话
    ID_NUMBER = "id_number"  # 身份证号
    CHOICE = "choice"  # 单选
    CHOICES = "choices"  # 多选
    YES_NO = "yes_no"  # 是否
    PHOTO = "photo"  # 照片
    POSITION = "position"  # 位置


#: Characters of a text, options chosen and pictures sent where a form says nothing else.
_MOST = {FieldType.TEXT: 60, FieldType.LONG: 500, FieldType.PHOTO: 3, FieldType.CHOICES: 10}
MOST_PHOTOS = 9
_PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}")
_ID = re.compile(r"[1-8]\d{16}[\dX]")
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,4})?")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_YES = ("是", "有", "要", "对", "是的", "有的", "1", "y", "yes")
_NO = ("不是", "没有", "不要", "否", "不", "无", "2", "n", "no")
#: GB 11643-1999: weights of the first seventeen digits and the check character of each remainder of eleven.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form."""

    key: str
    label: str
    type: FieldType
    required: bool = True
    choices: Sequence[str] = ()
    least: int | None = None
    most: int | None = None
    hint: str = ""

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Field:
        """A field as the database has it."""
        return cls(**{**stored, "type": FieldType(stored["type"]), "choices": tuple(stored["choices"])})

    def stored(self) -> dict[str, Any]:
        """As the database has it."""
        return {
            "key": self.key,
            "label": self.label,
            "type": str(self.type),
            "required": self.required,
            "choices": list(self.choices),
            "least": self.least,
            "most": self.most,
            "hint": self.hint,
        }

    @property
    def limit(self) -> int:
        """The most characters, options or pictures it takes."""
        return self.most if self.most is not None else _MOST.get(self.type, 0)


class Unfit(Exception):
    """What somebody answered does not fit the field; the sentence says what is missing."""

    def __init__(self, say: str) -> None:
        super().__init__(say)
        self.say = say


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit(f"{field.label}请用文字写。")
    found = value.strip() if field.type is FieldType.LONG else " ".join(value.split())
    if len(found) > field.limit:
        raise Unfit(f"{field.label}有 {len(found)} 个字，最多 {field.limit} 个，请写短些。")
    if found and field.least and len(found) < field.least:
        raise Unfit(f"{field.label}至少写 {field.least} 个字，请再说清楚一点。")
    return found


def _number(field: Field, value: Any) -> int | float:
    said = normalize("NFKC", str(value)).strip()
    if isinstance(value, bool) or not _NUMBER.fullmatch(said):
        raise Unfit(f"{field.label}请写数字，比如 3。")
    found = float(said)
    if (field.least is not None and found < field.least) or (field.most is not None and found > field.most):
        bounds = [
            f"不小于 {field.least}" if field.least is not None else "",
            f"不大于 {field.most}" if field.most is not None else "",
        ]
        raise Unfit(f"{field.label}要{'、'.join(part for part in bounds if part)}，请再看一下。")
    return int(found) if found.is_integer() else found


def _date(field: Field, value: Any) -> str:
    said = normalize("NFKC", str(value)).replace(" ", "")
    parts = _DATE.fullmatch(said)
    digits = said if said.isascii() and said.isdigit() and len(said) == 8 else ""
    try:
        if parts:
            return date(int(parts[1]), int(parts[2]), int(parts[3])).isoformat()
        if digits:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except ValueError:
        raise Unfit(f"{field.label}：没有这一天，请再看一下。") from None
    raise Unfit(f"{field.label}请写成 1946-11-20 的样子。")


def read_phone(label: str, value: Any) -> str:
    """A telephone number as one dials it. Raises Unfit."""
    found = re.sub(r"[ \u2014]", "", normalize("NFKC", str(value))).removeprefix("+86")
    if not _PHONE.fullmatch(found):
        raise Unfit(f"{label}不对：手机号是 11 位，座机要带区号，比如 027-55501234。")
    return found


def _phone(field: Field, value: Any) -> str:
    return read_phone(field.label, value)


def _id_number(field: Field, value: Any) -> str:
    found = re.sub(r"\s", "", normalize("NFKC", str(value))).upper()
    if len(found) != 18:
        raise Unfit(f"{field.label}有 {len(found)} 位，应该是 18 位，请照着身份证再写一次。")
    if not _ID.fullmatch(found) or not _born(found) or found[17] != check_digit(found):
        raise Unfit(f"{field.label}好像有一位写错了，请照着身份证再写一次。")
    return found


def check_digit(number: str) -> str:
    """The last character that belongs to the first seventeen digits of an identity number (GB 11643)."""
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11]


def _born(number: str) -> bool:
    """Whether there is the day of birth an identity number names."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14])).year >= 1900
    except ValueError:
        return False


def _choice(field: Field, value: Any) -> str:
    if value not in field.choices:
        raise Unfit(f"{field.label}请从这几个里选：{'、'.join(field.choices)}。")
    return str(value)


def _choices(field: Field, value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or any(one not in field.choices for one in value):
        raise Unfit(f"{field.label}请从这几个里选：{'、'.join(field.choices)}。")
    found = [one for one in field.choices if one in value]
    if found and field.least and len(found) < field.least:
        raise Unfit(f"{field.label}至少选 {field.least} 个。")
    if len(found) > field.limit:
        raise Unfit(f"{field.label}最多选 {field.limit} 个。")
    return found


def _yes_no(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit(f"{field.label}请选“是”或“不是”。")
    return value


def _photo(field: Field, value: Any) -> list[str]:
    names = value if isinstance(value, (list, tuple)) else [value]
    try:
        found = list(dict.fromkeys(str(UUID(str(name))) for name in names))
    except ValueError:
        raise Unfit(f"{field.label}请重新选照片再传一次。") from None
    if len(found) > field.limit:
        raise Unfit(f"{field.label}最多 {field.limit} 张，请去掉几张。")
    if found and field.least and len(found) < field.least:
        raise Unfit(f"{field.label}要 {field.least} 张，还差 {field.least - len(found)} 张。")
    return found


def _position(field: Field, value: Any) -> dict[str, Any]:
    given = value if isinstance(value, Mapping) else {"text": value}
    text, latitude, longitude = given.get("text") or "", given.get("latitude"), given.get("longitude")
    if not isinstance(text, str) or len(text) > 100:
        raise Unfit(f"{field.label}最多 100 个字，请写短些。")
    if latitude is None and longitude is None:
        return {"text": text.strip()} if text.strip() else {}
    if not _within(latitude, 3, 54) or not _within(longitude, 73, 136):
        raise Unfit(f"{field.label}的位置不在国内，请重新选一个点。")
    return {"text": text.strip(), "latitude": latitude, "longitude": longitude}


def _within(value: Any, least: float, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most


_CHECKERS: Mapping[FieldType, Callable[[Field, Any], Any]] = {
    FieldType.TEXT: _text,
    FieldType.LONG: _text,
    FieldType.NUMBER: _number,
    FieldType.DATE: _date,
    FieldType.PHONE: _phone,
    FieldType.ID_NUMBER: _id_number,
    FieldType.CHOICE: _choice,
    FieldType.CHOICES: _choices,
    FieldType.YES_NO: _yes_no,
    FieldType.PHOTO: _photo,
    FieldType.POSITION: _position,
}
_EMPTY: tuple[Any, ...] = (None, "", [], (), {})


def check(field: Field, value: Any) -> Any:
    """The answer as it is kept; None for none where none is needed. Raises Unfit with what to do."""
    found = None if _is_empty(value) else _CHECKERS[field.type](field, value)
    if _is_empty(found):
        if field.required:
            raise Unfit(f"还缺{field.label}，请补上。")
        return None
    return found


def _is_empty(value: Any) -> bool:
    return not isinstance(value, bool) and value in _EMPTY


def validate(fields: Sequence[Field], answers: Mapping[str, Any]) -> dict[str, Any]:
    """All answers, checked. Raises BadRequest that names each field with its sentence."""
    faults: list[dict[str, str]] = []
    found: dict[str, Any] = {}
    for field in fields:
        try:
            value = check(field, answers.get(field.key))
        except Unfit as error:
            faults.append({"field": f"answers.{field.key}", "say": error.say})
        else:
            found |= {} if value is None else {field.key: value}
    unknown = sorted(set(answers) - {field.key for field in fields})
    faults += [{"field": "answers", "say": "有的内容表里没有，请刷新后重新填。"}] if unknown else []
    if faults:
        raise BadRequest(f"{len(faults)} answers do not fit", say=faults[0]["say"], fields=faults)
    return found


def read_words(field: Field, said: str) -> Any:
    """What somebody typed, as the value it stands for: “2”, “1 3”, “是”; not checked yet."""
    text = normalize("NFKC", said).strip().rstrip("。")
    match field.type:
        case FieldType.YES_NO:
            return True if text.lower() in _YES else False if text.lower() in _NO else text
        case FieldType.CHOICE:
            return _option(field, text) or text
        case FieldType.CHOICES:
            return [_option(field, part) or part for part in re.split(r"[\s,、;和]+", text) if part]
        case _:
            return said.strip()


def _option(field: Field, text: str) -> str:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(field.choices):
        return field.choices[int(text) - 1]
    return text if text in field.choices else ""


def say(field: Field, value: Any) -> str:
    """An answer as people read it."""
    match field.type:
        case _ if _is_empty(value):
            return "没填"
        case FieldType.YES_NO:
            return "是" if value else "不是"
        case FieldType.CHOICES:
            return "、".join(value)
        case FieldType.PHOTO:
            return f"{len(value)} 张照片"
        case FieldType.POSITION:
            return str(value.get("text") or "已定位")
        case _:
            return str(value)


_HOW = {
    FieldType.CHOICES: "可以选几个，比如回复“1 2”。",
    FieldType.POSITION: "写地址，或发个位置。",
    FieldType.DATE: "写成 1946-11-20 的样子。",
}


def question(field: Field, head: str) -> tuple[str, Sequence[str]]:
    """How a field is asked in the chat below `head`: the text, and what can be tapped under it."""
    skip = "" if field.required else "\n没有就回复“跳过”。"
    match field.type:
        case FieldType.CHOICE:
            return f"{head}{skip}", field.choices
        case FieldType.YES_NO:
            return f"{head}{skip}", ("是", "不是")
        case FieldType.PHOTO:
            return f"{head}\n请发照片，最多 {field.limit} 张。{skip}", ()
        case _:
            lines = [f"{place} {label}" for place, label in enumerate(field.choices, 1)]
            return "\n".join([head, *lines, _HOW.get(field.type, "请直接写。") + skip]), ()


def asked_at(fields: Sequence[Field], place: int, before: str = "") -> tuple[str, Sequence[str]]:
    """The question of the field at this place (from 0), with how far it is, below what is said `before`."""
    field = fields[place]
    head = (before, f"（{place + 1}/{len(fields)}）{field.label}", field.hint)
    return question(field, "\n".join(part for part in head if part))


def introduction(title: str, fields: Sequence[Field], time_limit: str) -> str:
    """What stands above the first question."""
    limit = f"交了以后 {time_limit}内办好。" if time_limit else ""
    return f"{title}，一共 {len(fields)} 项，{limit}\n您填的只有经办人看得到。"


def read_fields(stored: Sequence[Mapping[str, Any]]) -> list[Field]:
    """A form's fields, in order."""
    return [Field.read(one) for one in stored]


def photos_of(fields: Sequence[Field], answers: Mapping[str, Any]) -> dict[str, list[UUID]]:
    """The uploads each photo field names."""
    return {
        field.key: [UUID(one) for one in answers.get(field.key) or ()]
        for field in fields
        if field.type is FieldType.PHOTO
    }
