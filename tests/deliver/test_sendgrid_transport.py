"""Every answer that SendGrid can give, from a real server on this machine."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pillarbox.deliver.sendgrid.submission import MOST_REFUSALS
from pillarbox.deliver.sendgrid.transport import SendgridTransport
from pillarbox.ground import clock
from pillarbox.ground.errors import TransportError
from pillarbox.model.records import Result
from pillarbox.model.sections import SendgridSettings
from pillarbox.model.states import Verdict
from pillarbox.standin.behaviour import API_KEY, Act, Behaviour, Fault, Stage
from pillarbox.standin.server import Standin
from tests.deliver.cast import Reply, Scripted, message, unit
from tests.deliver.mailserver import certificate

Send = Callable[..., SendgridTransport]


@pytest.fixture
def to() -> Iterator[Send]:
    """Makes transports for a server's address, and closes them."""
    made: list[SendgridTransport] = []

    def make(url: str, *, key: str = API_KEY, seconds: float = 5, **given: object) -> SendgridTransport:
        made.append(SendgridTransport(SendgridSettings(api_key=key, url=url, timeout_seconds=seconds, **given)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def verdicts(result: Result) -> list[str]:
    return [receipt.verdict.value for receipt in result.receipts]


def by_kind(result: Result) -> dict[str, int]:
    return {v.value: verdicts(result).count(v) for v in Verdict if v in verdicts(result)}


def guilty(*numbers: int, named: bool = False) -> Callable[[int, dict], Reply]:
    """A SendGrid that refuses every request which holds one of these messages."""
    def answer(_: int, request: dict) -> Reply:
        found = [place for place, one in enumerate(request["personalizations"])
                 if int(one["custom_args"]["pillarbox"].split(".")[1]) in numbers]
        if not found:
            return Reply()
        return Reply(status=400, errors=[(f"personalizations.{place}.to.0.email" if named else None,
                                          "Does not contain a valid address.") for place in found])
    return answer


def test_accepted_with_the_providers_id(to: Send) -> None:
    """202 accepts every message of the unit, in order, under X-Message-Id."""
    with Standin() as server:
        result = to(server.url).send(unit(3))
        assert verdicts(result) == ["accepted"] * 3
        assert [r.message_id for r in result.receipts] == [1, 2, 3]
        assert {r.provider_id for r in result.receipts} == {server.messages[0].request_id}
        assert [m.subject for m in server.messages] == [f"A letter for Friend & №{n}" for n in (1, 2, 3)]


def test_the_named_fail_and_the_rest_goes(to: Send) -> None:
    """A 400 that names personalizations fails those; the others leave in the same act."""
    with Scripted(guilty(2, 4, named=True)) as server:
        result = to(server.url).send(unit(5))
    assert verdicts(result) == ["accepted", "refused", "accepted", "refused", "accepted"]
    assert result.receipts[1].detail == "Does not contain a valid address."
    assert (len(server.requests), result.stop) == (2, "")


def test_the_stand_in_names_the_guilty(to: Send) -> None:
    """An address that only SendGrid finds wrong fails alone."""
    with Standin() as server:
        result = to(server.url).send(unit([message(1), message(2, address="no-domain@x"), message(3)]))
        assert verdicts(result) == ["accepted", "refused", "accepted"]
        assert server.counts()["accepted"] == 2


@pytest.mark.parametrize("number", [1, 500, 1000])
def test_a_guilty_one_is_found_by_halving(to: Send, number: int) -> None:
    """A 400 that names nobody is halved down to the one message; the other 999 leave once each."""
    with Scripted(guilty(number)) as server:
        result = to(server.url).send(unit(1000))
    assert by_kind(result) == {"accepted": 999, "refused": 1}
    assert result.receipts[number - 1].verdict is Verdict.REFUSED
    assert len(server.requests) <= 21


def test_several_guilty_are_found(to: Send) -> None:
    """Halving finds them all, neighbours too."""
    with Scripted(guilty(1, 2, 3, 4, 77, 100)) as server:
        result = to(server.url).send(unit(100))
    assert by_kind(result) == {"accepted": 94, "refused": 6}
    assert result.stop == ""


def test_what_every_half_repeats_stops_the_mailing(to: Send) -> None:
    """When all requests are refused alike nobody is failed: everything goes back and sending stops."""
    with Scripted(lambda *_: Reply(status=400, errors=[(None, "The account is odd today.")])) as server:
        result = to(server.url).send(unit(1000))
    assert by_kind(result) == {"returned": 1000}
    assert "The account is odd today." in result.stop
    assert len(server.requests) == MOST_REFUSALS


def test_a_shared_fault_stops_at_once(to: Send) -> None:
    """An error about the sender, the same for every message, is not sought in the messages."""
    with Scripted(lambda *_: Reply(status=400, errors=[("from.email", "Not a verified sender.")])) as server:
        result = to(server.url).send(unit(100))
    assert by_kind(result) == {"returned": 100}
    assert "Not a verified sender." in result.stop
    assert len(server.requests) == 1


def test_units_of_one_stop_when_all_are_refused_alike(to: Send) -> None:
    """With a request a message, three refused in the same words and none accepted between stop the mailing."""
    with Scripted(lambda *_: Reply(status=400, errors=[(None, "Odd.")])) as server:
        transport = to(server.url, personalise="individual")
        found = [transport.send(unit([message(n)])) for n in (1, 2, 3)]
    assert [verdicts(one)[0] for one in found] == ["refused", "refused", "returned"]
    assert [bool(one.stop) for one in found] == [False, False, True]


def test_too_large_is_halved(to: Send) -> None:
    """413 halves the request until it passes."""
    with Scripted(lambda _, r: Reply(status=413 if len(r["personalizations"]) > 2 else 202)) as server:
        result = to(server.url).send(unit(8))
    assert by_kind(result) == {"accepted": 8}
    assert len(server.requests) == 7


@pytest.mark.parametrize("status", [401, 403, 404, 451, 302, 307])
def test_what_stops(to: Send, status: int) -> None:
    """A wrong key, a forbidden account or a wrong address: nothing was sent, nothing more is tried."""
    headers = {"Location": "http://127.0.0.1:9/elsewhere"} if status < 400 else {}
    with Scripted(lambda *_: Reply(status=status, headers=headers, errors=[(None, "No.")])) as server:
        result = to(server.url).send(unit(5))
    assert by_kind(result) == {"returned": 5}
    assert "SendGrid" in result.stop
    assert len(server.requests) == 1


@pytest.mark.parametrize(("headers", "seconds"), [
    ({"X-RateLimit-Reset": "1795341642"}, 42), ({"Retry-After": "7"}, 7), ({}, 60), ({"X-RateLimit-Reset": "0"}, 1),
    ({"Retry-After": "Sun, 22 Nov 2026 10:00:30 GMT"}, 30), ({"X-RateLimit-Reset": "9795341642"}, 3600)])
def test_too_many_requests_waits(to: Send, headers: dict[str, str], seconds: float) -> None:
    """429 sends everything back, and says how long to wait."""
    with Scripted(lambda *_: Reply(status=429, headers=headers)) as server, \
            clock.freeze(datetime.fromtimestamp(1795341600, UTC)):
        result = to(server.url).send(unit(3))
    assert by_kind(result) == {"returned": 3}
    assert (result.wait_seconds, result.stop) == (pytest.approx(seconds), "")


@pytest.mark.parametrize("status", [500, 502, 503, 200, 204])
def test_what_leaves_doubt(to: Send, status: int) -> None:
    """A 5xx, or a success that is not 202, proves nothing: the messages are in doubt."""
    with Scripted(lambda *_: Reply(status=status)) as server:
        assert by_kind(to(server.url).send(unit(3))) == {"unknown": 3}


@pytest.mark.parametrize("stage", [Stage.AFTER_READING, Stage.AFTER_ACCEPTING])
@pytest.mark.parametrize("act", [Act.CLOSE, Act.HANG])
def test_a_lost_answer_leaves_doubt(to: Send, act: Act, stage: Stage) -> None:
    """A connection lost, or a silence, after the request has left: nobody knows."""
    with Standin(Behaviour(faults={1: Fault(act=act, stage=stage)}, hang_seconds=3)) as server:
        result = to(server.url, seconds=0.5).send(unit(3))
    assert by_kind(result) == {"unknown": 3}
    assert result.wait_seconds > 0


@contextmanager
def answering(answer: bytes, secure: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that reads one whole request, says exactly these bytes, and cuts the connection without a goodbye."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as other:
        def serve() -> None:
            connection, _ = listener.accept()
            if secure is not None:
                connection = secure.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as lines:
                length = 0
                while (line := lines.readline()) not in (b"\r\n", b""):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                lines.read(length)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_RDWR)

        done = other.submit(serve)
        yield f"{'https' if secure else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        done.result()


@pytest.mark.parametrize(("answer", "wanted"), [
    (b"", "unknown"),
    (b"HTTP/1.1 20", "unknown"),
    (b"HTTP/1.1 202 Accepted\r\nX-Message-Id: abc", "accepted"),
    (b"HTTP/1.1 202 Accepted\r\nX-Message-Id: abc\r\nContent-Length: 100\r\n\r\nhalf", "accepted"),
    (b'HTTP/1.1 429 Too Many\r\nX-RateLimit-Reset: 9\r\nContent-Length: 100\r\n\r\n{"err', "returned"),
    (b'HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n{"errors": [{"mess', "refused"),
    (b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nhalf", "unknown"),
])
@pytest.mark.parametrize("secure", [False, True])
def test_an_answer_that_was_cut_in_the_middle(to: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *,
                                              answer: bytes, wanted: str, secure: bool) -> None:
    """Its status decides when it came; a connection, or TLS, that broke before it leaves doubt."""
    theirs = certificate(tmp_path)[0] if secure else None
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    with answering(answer, theirs) as url:
        result = to(url).send(unit([message(1)]))
    assert by_kind(result) == {wanted: 1}


def test_a_large_request_that_was_cut_off_is_surely_unsent(to: Send) -> None:
    """A connection that ends while the body is still leaving: SendGrid cannot have the whole of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as other:
        def cut() -> None:
            connection, _ = listener.accept()
            connection.recv(1000)
            connection.close()

        done = other.submit(cut)
        big = unit([message(n, salutation=f"{n}" + "x" * 9000) for n in range(1, 1001)])
        result = to(f"http://127.0.0.1:{listener.getsockname()[1]}").send(big)
        done.result()
    assert by_kind(result) == {"returned": 1000}


def test_a_request_that_is_not_read_is_given_up(to: Send) -> None:
    """A server that takes no more of the body: sending ends at the time limit, and the messages are surely unsent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        big = unit([message(n, salutation=f"{n}" + "x" * 9000) for n in range(1, 1001)])
        result = to(f"http://127.0.0.1:{listener.getsockname()[1]}", seconds=0.3).send(big)
    assert by_kind(result) == {"returned": 1000}


@pytest.mark.parametrize("url", ["http://127.0.0.1:{free}", "https://no-such-host.invalid", "https://127.0.0.1:{plain}"])
def test_nobody_there_is_surely_unsent(to: Send, url: str) -> None:
    """Connection refused, no such host, no TLS: everything goes back."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with Scripted(lambda *_: Reply()) as server:
        result = to(url.format(free=free, plain=server.url.rpartition(":")[2]), seconds=2).send(unit(3))
    assert by_kind(result) == {"returned": 3}
    assert result.wait_seconds > 0
    assert "could not be reached" in result.receipts[0].detail


def test_trouble_in_the_middle_leaves_the_rest_untried(to: Send) -> None:
    """After a lost answer nothing further is posted: doubt stays as small as it is."""
    with Scripted(lambda number, _: Reply(drop=number == 2)) as server:
        people = [message(1), message(2, salutation="a" * 10_001), message(3, salutation="b" * 10_001)]
        result = to(server.url).send(unit(people))
    assert verdicts(result) == ["accepted", "unknown", "returned"]


def test_a_laptop_that_slept_in_the_middle_posts_no_more(to: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed between two requests of a unit and opened next day: meanwhile others may have taken it for dead."""
    def and_sleep(_number: int, _: object) -> Reply:
        tomorrow = clock.now() + timedelta(days=1)
        monkeypatch.setattr(clock, "now", lambda: tomorrow)
        return Reply()

    with Scripted(and_sleep) as server:
        people = [message(1), message(2, salutation="a" * 10_001), message(3, salutation="b" * 10_001)]
        result = to(server.url).send(unit(people))
    assert verdicts(result) == ["accepted", "returned", "returned"]


def test_a_mailbox_name_outside_ascii_is_refused_here(to: Send) -> None:
    """SendGrid does not carry such addresses: that one fails, the rest leaves."""
    with Standin() as server:
        result = to(server.url).send(unit([message(1, address="מרים@example.org"), message(2)]))
    assert verdicts(result) == ["refused", "accepted"]


def test_a_detail_holds_no_personal_data(to: Send) -> None:
    """Addresses and names in the provider's words are masked."""
    words = "The address miriam@example.org [miriam@bad] of Miriam Levi is <miriam@example.org>."
    with Scripted(lambda *_: Reply(status=400, errors=[("personalizations.0.to", words)])) as server:
        result = to(server.url).send(unit([message(1, to_name="Miriam Levi")]))
    assert verdicts(result) == ["refused"]
    assert "miriam" not in result.receipts[0].detail.lower()
    assert "levi" not in result.receipts[0].detail.lower()


def test_the_key_is_asked_for(to: Send) -> None:
    """check() is content with a key that may send."""
    with Standin() as server:
        to(server.url).check()


def test_a_wrong_missing_or_weak_key_is_said(to: Send) -> None:
    """No key, a wrong key and one without mail.send each get their sentence, before anything is claimed."""
    with Standin(Behaviour(scopes=("stats.read",))) as server:
        with pytest.raises(TransportError, match="no SendGrid API key"):
            to(server.url, key="").check()
        with pytest.raises(TransportError, match="no SendGrid API key"):
            to(server.url, key="").send(unit(1))
        with pytest.raises(TransportError, match=r"does not accept the API key \(401\)"):
            to(server.url, key="SG.wrong").check()
        with pytest.raises(TransportError, match=r"lacks the permission mail\.send"):
            to(server.url).check()
        result = to(server.url, key="SG.wrong").send(unit(2))
    assert by_kind(result) == {"returned": 2}
    assert "API key" in result.stop


def test_a_host_that_is_not_there_is_said(to: Send) -> None:
    """check() says that SendGrid cannot be reached, and that it may be later."""
    with pytest.raises(TransportError, match="cannot be reached") as caught:
        to("https://no-such-host.invalid").check()
    assert caught.value.retry


@pytest.mark.parametrize("url", ["http://api.sendgrid.com", "api.sendgrid.com", "", "https://", "ftp://127.0.0.1"])
def test_an_unsafe_address_is_refused(to: Send, url: str) -> None:
    """Key and letters leave this machine over https only; what is no address is said."""
    with pytest.raises(TransportError, match="must begin with https"):
        to(url).check()


@pytest.mark.parametrize("key", ["SG.secret\nX: y", "SG. secret", "SG.sécret"])
def test_a_mangled_key_is_not_repeated(to: Send, key: str) -> None:
    """A key with a line break in it is refused without being shown."""
    with pytest.raises(TransportError, match="signs that no key has") as caught:
        to("https://127.0.0.1:9", key=key).check()
    assert "secret" not in str(caught.value)


def test_neither_key_nor_letters_reach_a_log(to: Send, caplog: pytest.LogCaptureFixture) -> None:
    """Even with everything logged, the key, the addresses and the bodies stay out."""
    with caplog.at_level(logging.DEBUG), Standin() as server:
        to(server.url).send(unit(2))
        to(server.url, key="SG.very-secret-key").send(unit(2))
    assert API_KEY not in caplog.text
    assert "very-secret-key" not in caplog.text
    assert "example.org" not in caplog.text


def test_connections_are_kept(to: Send) -> None:
    """Many units travel over one connection."""
    with Scripted(lambda *_: Reply()) as server:
        transport = to(server.url, connections=1)
        for _ in range(5):
            transport.send(unit(2))
        assert server.connections == 1


def test_many_threads_share_one_transport(to: Send) -> None:
    """Units sent at once from several threads each get their own receipts."""
    with Standin() as server:
        transport = to(server.url, connections=4)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda n: transport.send(unit([message(n * 10 + k) for k in range(5)])), range(20)))
        assert server.counts()["accepted"] == 100
    told = [[r.message_id for r in one.receipts] for one in found]
    assert told == [[n * 10 + k for k in range(5)] for n in range(20)]


def test_the_lease_is_longer_than_the_time_limits(to: Send) -> None:
    """A unit that says nothing for that long is surely dead."""
    assert to("http://127.0.0.1:9", seconds=60).lease_seconds > 5 * 60 + 10 + 2 * 60
