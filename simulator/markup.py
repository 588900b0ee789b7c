"""The XML of the platform: pushes as WeChat writes them, answers read as strictly as WeChat reads them."""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.parsers import expat


class NotXmlError(Exception):
    """A body that the platform's parser refuses."""


def write_xml(fields: Mapping[str, Any]) -> str:
    """A push. Strings go into CDATA untouched (WeChat does not strip control characters), numbers stand
    bare."""
    return f"<xml>{_elements(fields)}</xml>"


def _elements(fields: Mapping[str, Any]) -> str:
    return "".join(_element(tag, value) for tag, value in fields.items())


def _element(tag: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return f"<{tag}>{_elements(value)}</{tag}>"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_element(tag, item) for item in value)
    if isinstance(value, int | float):
        return f"<{tag}>{value}</{tag}>"
    safe = str(value).replace("]]>", "]]]]><![CDATA[>")
    return f"<{tag}><![CDATA[{safe}]]></{tag}>"


def read_xml(body: bytes) -> dict[str, Any]:
    """An answer as nested dictionaries, repeated elements as lists.

    Strict on purpose, unlike the bot's reader: a control character or a broken CDATA in an answer shows the
    user the fault line. Raises NotXmlError.
    """
    return _Reader().read(body)


class _Reader:
    def __init__(self) -> None:
        self._open: list[dict[str, Any]] = []
        self._text: list[str] = []
        self._root: dict[str, Any] = {}

    def read(self, body: bytes) -> dict[str, Any]:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = self._refuse
        try:
            parser.Parse(body, True)
        except expat.ExpatError as error:
            raise NotXmlError(str(error)) from error
        return self._root

    def _start(self, _name: str, _attributes: dict[str, str]) -> None:
        if len(self._open) >= 8:
            raise NotXmlError("nested too deep")
        self._open.append({})
        self._text.clear()

    def _end(self, name: str) -> None:
        children = self._open.pop()
        value: Any = children or "".join(self._text)
        self._text.clear()
        if not self._open:
            self._root = children
            return
        parent = self._open[-1]
        if name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]

    @staticmethod
    def _refuse(*_: object) -> int:
        raise NotXmlError("document type declaration")
