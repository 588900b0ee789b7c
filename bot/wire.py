"""The XML (and JSON) that WeChat posts, read without trusting it, and text made safe for the XML we answer.

The standard library's expat is driven directly. wechatpy's parser goes through xmltodict, which takes any
encoding the document claims and any depth, fails on the control characters that phones do send, and lets half
a dozen exception types out. Speed is not the reason: 15 µs a message here, 20 µs there.
"""

import re
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

import orjson

from errors import BadMessage

MAX_BODY = 64 * 1024
MAX_DEPTH = 8
MAX_ELEMENTS = 2_000
MAX_PROLOG = 256

_CONTROL = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0D})
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOM = b"\xef\xbb\xbf"
# WeChat's pushes begin with the root element, at most after a declaration. Asking for exactly that refuses
# every document type declaration before the parser sees it, and still lets a resident write "<!DOCTYPE" in a
# message.
_PROLOG = re.compile(rb"\s*(?:<\?xml((?:\s+[a-z]+\s*=\s*[\"'][\w.-]*[\"'])*)\s*\?>\s*)?<xml\s*>")
_ENCODING = re.compile(rb"encoding\s*=\s*[\"'](?!utf-?8[\"'])", re.IGNORECASE)


def printable(text: str) -> str:
    """The text without the characters XML cannot carry (control characters, lone surrogates)."""
    return _UNPRINTABLE.sub("", text)


def cdata(text: str) -> str:
    """The text as CDATA that no content can end early."""
    return f"<![CDATA[{printable(text).replace(']]>', ']]]]><![CDATA[>')}]]>"


def parse_body(body: bytes) -> dict[str, Any]:
    """A push as a dictionary, from XML or JSON: nested elements as dictionaries, repeated ones as lists.

    Raises BadMessage for anything that is not a plain WeChat push: other encodings, declarations, entities,
    attributes, NUL bytes, too deep, too large.
    """
    if not body or len(body) > MAX_BODY:
        raise BadMessage("empty" if not body else "too large")
    if 0 in body:
        # Also the mark of UTF-16 and UTF-32.
        raise BadMessage("NUL byte")
    body = body.removeprefix(_BOM)
    return _from_json(body) if body.lstrip()[:1] == b"{" else _from_xml(body)


def encrypted_part(envelope: Mapping[str, Any]) -> str | None:
    """The cipher text of an encrypted push, or None for a plain one. Compatible mode carries both forms.

    Raises BadMessage for more than one.
    """
    encrypted = envelope.get("Encrypt")
    if encrypted is not None and not isinstance(encrypted, str):
        raise BadMessage("Encrypt is not a single value")
    return encrypted


def _from_json(body: bytes) -> dict[str, Any]:
    if b"\\u0000" in body:
        # PostgreSQL stores no NUL.
        raise BadMessage("NUL character")
    try:
        parsed = orjson.loads(body.translate(None, _CONTROL))
    except orjson.JSONDecodeError as error:
        raise BadMessage("not JSON") from error
    if not isinstance(parsed, dict) or _too_deep(parsed):
        raise BadMessage("not a flat JSON object")
    return parsed


def _too_deep(parsed: dict[str, Any]) -> bool:
    """Whether a JSON value nests deeper than a message may, found level by level (no recursion)."""
    level: list[Any] = [parsed]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _from_xml(body: bytes) -> dict[str, Any]:
    body = body.translate(None, _CONTROL).replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")
    prolog = _PROLOG.match(body, 0, MAX_PROLOG)
    if prolog is None or _ENCODING.search(prolog[1] or b""):
        raise BadMessage("not a WeChat push")
    return _Reader().read(body)


class _Reader:
    """Builds the dictionary of one document. Expat calls it; it holds the open elements."""

    def __init__(self) -> None:
        self._open: list[dict[str, Any]] = []
        self._text: list[str] = []
        self._elements = 0
        self._root: dict[str, Any] = {}

    def read(self, body: bytes) -> dict[str, Any]:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        # The prolog check has refused these already; a second lock costs nothing.
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        try:
            parser.Parse(body, True)
        except expat.ExpatError as error:
            raise BadMessage("not XML") from error
        return self._root

    def _start(self, _name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if attributes or len(self._open) >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            # WeChat uses no attributes; XInclude and namespaces need them.
            raise BadMessage("attributes, or too deep, or too many elements")
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
        raise BadMessage("declarations and entities are refused")
