"""Forms and applications as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from domain.application_work import Dossier, Line
from domain.applications import Application, ServiceForm, ServiceItem
from domain.booking_rules import Other
from domain.forms import Field as FormField
from domain.forms import FieldType, read_fields, say
from miniapp_api.kernel import Body, Id
from models.enums import ApplicationState

#: Answers of a form: as many as it may have fields, by their keys. What fits is the form's to say.
Answers = Annotated[
    dict[Annotated[str, Field(max_length=16)], Any],
    Field(max_length=20, description="by field key; a photo field takes ids of uploads"),
]


class FormLine(Body):
    """A field. `least` and `most`: characters, options, pictures, or the range of a number."""

    key: str
    label: str
    type: FieldType
    required: bool
    choices: list[str]
    least: int | None
    most: int | None
    hint: str


class Form(Body):
    """What an item asks of who applies online. `time_limit`: 10工作日; empty = none is promised."""

    code: str
    title: str
    version: int
    time_limit: str
    fields: list[FormLine]


class Behalf(Body):
    """Somebody without WeChat; `relation`: what one is to them."""

    name: Annotated[str, Field(min_length=1, max_length=32)]
    phone: Annotated[str, Field(min_length=1, max_length=20)]
    relation: Annotated[str, Field(max_length=16)] = ""

    @property
    def other(self) -> Other:
        return Other(self.name, self.phone, self.relation)


class ApplicationLine(Body):
    """An application of one's own in a list. `for_name`: whom it is for, where somebody else did it for them."""

    id: Id
    number: str
    title: str
    state: ApplicationState
    for_name: str
    asked: str
    submitted_at: datetime
    due_at: datetime | None


class WorkLine(Body):
    """An application of staff's area: nothing of what somebody wrote. `asked_at`: since when the applicant has been to
    add something."""

    id: Id
    number: str
    title: str
    state: ApplicationState
    grid: str
    holder: str
    submitted_at: datetime
    due_at: datetime | None
    asked_at: datetime | None


class Answer(Body):
    """One answer as people read it; `files`: names of pictures."""

    key: str
    label: str
    value: str
    files: list[str]


class EventLine(Body):
    """A line of the history."""

    at: datetime
    verb: str
    state: ApplicationState
    actor: str
    text: str


class ApplicationInfo(Body):
    """An application. What was answered, files, history, name and telephone are empty for who does not work on it;
    `whole` says which it is."""

    id: Id
    number: str
    title: str
    state: ApplicationState
    whole: bool
    holder: str
    name: str
    phone: str
    relation: str
    answers: list[Answer]
    more_files: Annotated[list[str], Field(description="pictures sent later, of no field")]
    result_files: list[str]
    asked: str
    result: str
    events: list[EventLine]
    submitted_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    stars: int | None


def form_of(item: ServiceItem, form: ServiceForm) -> Form:
    """A form to be filled in."""
    fields = [FormLine(**field.stored()) for field in read_fields(form.fields_)]
    return Form(code=item.code, title=item.title, version=form.version, time_limit=form.time_limit, fields=fields)


def application_line(found: Application, title: str) -> ApplicationLine:
    """One of the caller's own."""
    return ApplicationLine(
        id=found.id,
        number=found.number,
        title=title,
        state=found.state,
        for_name=found.name,
        asked=found.asked,
        submitted_at=found.submitted_at,
        due_at=found.due_at,
    )


def work_line(line: Line) -> WorkLine:
    """One on staff's list."""
    return WorkLine(**{name: getattr(line, name) for name in WorkLine.model_fields})


def application_of(read: Dossier) -> ApplicationInfo:
    """All that the caller may read of it."""
    found, whole = read.application, read.whole
    return ApplicationInfo(
        id=found.id,
        number=found.number,
        title=read.title,
        state=found.state,
        whole=whole,
        holder=read.holder,
        name=read.name,
        phone=read.phone,
        relation=found.relation if whole else "",
        answers=_answers(read.fields, read),
        more_files=_files(read, "more"),
        result_files=_files(read, ""),
        asked=found.asked if whole else "",
        result=found.result if whole else "",
        events=[EventLine(at=e.at, verb=e.verb, state=e.state, actor=e.actor, text=e.text) for e in read.events],
        submitted_at=found.submitted_at,
        due_at=found.due_at,
        ended_at=found.ended_at,
        stars=found.stars if whole else None,
    )


def _answers(fields: Sequence[FormField], read: Dossier) -> list[Answer]:
    given = read.application.answers
    return [
        Answer(key=one.key, label=one.label, value=say(one, given.get(one.key)), files=_files(read, one.key))
        for one in fields
    ]


def _files(read: Dossier, field: str) -> list[str]:
    return [f"p{file.id}" for file in read.files if file.field == field]
