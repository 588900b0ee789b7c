"""How people say where they live: 3栋2单元501, 三号楼501室, 3-2-501."""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import normalize

_BUILDING = r"(?P<building>[0-9A-Za-z一二三四五六七八九十东西南北甲乙丙丁]{1,6}(?:栋|幢|号楼|座))"
_UNIT = r"(?:(?P<unit>[0-9A-Za-z一二三四五六七八九十]{1,3})(?:单元|门))?"
_ROOM = r"(?P<room>\d{1,4}[A-Za-z]?)(?:室|号房|房|号)?"
_SAID = re.compile(rf"{_BUILDING}{_UNIT}{_ROOM}")
_SHORT = re.compile(r"(?P<building>\d{1,3})[-—－](?:(?P<unit>\d{1,2})[-—－])?(?P<room>\d{3,4}[A-Za-z]?)")
_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_SAME = re.compile(r"(?:幢|号楼)$")


@dataclass(frozen=True, slots=True)
class Home:
    """A place in a grid as the register writes it. `unit` is "" where nobody said it."""

    building: str
    unit: str
    room: str

    def __str__(self) -> str:
        return f"{self.building}{self.unit}{self.room}"


def read_home(words: str) -> Home | None:
    """The home that these words are, as a whole; None for anything else."""
    said = normalize("NFKC", words).replace(" ", "").strip("。，,.的")
    if found := _SHORT.fullmatch(said):
        unit = f"{int(found['unit'])}单元" if found["unit"] else ""
        return Home(f"{int(found['building'])}栋", unit, found["room"].upper())
    found = _SAID.fullmatch(said)
    if found is None:
        return None
    building = _SAME.sub("栋", _digits(found["building"]))
    return Home(building, f"{_digits(found['unit'])}单元" if found["unit"] else "", found["room"].upper())


def _digits(text: str) -> str:
    """三栋 as 3栋, 十二栋 as 12栋."""
    numeral = re.match(r"[一二三四五六七八九]?十?[一二三四五六七八九]?", text)
    said = numeral[0] if numeral else ""
    if not said:
        return text.upper()
    tens, ten, ones = said.partition("十")
    number = (_NUMERALS.get(tens, 1) * 10 + _NUMERALS.get(ones, 0)) if ten else _NUMERALS[said]
    return f"{number}{text[len(said) :]}"
