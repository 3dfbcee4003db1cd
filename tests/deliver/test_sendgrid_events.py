"""What SendGrid's event webhook posts."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, settings
from hypothesis import given as over
from hypothesis import strategies as st

from pillarbox.deliver.sendgrid import events as reader
from pillarbox.deliver.sendgrid.events import DROPS, KINDS, parse, read, request_id
from pillarbox.deliver.sendgrid.signature import verify
from pillarbox.ground.errors import Refused, SettingsError, SignatureError
from pillarbox.model.states import Agent, EventKind

NOW = datetime(2026, 12, 10, 9, 0, tzinfo=UTC)
DAY = 86_400
ROOT = Path(__file__).resolve().parents[2]


def shared_vectors() -> list[dict[str, str]]:
    places = [Path(os.environ.get("PILLARBOX_SHARED", "/nowhere")), ROOT.parent / "shared",
              ROOT.parent.parent / "shared"]
    for place in places:
        if (file := place / "sendgrid" / "eventwebhook_vectors.json").is_file():
            return orjson.loads(file.read_bytes())
    pytest.skip("the published vectors are not kept beside this checkout")


class Signer:
    """Signs as SendGrid does."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = base64.b64encode(der).decode()

    def sign(self, raw: bytes, timestamp: str) -> str:
        return base64.b64encode(self._key.sign(timestamp.encode() + raw, ec.ECDSA(hashes.SHA256()))).decode()


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


def checked(signer: Signer, raw: bytes = b"[]", *, signed: bytes | None = None, at: datetime = NOW,
            timestamp: str = "", **changed: str) -> None:
    stamp = timestamp or str(int(at.timestamp()))
    given = {"signature": signer.sign(raw if signed is None else signed, stamp), "timestamp": stamp,
             "public_key": signer.public_key, **changed}
    verify(raw, now=NOW, max_age_seconds=DAY, **given)


def test_a_signed_post_is_believed(signer: Signer) -> None:
    """The right key over timestamp and raw bytes passes; the bytes need not even be JSON."""
    checked(signer, b"\xff not json")


def test_every_changed_byte_is_seen(signer: Signer) -> None:
    """A flipped bit anywhere in body, timestamp or signature is a forgery."""
    raw = b'[{"event":"open"}]'
    for place in range(len(raw)):
        flipped = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1:]
        with pytest.raises(SignatureError, match="does not fit"):
            checked(signer, flipped, signed=raw)
    stamp = str(int(NOW.timestamp()))
    with pytest.raises(SignatureError, match="does not fit"):
        checked(signer, raw, signature=signer.sign(raw, str(int(stamp) + 1)))
    with pytest.raises(SignatureError, match="does not fit"):
        checked(signer, raw, signature=Signer().sign(raw, stamp))


@pytest.mark.parametrize("signature", ["AAAA", "not base64!", "MEUCIQ==", "ש"])
def test_nonsense_is_no_signature(signer: Signer, signature: str) -> None:
    """What is no signature at all is refused in the same words."""
    with pytest.raises(SignatureError, match="does not fit"):
        checked(signer, signature=signature)


def test_nothing_signed_is_refused(signer: Signer) -> None:
    """A post without the headers is refused."""
    with pytest.raises(SignatureError, match="no signature"):
        checked(signer, signature="")
    with pytest.raises(SignatureError, match="no signature"):
        verify(b"[]", signature="x", timestamp="", public_key=signer.public_key, now=NOW, max_age_seconds=DAY)


@pytest.mark.parametrize(("shift", "words"), [(timedelta(days=-2), "too old"), (timedelta(minutes=10), "in the future")
                                              ])
def test_stale_and_future_posts_are_refused(signer: Signer, shift: timedelta, words: str) -> None:
    """A rightly signed post that is replayed later, or dated ahead, is refused."""
    with pytest.raises(SignatureError, match=words):
        checked(signer, at=NOW + shift)


@pytest.mark.parametrize("timestamp", ["+1", "1.5", "١٢٣", " 1", "1_0", "9" * 40, "-5"])
def test_odd_timestamps_are_refused(signer: Signer, timestamp: str) -> None:
    """Only plain digits are a timestamp, however rightly signed."""
    with pytest.raises(SignatureError):
        checked(signer, timestamp=timestamp)


@pytest.mark.parametrize("key", ["", "AAAA", "not base64!"])
def test_a_wrong_key_setting_is_our_fault(signer: Signer, key: str) -> None:
    """A verification key that is none is said to be a fault of the settings."""
    with pytest.raises(SettingsError, match="verification key"):
        checked(signer, public_key=key)


@pytest.mark.shared
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_published_vectors(number: int) -> None:
    """What SendGrid's own libraries are tested with passes here, and its events are understood; a bit off does not."""
    vector = shared_vectors()[number]
    raw = vector["payload"].encode()
    given = {"signature": vector["signature"], "timestamp": vector["timestamp"], "public_key": vector["public_key"],
             "now": datetime.fromtimestamp(int(vector["timestamp"]) + 60, UTC), "max_age_seconds": DAY}
    verify(raw, **given)
    for place in range(0, len(raw), max(1, len(raw) // 50)):
        flipped = raw[:place] + bytes([raw[place] ^ 4]) + raw[place + 1:]
        with pytest.raises(SignatureError):
            verify(flipped, **given)
    for name in ("public_key", "signature"):
        if bad := vector.get(f"bad_{name}"):
            with pytest.raises(SignatureError):
                verify(raw, **{**given, name: bad})
    found = read(raw, project="proj1234")
    assert found.faults == ()
    assert len(found.events) + sum(found.ignored.values()) == len(orjson.loads(raw))


def item(**changed: object) -> dict[str, object]:
    given: dict[str, object] = {
        "email": "Alice@Example.org", "event": "delivered", "timestamp": 1_796_893_200, "sg_event_id": "event-1",
        "sg_message_id": "req_-id.recvd-5f54-1-67BA-6.0", "pillarbox": "proj1234.12.77", "response": "250 OK"}
    return {name: value for name, value in {**given, **changed}.items() if value is not None}


def events(*items: object):
    return parse(orjson.dumps(list(items)), project="proj1234")


def test_an_event_is_told_in_our_words() -> None:
    """Message and attempt from our argument, the request's id, the address normalised, the time aware."""
    raw = item(event="bounce", type="bounce", reason="550 no <alice@example.org>", status="5.1.1")
    [found] = events(raw)
    assert (found.kind, found.message_id, found.attempt_id) == (EventKind.BOUNCED, 12, 77)
    assert (found.provider, found.provider_id, found.provider_event_id) == ("sendgrid", "req_-id", "event-1")
    assert (found.address, found.at) == ("alice@example.org", datetime.fromtimestamp(1_796_893_200, UTC))
    assert found.reason == "550 no <(address)>"
    assert found.suppresses
    assert orjson.loads(found.raw) == raw


@pytest.mark.parametrize(("word", "kind"), KINDS.items())
def test_every_word_has_its_kind(word: str, kind: EventKind) -> None:
    """Each of SendGrid's documented words about a message is known."""
    assert events(item(event=word))[0].kind is kind


def test_a_block_is_not_the_addresss_fault() -> None:
    """A bounce of type blocked is its own kind and suppresses nothing."""
    [found] = events(item(event="bounce", type="blocked"))
    assert (found.kind, found.suppresses) == (EventKind.BLOCKED, False)


@pytest.mark.parametrize(("reason", "suppresses"), [
    *DROPS.items(), ("Bounced Address", True), ("Spam Content (if spam checker app enabled)", False),
    ("Novelty", False), ("", False)])
def test_a_drop_acts_by_its_reason(reason: str, suppresses: bool) -> None:
    """What is about the address suppresses it; what is about the message or the account does not."""
    assert events(item(event="dropped", reason=reason))[0].suppresses is suppresses


@pytest.mark.parametrize(("changed", "agent"), [
    ({"sg_machine_open": True}, Agent.MACHINE), ({"sg_machine_open": False}, Agent.HUMAN),
    ({"useragent": "Mozilla/5.0"}, Agent.MACHINE), ({"useragent": "Mozilla/5.0 (Macintosh) Safari/605"}, Agent.HUMAN),
    ({"useragent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"},
     Agent.MACHINE), ({"useragent": "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy"}, Agent.MACHINE)])
def test_machines_are_told_from_people(changed: dict[str, object], agent: Agent) -> None:
    """SendGrid's own mark and the proxies' names make an opening a machine's."""
    assert events(item(event="open", **changed))[0].agent is agent


@pytest.mark.parametrize("odd", [
    b"Mozilla/5.0 \xff\xfe", b"Mozilla/5.0 \\ud800 half", b"Mozilla/5.0 \xed\xa0\x80"])
def test_an_odd_byte_costs_the_other_events_nothing(odd: bytes) -> None:
    """Mail programs call themselves anything; the post would come again for a day, and never be taken in."""
    opened = orjson.dumps(item(event="open", useragent="ODD", sg_event_id="event-2")).replace(b"ODD", odd)
    found = read(b"[" + orjson.dumps(item()) + b"," + opened + b"]", project="proj1234")
    assert [each.kind for each in found.events] == [EventKind.DELIVERED, EventKind.OPENED]
    assert found.faults == ()
    assert "\ufffd" in found.events[1].user_agent
    found.events[1].raw.encode()


def test_repeats_share_a_fingerprint() -> None:
    """The same event under another event id has the same fingerprint; any part of it changed gives another."""
    one = events(item())[0].fingerprint
    assert events(item(sg_event_id="event-2"))[0].fingerprint == one
    assert len(one) == 16
    for changed in ({"event": "processed"}, {"sg_message_id": "x"}, {"email": "b@example.org"}, {"timestamp": 1},
                    {"url": "u"}):
        assert events(item(**changed))[0].fingerprint != one


def test_other_installations_are_left_alone() -> None:
    """An event of another project on the same account is left out; one without our argument is kept, unmatched."""
    found = read(orjson.dumps([item(pillarbox="other567.12.77"), item(pillarbox=None), item(pillarbox="nonsense")]),
                 project="proj1234")
    assert found.foreign == 1
    assert [(e.message_id, e.attempt_id) for e in found.events] == [(None, None), (None, None)]


def test_unknown_words_are_counted() -> None:
    """A word that means nothing here is ignored, and counted."""
    found = read(orjson.dumps([item(event="group_resubscribe"), item(event="novelty"), item()]), project="proj1234")
    assert found.ignored == {"group_resubscribe": 1, "novelty": 1}
    assert len(found.events) == 1


@pytest.mark.parametrize("raw", [b"", b"{}", b"null", b"\xff", b'"x"', b"[" * 100_000])
def test_what_is_no_array_is_refused(raw: bytes) -> None:
    """Something else than a JSON array of events is refused as a whole."""
    with pytest.raises(Refused, match="not SendGrid's events"):
        read(raw, project="proj1234")


@pytest.mark.parametrize(("bad", "words"), [
    (7, "Item 2 has no event"), ({}, "Item 2 has no event"), (item(timestamp=None), r"Item 2 \(delivered\): timestamp"),
    (item(timestamp="soon"), "timestamp"), (item(timestamp=1e30), "timestamp"),
    (item(timestamp=-62135596800), "timestamp"), (item(timestamp=-0.5), "timestamp"),
    (item(timestamp=True), "timestamp"), (item(email=["x"]), "email is not text"), (item(url=5), "url is not text")])
def test_a_malformed_item_is_named(bad: object, words: str) -> None:
    """The item is named and nothing is taken in by parse(); read() keeps the sound ones."""
    with pytest.raises(Refused, match=words):
        events(item(), bad)
    found = read(orjson.dumps([item(), bad]), project="proj1234")
    assert (len(found.events), len(found.faults)) == (1, 1)


FIELDS = ("email", "event", "timestamp", "sg_event_id", "sg_message_id", "pillarbox", "response", "reason", "url",
          "useragent", "sg_machine_open", "type", "unique_args", "custom_args")
ODD: list[object] = [
    None, True, False, 0, 1.5, -1, 2**63, 10**30, [], {}, ["x"], {"pillarbox": "proj1234.1.2"},
    {"pillarbox": "other567.1.2"}, "", "\0", "a\0b", "\ud800", "1796893200", "١٧٩", "Zoë@Bücher.example",
    "a@xn--bcher-kva.example", " A@Example.org ", "proj1234.١.٢", "proj1234..2", "proj1234.1.2.3",
    "proj1234.1." + "9" * 19, "other567.1.2", ".1.2", "a.b.RECVD-1", ".filter", "Mozilla/5.0", "blocked",
    "Invalid (no host)", "x" * 3_000]
ITEMS = st.builds(
    lambda word, odd, lost: {name: value for name, value in {**item(event=word), **odd}.items() if name not in lost},
    st.sampled_from([*KINDS, "novelty"]),
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(ODD) | st.text(max_size=9), max_size=4),
    st.sets(st.sampled_from(FIELDS), max_size=1))


def assert_both_ways_agree(items: list[object], project: str) -> None:
    raw = json.dumps(items).encode()
    found = read(raw, project=project)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reader, "_usual", lambda item, project: None)
        assert read(raw, project=project) == found


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("word", KINDS)
def test_one_oddity_is_read_alike_by_the_short_and_the_careful_way(word: str, field: str) -> None:
    """Whatever stands in a field, and if it is missing, the short way gives the careful way's event or leaves it."""
    whole = item(event=word)
    given = [{**whole, field: odd} for odd in ODD]
    assert_both_ways_agree([*given, {name: whole[name] for name in whole if name != field}], "proj1234")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@over(st.lists(ITEMS, max_size=5), st.sampled_from(["proj1234", "other567", ""]))
def test_oddities_together_are_read_alike_by_the_short_and_the_careful_way(items: list[object], project: str) -> None:
    """Events, faults and counts of any post are the same as when all of it is read with care."""
    assert_both_ways_agree([*items, *ODD], project)


@pytest.mark.parametrize("word", [word for word in KINDS if word not in ("bounce", "dropped")])
def test_what_is_usual_goes_the_short_way(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No event of a sound post costs a careful reading, but for what may suppress an address."""
    monkeypatch.setattr(reader, "_event", None)
    assert len(events(item(event=word), item(event=word, url="https://example.org", useragent="Mozilla/5.0",
                                             sg_machine_open=True))) == 2


@pytest.mark.parametrize(("given", "wanted"), [
    ("LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0", "LRzXl_NHStOGhQ4kofSm_A"),
    ("14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0", "14c5d75ce93.dfd.64b469"), ("plain", "plain"), ("", ""),
    ("a.rest.RECVD-1.recvd-2", "a.rest"), ("a" * 9_000 + ".recvd-1", "a" * 255),
    ("a.recv.fil", "a.recv.fil"), (".filter", "")])
def test_the_requests_id_is_found(given: str, wanted: str) -> None:
    """A late event without our argument is matched by what X-Message-Id had said."""
    assert request_id(given) == wanted


def test_an_item_nested_beyond_all_events_costs_no_other() -> None:
    """What JSON can be read but not written again is a fault of that item, in words; the others are taken in."""
    deep = b"[" * 400 + b"]" * 400
    good, odd = orjson.dumps(item()), orjson.dumps(item(sg_event_id="event-2"))
    found = read(b"[" + good + b"," + odd[:-1] + b',"category":' + deep + b"}]", project="proj1234")
    assert len(found.events) == 1
    assert found.faults == ("Item 2 (delivered): nested beyond all events.",)
