"""Values for the keywords of template messages and subscription notices.

A keyword is a type and a number ("thing2"); WeChat refuses the whole message (47003) when one value does not
suit its type. Running text is cut to size; a number, a time or a plate is right or wrong and is never cut.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

from bot.config import TemplateConfig
from bot.wire import printable
from errors import BadRequest

_KEYWORD = re.compile(r"([A-Za-z_]+?)_?(\d*)")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇]")
_DAY = r"(\d{4})(?:年|-|/|\.)(\d{1,2})(?:月|-|/|\.)(\d{1,2})日?"
_CLOCK = r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?"
_MOMENT = re.compile(rf"(?:{_DAY})?(?:[ T]*(?:{_CLOCK}))?")
_AMOUNT = re.compile(r"[¥￥$€£]?\d{1,10}(?:\.\d+)?元?")
_PHONE = re.compile(r"[\d+\-() #*]{1,17}")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


def keyword_type(keyword: str) -> str | None:
    """The type a keyword's letters name: thing of thing2; None for what is no keyword."""
    found = _KEYWORD.fullmatch(keyword)
    return found[1] if found else None


def fit(keyword: str, value: str) -> str:
    """The value as WeChat accepts it for this keyword.

    Raises BadRequest, naming keyword and limit, when the value cannot be made to fit.
    """
    type_ = keyword_type(keyword)
    text = " ".join(printable(value).split())
    if type_ is None:
        raise BadRequest(f"{keyword}: no keyword of a template")
    if not text:
        raise BadRequest(f"{keyword}: the value is empty")
    rule = _RULES.get(type_)
    return rule(keyword, text) if rule else text


def fill(template: TemplateConfig, values: Mapping[str, str]) -> dict[str, str]:
    """Our named values under the template's keywords, each made to fit. A value the template has no keyword
    for is left out; a keyword without a value is refused, as WeChat sends no message with an empty one.

    Raises BadRequest.
    """
    missing = [name for name in template.fields if name not in values]
    if missing:
        raise BadRequest(f"template {template.template_id}: no value for {', '.join(missing)}")
    return {keyword: fit(keyword, values[name]) for name, keyword in template.fields.items()}


def _cut(text: str, limit: int, mark: str = "…") -> str:
    return text if len(text) <= limit else text[: limit - len(mark)].rstrip() + mark


def _plain(text: str) -> str:
    """Full-width digits, letters and signs as half-width ones."""
    return unicodedata.normalize("NFKC", text)


def _thing(_: str, text: str) -> str:
    return _cut(text, 20)


def _phrase(keyword: str, text: str) -> str:
    han = "".join(letter for letter in text if not unicodedata.category(letter).startswith(("P", "Z", "S")))
    if not han or not all(_HAN.match(letter) for letter in han):
        raise BadRequest(f"{keyword}: at most 5 Chinese characters and nothing else, not {text!r}")
    return han[:5]


def _matching(pattern: re.Pattern[str], limit: int, words: str) -> Callable[[str, str], str]:
    """A rule for values that are right or wrong as a whole."""

    def rule(keyword: str, text: str) -> str:
        value = _plain(text)
        if len(value) > limit or not pattern.fullmatch(value):
            raise BadRequest(f"{keyword}: {words}, not {text!r}")
        return value

    return rule


def _name(_: str, text: str) -> str:
    return _cut(text, 10 if _HAN.search(text) else 20, "")


def _amount(keyword: str, text: str) -> str:
    # NFKC would turn the full-width currency sign into the other one; both are fine as they are.
    value = text.replace(",", "").replace("，", "").replace(" ", "")
    if not _AMOUNT.fullmatch(value):
        raise BadRequest(f"{keyword}: a currency sign, up to 10 digits and decimals, not {text!r}")
    return value


def _moment(keyword: str, text: str, *, day_needed: bool) -> str:
    found = _MOMENT.fullmatch(text)
    if not text or found is None or (day_needed and not found[1]):
        raise BadRequest(f"{keyword}: a time such as 15:01 or 2019年10月1日 15:01, not {text!r}")
    year, month, day, hour, minute, second = found.groups()
    if year and not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        raise BadRequest(f"{keyword}: no such day: {text!r}")
    date = f"{year}年{int(month)}月{int(day)}日" if year else ""
    clock = f"{int(hour):02}:{minute}" + (f":{second}" if second else "") if hour else ""
    return f"{date} {clock}".strip()


def _span(keyword: str, text: str, *, day_needed: bool) -> str:
    """A moment or a range of two."""
    moments = [part.strip() for part in _plain(text).split("~")]
    if len(moments) > 2:
        raise BadRequest(f"{keyword}: a range has two ends, not {text!r}")
    return "~".join(_moment(keyword, moment, day_needed=day_needed) for moment in moments)


def _time(keyword: str, text: str) -> str:
    return _span(keyword, text, day_needed=False)


def _date(keyword: str, text: str) -> str:
    return _span(keyword, text, day_needed=True)


def _dropped(keyword: str, _: str) -> str:
    raise BadRequest(f"{keyword}: WeChat drops it since May 2023; put the text into a typed keyword")


_RULES: Mapping[str, Callable[[str, str], str]] = {
    "thing": _thing,
    "phrase": _phrase,
    "character_string": _matching(re.compile(r"[!-~ ]+"), 32, "at most 32 letters, digits and signs, no Chinese"),
    "number": _matching(_NUMBER, 32, "a number of at most 32 digits"),
    "letter": _matching(re.compile(r"[A-Za-z]+"), 32, "at most 32 letters"),
    "symbol": _matching(re.compile(r"[^\w\s]+"), 5, "at most 5 signs"),
    "time": _time,
    "date": _date,
    "amount": _amount,
    "phone_number": _matching(_PHONE, 17, "at most 17 digits and signs"),
    "car_number": _matching(re.compile(rf"(?:{_HAN.pattern})?[A-Za-z0-9·-]+(?:{_HAN.pattern})?"), 8, "at most 8 signs"),
    "name": _name,
    "first": _dropped,
    "remark": _dropped,
}
"""Types with a known limit. The others (enum, const, short_thing …) go through as they are."""
