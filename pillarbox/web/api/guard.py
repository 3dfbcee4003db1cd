"""Who may ask the API, how often, and for what kind of answer."""

from __future__ import annotations

import math

from starlette.requests import ClientDisconnect, Request

from pillarbox.model.states import TokenScope
from pillarbox.staff import login, tokens
from pillarbox.store.tokens import Token
from pillarbox.web.api.limits import Limit
from pillarbox.web.api.problems import Unanswered
from pillarbox.web.site import Site

MOST_BYTES = 1024
"""More than that is not even read: nothing is sent to an API that only answers."""
STRANGERS_PER_MINUTE = 60
"""Requests without a good token, from one network."""
_CHALLENGE = 'Bearer realm="pillarbox"'


class Guard:
    """Stands before every door of the API."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._holders = Limit(site.settings.api.per_minute)
        self._strangers = Limit(STRANGERS_PER_MINUTE)

    def stranger(self, request: Request) -> None:
        """Count a request that shows no token.

        Raises:
            Unanswered: 429.
        """
        self._refuse_often(self._strangers, self._network(request))

    def holder(self, request: Request) -> Token:
        """Whose token the request shows.

        Raises:
            Unanswered: 401 or 429.
        """
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        network = self._network(request)
        self._refuse_often(self._strangers, network, take=False)
        found = tokens.holder(self._site.store, self._site.settings, secret.strip()) if kind.lower() == "bearer" \
            else None
        if found is None:
            self._refuse_often(self._strangers, network)
            told = f'{_CHALLENGE}, error="invalid_token"' if secret else _CHALLENGE
            raise Unanswered(401, "Show a token: “Authorization: Bearer …”. `pillarbox tokens add NAME` makes one.",
                             {"WWW-Authenticate": told})
        self._refuse_often(self._holders, str(found.id))
        return found

    def scope(self, holder: Token, needed: TokenScope) -> None:
        """See that a token may read this.

        Raises:
            Unanswered: 403.
        """
        if not holder.scope.includes(needed):
            raise Unanswered(403, "This token reads published letters alone. A token without --letters-only reads "
                                  "figures too.", {
                "WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope"'})

    def _refuse_often(self, limit: Limit, name: str, *, take: bool = True) -> None:
        if wait := limit.wait(name, take=take):
            seconds = math.ceil(wait)
            raise Unanswered(429, f"Wait {seconds} second{'' if seconds == 1 else 's'}, then ask again.",
                             {"Retry-After": str(seconds)})

    def _network(self, request: Request) -> str:
        return login.network(request.client.host if request.client else "")


async def refuse_body(request: Request) -> None:
    """See that nothing is sent along.

    Raises:
        Unanswered: 413.
    """
    fault = Unanswered(413, "Nothing is sent to the API: it only answers.", {"Connection": "close"})
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > MOST_BYTES:
        raise fault
    if "transfer-encoding" not in request.headers:
        return
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MOST_BYTES:
                raise fault
    except ClientDisconnect:
        raise fault from None


def refuse_other_kinds(request: Request) -> None:
    """See that the asker takes JSON.

    Raises:
        Unanswered: 406.
    """
    if not accepts_json(request.headers.get("accept", "*/*")):
        raise Unanswered(406, "Answers are application/json. Ask for that, or for */*.")


def accepts_json(accept: str) -> bool:
    """Whether an Accept header takes JSON (RFC 9110, section 12.5.1): the most particular range decides."""
    best: tuple[int, float] | None = None
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        rank = {"*/*": 0, "application/*": 1, "application/json": 2}.get(name)
        if rank is None:
            continue
        weight = next((_weight(one.partition("=")[2]) for one in parameters if one.partition("=")[0].strip() == "q"),
                      1.0)
        best = max(best or (rank, weight), (rank, weight))
    return not accept.strip() or (best is not None and best[1] > 0)


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
