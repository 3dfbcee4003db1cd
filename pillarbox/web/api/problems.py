"""What the API says when it cannot: problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "The question cannot be read", 401: "A token is needed", 403: "This token may not read this",
    404: "There is no such thing", 405: "This can only be read", 406: "Only JSON is spoken here",
    413: "Nothing is sent to this", 429: "Too many requests", 500: "Something broke", 503: "The database cannot answer",
}


class Problem(BaseModel):
    """Why a request was not answered."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="Always `about:blank`: the status says what kind of problem it is.")
    title: str = Field(description="The kind of problem, in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What was wrong with this request, and what to do.")


class Unanswered(Exception):
    """A request that is not answered.

    Args:
        status: the HTTP status.
        detail: what was wrong, and what to do; nothing of the request is repeated in it.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.detail, self.headers = status, detail, dict(headers or {})
        super().__init__(detail)


def answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as a response."""
    problem = Problem(type="about:blank", title=TITLES.get(status, "This cannot be answered"), status=status,
                      detail=detail)
    return Response(orjson.dumps(problem.model_dump()), status_code=status, media_type=MEDIA_TYPE, headers=headers)
