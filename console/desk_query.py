"""The filters of the list of cases, as they stand in its address."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import Field, model_validator

from console.frame import Form
from domain.case_exports import Wanted
from domain.clock import SHANGHAI
from domain.desk import Filters, Sort
from models.enums import Status

_Id = Annotated[int | None, Field(ge=1, le=2**31 - 1)]


class Query(Form):
    """What the list is to show. Without anything: what is open, by due time."""

    words: Annotated[str, Field(max_length=100, title="编号或词")] = ""
    state: Annotated[Literal["open", "closed", "all"] | Status, Field(title="状态")] = "open"
    area: Annotated[_Id, Field(title="区域")] = None
    kind: Annotated[str, Field(max_length=64, title="类别")] = ""
    holder: Annotated[_Id, Field(title="经办人")] = None
    late: Annotated[bool, Field(title="超时")] = False
    urgent: Annotated[bool, Field(title="紧急")] = False
    since: Annotated[date | None, Field(title="开始日期")] = None
    until: Annotated[date | None, Field(title="结束日期")] = None
    sort: Annotated[Sort, Field(title="顺序")] = Sort.DUE
    after: Annotated[str, Field(max_length=80, title="页")] = ""

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: dict[str, Any]) -> dict[str, Any]:
        """A field that was left blank was not chosen."""
        return {name: value for name, value in given.items() if value != ""}

    @property
    def kept(self) -> dict[str, str]:
        """What differs from the plain list, the page left out: for an address, and for a view."""
        given = self.model_dump(mode="json", exclude={"after"}, exclude_defaults=True, exclude_none=True)
        return {name: _text(value) for name, value in given.items()}

    @property
    def address(self) -> str:
        """The same as it is written behind the `?`."""
        return urlencode(self.kept)

    @property
    def narrowed(self) -> bool:
        """Whether anything was chosen that the form shows only when asked."""
        return bool(self.kept.keys() & {"kind", "holder", "since", "until", "sort"})

    def next(self, after: str) -> str:
        """The address of the page that goes on there."""
        return urlencode(self.kept | {"after": after})

    def wanted(self) -> Wanted:
        """As the domain takes it."""
        status = self.state if isinstance(self.state, Status) else None
        still_open = {"open": True, "closed": False}.get(str(self.state))
        by_due = self.sort is Sort.DUE and (still_open or (status is not None and status.is_open))
        filters = Filters(
            area_id=self.area,
            open=still_open,
            status=status,
            category=self.kind or None,
            holder_id=self.holder,
            overdue=self.late or None,
            urgent=self.urgent or None,
            start=_midnight(self.since),
            end=_midnight(self.until + timedelta(days=1)) if self.until else None,
        )
        return Wanted(filters, self.words, Sort.DUE if by_due else Sort.NEWEST)


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), SHANGHAI) if day else None


def _text(value: Any) -> str:
    return "1" if value is True else str(value)
