"""GoCardless's signature over the bytes as they came, by its own library.

It signs no time (``Webhook-Signature`` is an HMAC of the body alone), so an old post cannot be told from a new one by
its signature: each event counts once by its id, for ever, and one that is dated ahead of us is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gocardless_pro import webhooks
from gocardless_pro.errors import InvalidSignatureError

from pillarbox.ground.errors import Refused, SignatureError

HEADER = "Webhook-Signature"
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


def events(raw: bytes, *, signature: str, secrets: Sequence[str]) -> list[Mapping[str, Any]]:
    """The events of a post that GoCardless signed.

    Args:
        raw: the body as it came.
        signature: the header ``Webhook-Signature``.
        secrets: the endpoint's secrets; any of them will do.

    Raises:
        SignatureError: missing or forged.
        Refused: signed, but no events.
    """
    if not _HEX.fullmatch(signature):
        raise SignatureError("The post carries no signature of GoCardless's.")
    for secret in secrets:
        try:
            found = [event.attributes for event in webhooks.parse(raw, secret, signature)]
        except InvalidSignatureError:
            continue
        except (ValueError, KeyError, TypeError, RecursionError):
            break
        if all(isinstance(event, dict) for event in found):
            return found
        break
    else:
        raise SignatureError("The post's signature does not fit its bytes.",
                             todo="If the endpoint's secret was changed, set PILLARBOX_GOCARDLESS_WEBHOOK_SECRET anew.")
    raise Refused("These are not GoCardless's events.")
