"""The API's own description (OpenAPI 3.1), made from the same models as its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pillarbox import __version__
from pillarbox.model.states import TokenScope
from pillarbox.web.api import problems
from pillarbox.web.api.operations import Operation
from pillarbox.web.api.problems import Problem

_SAYS = ("Read-only figures of a charity's mailings: what was sent, what became of it, what it raised. Nothing here is "
         "about one supporter. A token is made with `pillarbox tokens add NAME`.")
_FAULTS = {
    400: "What stands after the question mark cannot be read.", 401: "No token, or one that is not (any more) good.",
    403: "The token reads published letters alone.", 404: "There is no such thing.",
    406: "The asker takes no JSON.", 413: "Something was sent along.",
    429: "Too many requests: `Retry-After` says for how long.", 503: "The database cannot answer at this moment.",
}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
_CHALLENGE = {"WWW-Authenticate": {"description": "How to show a token.", "schema": {"type": "string"}}}
_HEADERS = {401: _CHALLENGE, 403: _CHALLENGE, 429: _RETRY, 503: _RETRY}


def describe(operations: Sequence[Operation], *, base_url: str = "") -> dict[str, Any]:
    """The description, JSON-like.

    Args:
        operations: all that is answered.
        base_url: where the project is reached; empty: wherever this was read.
    """
    models: list[type[BaseModel]] = [Problem, *dict.fromkeys(operation.answer for operation in operations)]
    _, schemas = models_json_schema([(model, "serialization") for model in models],
                                    ref_template="#/components/schemas/{model}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pillarbox", "version": __version__, "description": _SAYS},
        "servers": [{"url": f"{base_url}/api"}],
        "security": [{"token": []}],
        "paths": {operation.path: {"get": _operation(operation)} for operation in operations},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer",
                                          "description": "`pillarbox tokens add NAME` shows one, once."}},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    says = "Any token may ask." if operation.scope is TokenScope.LETTERS else "Not for tokens of --letters-only."
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": f"{(operation.answer.__doc__ or '').strip()} {says}",
        "parameters": [*_in_path(operation.parameters), *_in_query(operation.question), {
            "name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
            "description": "The `ETag` of an earlier answer: 304 when nothing has changed since."}],
        "responses": {
            "200": {"description": operation.summary + ".",
                    "headers": {"ETag": {"description": "Changes when the answer does.", "schema": {"type": "string"}}},
                    "content": {"application/json": {
                        "schema": {"$ref": f"#/components/schemas/{operation.answer.__name__}"}}}},
            "304": {"description": "Nothing has changed since the answer with this ETag."},
            **{str(status): _fault(status) for status in _FAULTS if _may(operation, status)},
        },
    }


def _may(operation: Operation, status: int) -> bool:
    return (status != 404 or bool(operation.parameters)) and (
        status != 403 or operation.scope is TokenScope.ALL)


def _fault(status: int) -> dict[str, Any]:
    return {"description": _FAULTS[status], **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _in_path(parameters: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "description": schema["description"],
             "schema": {key: value for key, value in schema.items() if key != "description"}}
            for name, schema in parameters.items()]


def _in_query(question: type[BaseModel]) -> list[dict[str, Any]]:
    fields: Mapping[str, Mapping[str, Any]] = question.model_json_schema().get("properties", {})
    return [{"name": name, "in": "query", "required": False, "description": schema.get("description", ""),
             "schema": {key: value for key, value in schema.items() if key not in ("description", "title")}}
            for name, schema in fields.items()]
