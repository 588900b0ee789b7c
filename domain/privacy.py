"""What those read of a case who are not the ones to call people: everything but telephone and identity numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from domain.lookup import Line
from models.cases import Case

_PRIVATE = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8})(?!\d)")


def mask(text: str) -> str:
    """What somebody wrote, without telephone and identity numbers."""
    return _PRIVATE.sub("***", text)


def masked_case(case: Case) -> Case:
    """A copy to be read, never to be saved."""
    shown = copy(case)
    shown.description, shown.place = mask(case.description), mask(case.place)
    shown.result, shown.comment = mask(case.result), mask(case.comment)
    return shown


def masked_lines(lines: Sequence[Line]) -> list[Line]:
    """The same timeline without such numbers."""
    return [replace(line, text=mask(line.text)) for line in lines]
