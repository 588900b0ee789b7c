"""The OpenAPI document is what the server does: routes, models, callers, statuses."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from aiohttp import web

from app.web import desk
from miniapp_api.api import all_routes, create_api
from miniapp_api.kernel import Body
from miniapp_api.openapi import document, open_path, statuses
from miniapp_api.policy import POLICY
from tests.api.conftest import SignIn
from tests.town import Town

DOCUMENT = document(all_routes())
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}


async def test_the_document_is_served_to_everybody_and_lists_the_mounted_routes_and_no_other(
    town: Town, sign_in: SignIn
):
    served = (await (await sign_in()).get("/openapi.json")).json
    assert served["openapi"] == "3.1.0"
    app = create_api(desk(town.services))
    mounted = {f"{route.method} {_shape(route)}" for route in app.router.routes()}
    listed = {f"{method.upper()} {path}" for path, item in served["paths"].items() for method in item}
    assert listed == mounted == set(OPERATIONS)


def _shape(route: web.AbstractRoute) -> str:
    assert route.resource
    return open_path(route.resource.canonical)


def test_every_reference_leads_somewhere_and_every_schema_is_used():
    schemas, text = DOCUMENT["components"]["schemas"], str(DOCUMENT)
    named = set(re.findall(r"#/components/schemas/([\w.-]+)", text))
    assert named == set(schemas)
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does():
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    silent = [name for name, operation in OPERATIONS.items() if not operation["summary"].endswith(".")]
    assert silent == []


def test_a_path_names_what_stands_in_it():
    for route in all_routes():
        parameters = OPERATIONS[f"{route.method} {open_path(route.path)}"]["parameters"]
        named = {one["name"] for one in parameters if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", open_path(route.path))), route.path


def test_a_token_is_asked_for_wherever_the_table_does_not_let_everybody_in():
    for route in all_routes():
        security = OPERATIONS[f"{route.method} {open_path(route.path)}"]["security"]
        assert security == ([] if POLICY[route.rule].public else [{"token": []}]), route.path


def test_every_status_has_its_shape():
    for route in all_routes():
        responses = OPERATIONS[f"{route.method} {open_path(route.path)}"]["responses"]
        assert list(responses) == [str(status) for status in statuses(route)]
        for status, response in responses.items():
            if int(status) >= 400:
                shape = response["content"]["application/json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/ErrorAnswer"}
            assert ("Retry-After" in response["headers"]) == (status in ("429", "503"))


def models(kind: Any, found: set[type[Body]]) -> set[type[Body]]:
    """A model and all within it."""
    if isinstance(kind, type) and issubclass(kind, Body) and kind not in found:
        found.add(kind)
        for field in kind.model_fields.values():
            models(field.annotation, found)
    for part in getattr(kind, "__args__", ()):
        models(part, found)
    return found


PARTS = [route.takes.get(part) for route in all_routes() for part in ("path", "query", "body")]
TAKEN = sorted({model for part in PARTS for model in models(part, set())}, key=lambda model: model.__qualname__)


@pytest.mark.parametrize("model", TAKEN, ids=lambda model: model.__name__)
def test_every_text_and_list_that_comes_in_has_an_end(model: type[Body]):
    """A field nobody bounded is a field somebody fills with a megabyte, or with a number the database cannot hold."""
    schema = model.model_json_schema()
    endless = [name for name, field in schema.get("properties", {}).items() if not all(map(_bounded, _parts(field)))]
    assert endless == []


def _parts(field: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for one in field.get("anyOf", [field]) for part in [one, *([one["items"]] if "items" in one else [])]]


def _bounded(part: dict[str, Any]) -> bool:
    if part.get("type") == "string":
        return bool({"maxLength", "format", "pattern", "const", "enum"} & part.keys())
    if part.get("type") == "array":
        return "maxItems" in part
    return part.get("type") != "integer" or bool({"maximum", "exclusiveMaximum", "enum", "const"} & part.keys())
