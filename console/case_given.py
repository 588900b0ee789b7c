"""What the forms of a case bring. Whether it is enough, the domain says: there a refusal has its sentence."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from console.frame import Form
from domain.clock import SHANGHAI
from domain.room_words import clean
from models.enums import RequestKind

_DAY_ENDS = time(18)

Words = Annotated[str, Field(max_length=2000, title="文字"), BeforeValidator(lambda given: clean(str(given)))]
Reason = Annotated[str, Field(max_length=2000, title="原因"), BeforeValidator(lambda given: clean(str(given)))]
Colleague = Annotated[str, Field(max_length=64, title="给谁")]
Within = Annotated[str, Field(max_length=12, title="时限")]


class Because(Form):
    """Why."""

    reason: Reason = ""


class Line(Form):
    """A sentence."""

    text: Words = ""


class Progress(Form):
    """Words of one's own or a ready sentence; with photos beside them."""

    text: Words = ""
    ready: Words = ""

    @property
    def said(self) -> str:
        """Both, where both are there."""
        return self.text or self.ready


class Disposal(Progress):
    """What was done."""

    outcome: Literal["", "explained", "cannot"] = ""


class Until(Because):
    """A wish with a day."""

    until: Annotated[date | None, BeforeValidator(lambda given: given or None), Field(title="日期")] = None

    @property
    def moment(self) -> datetime | None:
        """The end of that working day."""
        return datetime.combine(self.until, _DAY_ENDS, SHANGHAI) if self.until else None


class Handing(Because):
    """To whom, and why."""

    to: Colleague = ""


class Task(Line):
    """Whom to ask for which part, and by when."""

    to: Colleague = ""
    within: Within = ""


class Demand(Line):
    """What a superior wants to know, and by when."""

    within: Within = ""


class Grid(Form):
    """A grid, or one of its workers."""

    grid: Annotated[str, Field(max_length=64, title="网格")] = ""


class Other(Form):
    """Another case."""

    into: Annotated[str, Field(max_length=24, title="编号")] = ""


class Part(Line):
    """A second matter."""

    place: Annotated[str, Field(max_length=200, title="地点")] = ""


class Kind(Form):
    """Another kind of matter."""

    category: Annotated[str, Field(min_length=1, max_length=64, title="类别")]


class Decision(Because):
    """What the page asked to decide, and whether it is agreed to."""

    kind: Annotated[RequestKind, Field(title="申请")]
    agree: Literal["yes", "no"]


class Spoken(Form):
    """What the resident said on the telephone."""

    solved: Literal["yes", "no", "none"]
    satisfaction: Annotated[
        Annotated[int, Field(ge=1, le=3)] | None,
        BeforeValidator(lambda given: given or None),
        Field(title="满意度"),
    ] = None
    words: Words = ""
