"""From a request to the validated models an endpoint takes. What does not fit is refused with every field named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, get_origin

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ValidationError

from errors import BadRequest, TooLarge
from miniapp_api.answers import BadFields
from miniapp_api.kernel import Route, Upload

_PATIENCE = 20.0
"""Seconds a JSON body, or a piece of a file, may take to come in."""
_MOST_FIELDS = 20
_MOST_FIELD_BYTES = 8 * 1024


def read_path(route: Route, request: web.Request) -> Any:
    """What stands in the address."""
    return _lax(route.takes["path"], dict(request.match_info), "path")


def read_query(model: type[BaseModel], request: web.Request) -> Any:
    """What stands behind the question mark. A name given twice is an error unless the model has a list there."""
    given: dict[str, Any] = {}
    for name in request.query:
        values = request.query.getall(name)
        field = model.model_fields.get(name)
        many = field is not None and get_origin(field.annotation) in (list, tuple)
        if len(values) > 1 and not many:
            raise BadFields([{"field": f"query.{name}", "say": "只能写一次。"}], "query: a name twice")
        given[name] = values if many else values[0]
    return _lax(model, given, "query")


def _lax(model: type[BaseModel], given: dict[str, Any], where: str) -> Any:
    for name, value in given.items():
        if "\0" in str(name) or any("\0" in one for one in ([value] if isinstance(value, str) else value)):
            raise BadFields([{"field": where, "say": "有不能保存的字符。"}])
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _unfit(error.errors(include_url=False), where) from None


def read_body(route: Route, request: web.Request, raw: bytes) -> Any:
    """The JSON body as a model. Raises BadFields, BadRequest."""
    if request.content_type != "application/json" and not route.guard:
        raise BadRequest("content type", say="请用 Content-Type: application/json 提交。")
    return parse(route.takes["body"], raw)


async def read_bytes(request: web.Request, most: int) -> bytes:
    """The body as it came. Raises TooLarge."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await request.clone(client_max_size=most).read()
    except TimeoutError:
        raise _too_slow() from None
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge("body", say=f"内容超过 {most // 1024} KB，请缩短后再试。") from None


def parse(model: type[BaseModel], raw: bytes) -> Any:
    """JSON text as a model. Raises BadRequest for what is no proper JSON, BadFields for what does not fit."""
    try:
        # The model's own parser takes the last of two equal names and infinite numbers: read once with ours first.
        json.loads(raw, object_pairs_hook=_no_twins, parse_constant=_no_constant, parse_float=_finite)
    except BadFields:
        raise
    except (ValueError, RecursionError):
        raise BadRequest("JSON", say="内容不是有效的 JSON。") from None
    if b"\\u0000" in raw or b"\0" in raw:
        raise BadRequest("NUL", say="内容里有不能保存的字符（\\u0000）。")
    try:
        return model.model_validate_json(raw, strict=model.model_config.get("strict", True))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        if any(fault["type"] == "json_invalid" for fault in faults):
            raise BadRequest("JSON", say="内容不是有效的 JSON。") from None
        raise _unfit(faults, "") from None


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise BadFields([{"field": twin[:100], "say": "写了两次。"}], "a name twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _unfit(faults: Sequence[Any], where: str) -> BadFields:
    """Every fault with its field. What a field is called that is not ours stays out of the log."""
    fields, details = [], []
    for fault in faults[:20]:
        name = ".".join(str(part) for part in ((where,) if where else ()) + fault["loc"])[:200]
        fields.append({"field": name, "say": _say(fault)})
        details.append(f"{'?' if fault['type'] == 'extra_forbidden' else name} {fault['type']}")
    return BadFields(fields, "; ".join(details))


_SAY = {
    "missing": "必须填写。",
    "extra_forbidden": "没有这个字段。",
    "string_too_short": "至少 {min_length} 个字。",
    "string_too_long": "最多 {max_length} 个字。",
    "string_pattern_mismatch": "格式不对。",
    "string_type": "必须是文字。",
    "int_type": "必须是整数。",
    "int_parsing": "必须是整数。",
    "int_from_float": "必须是整数。",
    "float_type": "必须是数字。",
    "float_parsing": "必须是数字。",
    "bool_type": "必须是 true 或 false。",
    "bool_parsing": "必须是 true 或 false。",
    "list_type": "必须是列表。",
    "model_type": "必须是 JSON 对象。",
    "dict_type": "必须是 JSON 对象。",
    "too_long": "最多 {max_length} 项。",
    "too_short": "至少 {min_length} 项。",
    "greater_than_equal": "不能小于 {ge}。",
    "greater_than": "必须大于 {gt}。",
    "less_than_equal": "不能大于 {le}。",
    "less_than": "必须小于 {lt}。",
    "enum": "只能是 {expected}。",
    "literal_error": "只能是 {expected}。",
    "finite_number": "必须是普通的数字。",
}


def _say(fault: Mapping[str, Any]) -> str:
    """The fault in Chinese. What a validator of ours says is Chinese already."""
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    try:
        return _SAY.get(fault["type"], "填得不对。").format(**fault.get("ctx", {}))
    except KeyError:
        return "填得不对。"


async def read_upload(request: web.Request, most: int) -> Upload:
    """The file of a multipart request, with the text fields before it. Raises BadRequest, TooLarge."""
    if request.content_type != "multipart/form-data":
        raise BadRequest("content type", say="请用 multipart/form-data 提交，文件放在名为 file 的字段里。")
    if (request.content_length or 0) > most + _MOST_FIELDS * _MOST_FIELD_BYTES:
        raise _too_large(most)
    try:
        reader = await request.multipart()
        fields: dict[str, str] = {}
        while (part := await reader.next()) is not None:
            if isinstance(part, MultipartReader) or part.name is None or len(fields) >= _MOST_FIELDS:
                raise ValueError
            if part.name == "file":
                kind = part.headers.get("Content-Type", "")
                return Upload(part.filename or "", kind, fields, _pieces(reader, part, most))
            fields[part.name] = await _short(part)
    except (ValueError, AssertionError, KeyError, web.HTTPException, HttpProcessingError):
        raise BadRequest("multipart", say="上传的内容不完整，请重新选择文件再试。") from None
    raise BadFields([{"field": "file", "say": "必须填写。"}])


async def _short(part: BodyPartReader) -> str:
    text = b""
    while piece := await part.read_chunk():
        text += piece
        if len(text) > _MOST_FIELD_BYTES:
            raise ValueError
    return text.decode()


async def _pieces(reader: MultipartReader, part: BodyPartReader, most: int) -> AsyncIterator[bytes]:
    size = 0
    while True:
        try:
            async with asyncio.timeout(_PATIENCE):
                piece = await part.read_chunk(64 * 1024)
            if not piece and await reader.next() is not None:
                raise BadFields([{"field": "file", "say": "只能有一个文件，放在最后。"}])
        except (ValueError, AssertionError, HttpProcessingError):  # the second where the form ends in the middle
            raise BadRequest("multipart", say="上传的内容不完整，请重新选择文件再试。") from None
        except TimeoutError:
            raise _too_slow() from None
        if not piece:
            return
        size += len(piece)
        if size > most:
            raise _too_large(most)
        yield piece


def _too_slow() -> BadRequest:
    return BadRequest("slow body", say="网络太慢，没有收完，请换个信号好的地方再试。")


def _too_large(most: int) -> TooLarge:
    return TooLarge("upload", say=f"文件超过 {most // 1024 // 1024} MB，请压缩后再传。")
