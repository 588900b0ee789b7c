"""One structure, two forms: JSON as the published schemas have it, XML as the specification shows it.

JSON keeps booleans, numbers and null; XML writes everything as text and leaves what is empty as an empty element.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import orjson
from aiohttp import web

JSON, XML = "json", "xml"
CONTENT_TYPES = {JSON: "application/json; charset=utf-8", XML: "text/xml; charset=utf-8"}

#: What an XML 1.0 document cannot hold, escaped or not.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: What the entries of a list are called.
_ENTRIES = {
    "services": "service",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "attributes": "attribute",
    "values": "value",
    "endpoints": "endpoint",
    "formats": "format",
    "errors": "error",
}


def answer(form: str, root: str, content: Any, status: int = 200) -> web.Response:
    """`content` as the body in one of the two forms; `root` is the XML document's element."""
    plain = _plain(content)
    body = orjson.dumps(plain) if form == JSON else _document(root, plain)
    headers = {"Content-Type": CONTENT_TYPES[form], "Access-Control-Allow-Origin": "*"}
    return web.Response(body=body, status=status, headers=headers)


def refusal(form: str, status: int, description: str) -> web.Response:
    """An error in the form the specification gives: a list of code and description."""
    return answer(form, "errors", [{"code": status, "description": description}], status)


def w3_time(moment: datetime) -> str:
    """`2026-11-20T02:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return w3_time(value)
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(part) for part in value]
    return value


def _document(root: str, content: Any) -> bytes:
    element = Element(root)
    _fill(element, content)
    text: str = tostring(element, encoding="unicode")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + text.encode()


def _fill(element: Element, content: Any) -> None:
    if isinstance(content, dict):
        for name, part in content.items():
            _fill(SubElement(element, name), part)
    elif isinstance(content, list):
        for part in content:
            _fill(SubElement(element, _ENTRIES[element.tag]), part)
    elif content is not None:
        text = str(content).lower() if isinstance(content, bool) else str(content)
        element.text = _NO_XML.sub("\ufffd", text)
