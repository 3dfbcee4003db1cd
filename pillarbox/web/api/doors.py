"""The doors of the API: each parses a question, asks one function below the web, and answers."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property

import orjson
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pillarbox.web.api import openapi
from pillarbox.web.api.guard import Guard, refuse_body, refuse_other_kinds
from pillarbox.web.api.operations import OPERATIONS, Asked, Operation
from pillarbox.web.api.problems import Unanswered
from pillarbox.web.site import Site

_TAG = re.compile(r'(?:W/)?("[^"]*")|(\*)')


class Door:
    """One operation."""

    def __init__(self, site: Site, guard: Guard, operation: Operation) -> None:
        self._site, self._guard, self._operation = site, guard, operation

    async def answer(self, request: Request) -> Response:
        """The answer, or that nothing has changed since the asker last looked."""
        await refuse_body(request)
        holder = await run_in_threadpool(self._guard.holder, request)
        self._guard.scope(holder, self._operation.scope)
        refuse_other_kinds(request)
        question = read_question(request, self._operation.question)
        asked = Asked(project=self._site.project, path=request.path_params, question=question)
        found = await run_in_threadpool(self._find, asked)
        return tagged(request, found.model_dump_json().encode())

    def _find(self, asked: Asked) -> BaseModel:
        with self._site.store.snapshot() as connection:
            return self._operation.find(connection, asked)


class Described:
    """``/api/openapi.json``: no secret, and nobody need show a token."""

    def __init__(self, site: Site, guard: Guard) -> None:
        self._guard = guard
        self._base_url = site.settings.project.base_url

    @cached_property
    def _body(self) -> bytes:
        """Made when it is first asked for: a server that nobody asks starts without it."""
        return orjson.dumps(openapi.describe(OPERATIONS, base_url=self._base_url))

    async def show(self, request: Request) -> Response:
        """The description."""
        await refuse_body(request)
        self._guard.stranger(request)
        refuse_other_kinds(request)
        return tagged(request, self._body)


def read_question(request: Request, model: type[BaseModel]) -> BaseModel:
    """What stands after the question mark.

    Raises:
        Unanswered: 400, naming every fault, and nothing of what was sent.
    """
    pairs = request.query_params.multi_items()
    given = dict(pairs)
    twice = sorted({name for name, _ in pairs if sum(one == name for one, _ in pairs) > 1} & set(model.model_fields))
    if len(given) < len(pairs):
        raise Unanswered(400, f"Something stands twice in the address{': ' + ', '.join(twice) if twice else ''}.")
    try:
        return model.model_validate(given)
    except ValidationError as fault:
        known = [f"{error['loc'][0]}: {error['msg']}" for error in fault.errors(include_input=False, include_url=False)
                 if error["loc"] and error["loc"][0] in model.model_fields]
        unknown = sum(1 for error in fault.errors() if error["type"] == "extra_forbidden")
        if unknown:
            fields = ", ".join(model.model_fields) or "nothing"
            known.append(f"{unknown} unknown name{'' if unknown == 1 else 's'} in the address; known: {fields}")
        raise Unanswered(400, ". ".join(known) + ".") from None


def tagged(request: Request, body: bytes) -> Response:
    """The answer with its ETag; 304 for who has it already."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Accept"}
    shown = _TAG.findall(request.headers.get("if-none-match", ""))
    if any(one == tag or star for one, star in shown):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
