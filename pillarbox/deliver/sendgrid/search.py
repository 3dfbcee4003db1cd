"""SendGrid's message search: did a request whose answer was lost get there?

The Email Activity Feed API, an add-on of the account ("additional email activity history"), whose key needs the
permission ``email_activity.read``: GET /v3/messages?query=…&limit=… and GET /v3/messages/{msg_id}
(twilio/sendgrid-oai ``tsg_email_activity_v3.yaml``; "Getting Started with the Email Activity Feed API", whose list of
operators has LIKE; both read 2026-11). The list gives address, id and status, the single message its custom arguments
(``unique_args``). It has no pages: ``limit`` (at most 1,000) is all that one question gives, which is as much as one
attempt carries. Its rate limit is not published: users report 6 requests a minute; 429 says in X-RateLimit-Reset when
the next one is taken.

One question an attempt, by the argument that every message of ours carries, so that no address stands in a URL; and
one message of each answer is looked at whole, to see that the answer is to our question.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

import orjson

from pillarbox.deliver.search import Found, NoSearchError
from pillarbox.deliver.sendgrid import verdicts
from pillarbox.deliver.sendgrid.client import Answer, NoAnswerError, SendgridClient
from pillarbox.deliver.sendgrid.events import request_id
from pillarbox.deliver.sendgrid.payload import CUSTOM_ARGUMENT
from pillarbox.ground import clock
from pillarbox.ground.address import normalise

MOST_FOUND = 1_000
"""The most that one question gives (``limit``)."""
PATIENCE_SECONDS = 300.0
"""Waited in all for the rate limit, in one reconciling."""
_NOT_OURS = {
    401: "The API key may not search SendGrid's messages",
    403: "This SendGrid account does not have the message search (the add-on “additional email activity history”), or "
         "the API key lacks the permission email_activity.read",
    404: "This SendGrid account does not have the message search (the add-on “additional email activity history”)",
}


class SendgridSearch:
    """Asks the Email Activity Feed.

    Args:
        client: with the account's key.
        pause: sleeps so many seconds; tests may look on.
    """

    def __init__(self, client: SendgridClient, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._client, self._pause = client, pause
        self._waited = 0.0

    def find(self, *, project: str, attempt_id: int, sought: Mapping[str, int]) -> list[Found]:
        """See ``MessageSearch.find``.

        Raises:
            NoSearchError: no add-on, no permission, too many requests, no answer, or one that makes no sense.
        """
        query = f"unique_args['{CUSTOM_ARGUMENT}'] LIKE \"{project}.%.{attempt_id}\""
        given = self._get("messages", query={"query": query, "limit": str(MOST_FOUND)})
        listed = given.get("messages") if isinstance(given, dict) else None
        if not isinstance(listed, list):
            raise NoSearchError("SendGrid's message search gave no list of messages.")
        found = list(_ours(listed, sought))
        if found:
            self._see(found[0][1], f"{project}.{found[0][0].message_id}.{attempt_id}")
        return [one for one, _ in found]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _see(self, msg_id: str, argument: str) -> None:
        """Look at one message whole: a search that ignored our question would make unsent letters look sent."""
        given = self._get("messages", msg_id)
        carried = given.get("unique_args") if isinstance(given, dict) else None
        if argument not in _arguments(carried):
            raise NoSearchError("SendGrid's message search gave other messages than were asked for; its answer was not "
                                "used.")

    def _get(self, *path: str, query: Mapping[str, str] | None = None) -> Any:
        while True:
            try:
                answer = self._client.get(*path, query=query)
            except NoAnswerError as fault:
                raise NoSearchError(f"SendGrid's message search could not be reached ({fault.why}).",
                                    retry=True) from None
            if answer.status != 429:
                return _content(answer)
            self._wait(answer)

    def _wait(self, answer: Answer) -> None:
        seconds = verdicts.wait_seconds(answer, clock.now())
        if self._waited + seconds > PATIENCE_SECONDS:
            again = clock.now() + timedelta(seconds=seconds)
            raise NoSearchError(f"SendGrid's message search takes no more questions until {again:%H:%M:%S} UTC.",
                                retry=True)
        self._waited += seconds
        self._pause(seconds)


def _content(answer: Answer) -> Any:
    if answer.status in _NOT_OURS:
        raise NoSearchError(f"{_NOT_OURS[answer.status]} ({answer.status}).")
    try:
        if answer.status == 200:
            return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise NoSearchError("SendGrid's message search answered with something that cannot be read.",
                            retry=True) from None
    raise NoSearchError(f"SendGrid's message search answered {answer.status}.", retry=answer.status >= 500)


def _ours(listed: Iterable[Any], sought: Mapping[str, int]) -> Iterable[tuple[Found, str]]:
    """Those of a list that were asked for, each once, with SendGrid's own id."""
    seen = set()
    for one in listed:
        address, msg_id = (one.get("to_email"), one.get("msg_id")) if isinstance(one, dict) else (None, None)
        if not isinstance(address, str) or not isinstance(msg_id, str) or not msg_id:
            continue
        try:
            message_id = sought.get(normalise(address))
        except ValueError:
            continue
        if message_id is not None and message_id not in seen:
            seen.add(message_id)
            yield Found(message_id=message_id, provider_id=request_id(msg_id)), msg_id


def _arguments(carried: Any) -> tuple[str, ...]:
    """The values of a message's custom arguments: documented as a string that holds them as JSON."""
    if isinstance(carried, str):
        try:
            carried = orjson.loads(carried)
        except orjson.JSONDecodeError:
            return ()
    return tuple(str(value) for value in carried.values()) if isinstance(carried, dict) else ()
