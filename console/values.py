"""What forms of several subjects bring: blanks that mean nothing, days and moments in China, people without WeChat."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, NaiveDatetime

from console.frame import Form
from domain.booking_rules import Other
from domain.clock import SHANGHAI


def _none_if_blank(given: Any) -> Any:
    return None if given == "" else given


Ident = Annotated[int, Field(ge=1, le=2**63 - 1)]
MaybeIdent = Annotated[Ident | None, BeforeValidator(_none_if_blank)]
MaybeDay = Annotated[date | None, BeforeValidator(_none_if_blank), Field(title="日期")]
#: As `<input type="datetime-local">` sends it: the clock on the wall in China.
Moment = Annotated[NaiveDatetime, Field(title="时间")]
MaybeMoment = Annotated[NaiveDatetime | None, BeforeValidator(_none_if_blank), Field(title="时间")]


def in_china(moment: datetime) -> datetime:
    """A moment as a form has it, with its zone."""
    return moment.replace(tzinfo=SHANGHAI)


def noon(day: date | None, now: datetime) -> datetime:
    """A moment of that day; now where none is named."""
    return datetime.combine(day, time(12), SHANGHAI) if day else now


def today(now: datetime) -> date:
    """The day in China."""
    return now.astimezone(SHANGHAI).date()


class Behalf(Form):
    """Somebody without WeChat. `domain.booking_rules` says what is wrong with name or number."""

    name: Annotated[str, Field(max_length=40, title="姓名")]
    phone: Annotated[str, Field(max_length=24, title="电话")]
    relation: Annotated[str, Field(max_length=16, title="关系")] = ""

    @property
    def other(self) -> Other:
        """As domain functions take them."""
        return Other(self.name, self.phone, self.relation)
