"""Forms as a browser has them: which stand on a page, and what it would send of each as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class FormOnPage:
    """One form. `fields`: (name, value) of what a browser sends; `blank`: names that must be filled in and are not."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    blank: set[str] = field(default_factory=set)
    offered: dict[str, list[str]] = field(default_factory=dict)  # the options of each select

    def typed(self) -> dict[str, str | list[str]]:
        """By name, without our mark; a list where a name stands more than once."""
        found: dict[str, str | list[str]] = {}
        for name, value in self.fields:
            if name == "mark":
                continue
            before = found.get(name)
            found[name] = value if before is None else [*([before] if isinstance(before, str) else before), value]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FormOnPage] = []
        self._open = self._picked = False
        self._select = self._area = ""
        self._chosen: str | None = None
        self._text: list[str] = []
        self._option: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(FormOnPage(given.get("action", "").removeprefix("/console")))
            self._open = True
        if not self._open:
            return
        if tag == "input" and "name" in given:
            self._input(given)
        elif tag == "textarea":
            self._area, self._text = given["name"], []
            self._need(given, "")
        elif tag == "select":
            self._select, self._chosen = given["name"], None
            self.forms[-1].offered.setdefault(given["name"], [])
            self._need(given, "")
        elif tag == "option" and self._select:
            self._option, self._text, self._picked = given.get("value"), [], "selected" in given

    def _input(self, given: Mapping[str, str]) -> None:
        kind = given.get("type", "text")
        if kind in ("checkbox", "radio"):
            if "checked" in given:
                self.forms[-1].fields.append((given["name"], given.get("value", "on")))
        elif kind != "file":
            self.forms[-1].fields.append((given["name"], given.get("value", "")))
            self._need(given, given.get("value", ""))

    def _need(self, given: Mapping[str, str], value: str) -> None:
        if "required" in given and not value:
            self.forms[-1].blank.add(given["name"])

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if not self._open:
            return
        form = self.forms[-1]
        if tag == "form":
            self._open = False
        elif tag == "textarea":
            form.fields.append((self._area, "".join(self._text).removeprefix("\n")))
        elif tag == "option" and self._select:
            value = "".join(self._text) if self._option is None else self._option
            form.offered[self._select].append(value)
            self._chosen = value if self._picked else self._chosen
        elif tag == "select":
            first = form.offered[self._select][0] if form.offered[self._select] else ""
            form.fields.append((self._select, first if self._chosen is None else self._chosen))
            self._select = ""


def forms_on(page: str) -> list[FormOnPage]:
    """All of them, in their order."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def form_to(page: str, action: str) -> FormOnPage:
    """The one that is sent to this address."""
    return next(form for form in forms_on(page) if form.action == action)
