"""From a letter handed over to the events about it: sent to the local SendGrid, signed by it, read back."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from pillarbox.deliver.sendgrid.events import read
from pillarbox.deliver.sendgrid.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify
from pillarbox.deliver.sendgrid.transport import SendgridTransport
from pillarbox.model.sections import SendgridSettings
from pillarbox.model.states import Agent, EventKind
from pillarbox.standin import events as standin_events
from pillarbox.standin.behaviour import API_KEY
from pillarbox.standin.server import Standin
from pillarbox.standin.webhook import Signer, batches
from tests.deliver.cast import unit

SENT = datetime(2026, 12, 10, 8, 0, tzinfo=UTC)


def test_every_event_finds_its_message() -> None:
    """What SendGrid would post about 500 letters is believed, and names message, attempt, request and address."""
    sent = unit(500, tracked=True)
    signer, stamp = Signer(), int(SENT.timestamp()) + 7 * 86_400
    with Standin() as server:
        transport = SendgridTransport(SendgridSettings(api_key=API_KEY, url=server.url))
        result = transport.send(sent)
        transport.close()
        told = standin_events.events(server.messages, seed=1, sent=SENT)
    found = []
    for raw, _ in batches(told):
        headers = signer.headers(raw, stamp)
        verify(raw, signature=headers[SIGNATURE_HEADER], timestamp=headers[TIMESTAMP_HEADER],
               public_key=signer.public_key, now=datetime.fromtimestamp(stamp + 1, UTC), max_age_seconds=3600)
        parsed = read(raw, project="proj1234")
        assert (parsed.faults, parsed.foreign) == ((), 0)
        found += parsed.events
    assert len(found) == len(told)
    addresses = {m.message_id: m.address for m in sent.messages}
    requests = {r.message_id: r.provider_id for r in result.receipts}
    for one in found:
        if one.message_id is None:
            assert one.kind in (EventKind.BOUNCED, EventKind.BLOCKED)
            assert one.provider_id in requests.values()
        else:
            assert (one.address, one.provider_id) == (addresses[one.message_id], requests[one.message_id])
            assert one.attempt_id == sent.attempt_id
    kinds = Counter(one.kind for one in found)
    assert kinds[EventKind.PROCESSED] >= 500
    assert {Agent.HUMAN, Agent.MACHINE} == {one.agent for one in found if one.kind is EventKind.OPENED}
    assert kinds[EventKind.CLICKED] > 0
    # Repeats, and only repeats, share a fingerprint.
    assert len({one.fingerprint for one in found}) == len({one.provider_event_id for one in found}) < len(found)
