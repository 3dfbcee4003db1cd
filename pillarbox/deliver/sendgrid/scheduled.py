"""What SendGrid keeps until its time: batch ids, and taking a batch back.

Rules: https://www.twilio.com/docs/sendgrid/api-reference/cancel-scheduled-sends (read 2026-11): at most 72 hours
ahead; cancelled no later than 10 minutes before; at most 10 batches cancelled or paused at a time. What bears the name
of a cancelled batch stays in SendGrid's queue and is discarded at its time.
"""

from __future__ import annotations

from typing import Any

import orjson

from pillarbox.deliver.sendgrid.client import Answer, NoAnswerError, SendgridClient
from pillarbox.deliver.words import plain
from pillarbox.ground.errors import TransportError

_KEY_TODO = "The API key needs the permissions mail.batch.create and user.scheduled_sends (create and read)."
_SHOWN = 200


def new_batch(client: SendgridClient) -> str:
    """A fresh batch id.

    Raises:
        TransportError: SendGrid gave none.
    """
    try:
        answer = client.new_batch()
    except NoAnswerError as fault:
        raise TransportError(f"SendGrid cannot be reached ({fault.why}).", retry=True,
                             todo="Nothing was handed over; try again.") from None
    given = _json(answer)
    batch = given.get("batch_id") if isinstance(given, dict) else None
    if answer.status != 201 or not isinstance(batch, str) or not batch:
        raise TransportError(f"SendGrid gave no batch id: {_words(answer)}", todo=_todo(answer))
    return batch


def cancel(client: SendgridClient, batch: str) -> None:
    """Cancel a batch. An answer that was lost, or a second cancel, is cleared up by asking how the batch stands.

    Raises:
        TransportError: SendGrid has not confirmed that the batch is cancelled.
    """
    try:
        answer = client.cancel_batch(batch)
        if answer.status == 201:
            return
        words, retry = _words(answer), answer.status >= 500 or answer.status == 429
    except NoAnswerError as fault:
        answer, words, retry = None, f"no answer came ({fault.why}).", True
    try:
        if is_cancelled(client, batch):
            return
    except TransportError:
        retry = True
    raise TransportError(words, retry=retry, todo=_todo(answer) if answer else "")


def is_cancelled(client: SendgridClient, batch: str) -> bool:
    """Whether SendGrid has a batch as cancelled.

    Raises:
        TransportError: it does not say.
    """
    try:
        answer = client.batch_status(batch)
    except NoAnswerError as fault:
        raise TransportError(f"SendGrid cannot be reached ({fault.why}).", retry=True) from None
    if answer.status != 200:
        raise TransportError(f"SendGrid does not say how the batch stands: {_words(answer)}", todo=_todo(answer))
    given = _json(answer)
    return any(
        isinstance(one, dict) and one.get("batch_id") == batch and one.get("status") == "cancel"
        for one in (given if isinstance(given, list) else [given]))


def _json(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None


def _words(answer: Answer) -> str:
    given = _json(answer)
    errors = given.get("errors") if isinstance(given, dict) else None
    told = " ".join(str(one.get("message") or "") for one in errors or () if isinstance(one, dict))
    return plain(f"it answered {answer.status}{': ' + told[:_SHOWN] if told.strip() else ''}".rstrip(".") + ".")


def _todo(answer: Answer) -> str:
    return _KEY_TODO if answer.status in (401, 403) else "Nothing was changed; try again."
