"""The mailing that a path names."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.web.staff.frame import site_of

NAME = r"{name:str}"


async def mailing_of(request: Request) -> Mailing:
    """The mailing whose very name stands in the path.

    Raises:
        HTTPException: 404, there is none.
    """
    found = await run_in_threadpool(_named, request, str(request.path_params["name"]))
    if found is None:
        raise HTTPException(404)
    return found


def _named(request: Request, name: str) -> Mailing | None:
    if len(name) > 200 or "\0" in name:
        return None
    with site_of(request).store.reading() as connection:
        return mailings.named(connection, name)
