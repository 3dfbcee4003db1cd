"""Through real SMTP servers on this machine, with every stage at which one can break off."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from pillarbox.deliver.smtp.transport import SmtpTransport
from pillarbox.ground.errors import TransportError
from pillarbox.model.records import Result
from pillarbox.model.sections import SmtpSettings
from pillarbox.model.states import Verdict
from tests.deliver.cast import message, shape, unit
from tests.deliver.mailserver import Breaking, Inbox, certificate, knows, running

To = Callable[..., SmtpTransport]


@pytest.fixture
def to() -> Iterator[To]:
    """Makes transports for a port on this machine, and closes them."""
    made: list[SmtpTransport] = []

    def make(port: int, *, context=None, **given) -> SmtpTransport:
        usual = {"host": "127.0.0.1", "port": port, "security": "none", "timeout_seconds": 3}
        settings = SmtpSettings(**{**usual, **given})
        made.append(SmtpTransport(settings, context=context))
        return made[-1]

    yield make
    for one in made:
        one.close()


def verdict(result: Result) -> Verdict:
    [receipt] = result.receipts
    return receipt.verdict


def test_a_message_arrives_whole(to: To) -> None:
    """The server gets it addressed to one person, byte for byte, lines that begin with a dot included."""
    inbox = Inbox()
    with running(inbox) as port:
        result = to(port).send(unit([message(1, salutation="שלום")]))
    [(people, content)] = inbox.mails
    assert verdict(result) is Verdict.ACCEPTED
    assert result.receipts[0].provider_id == "<proj1234.1@charity.example.org>"
    assert people == ["person-1@example.org"]
    text = message_from_bytes(content, policy=default).get_body(("plain",)).get_content().splitlines()
    assert text[:3] == ["Dear שלום,", "", ".a line that begins with a dot"]


def test_the_connection_is_kept_between_units(to: To) -> None:
    """Many units, refused ones among them, travel over one connection."""
    inbox = Inbox()
    with running(inbox) as port:
        transport = to(port)
        transport.check()
        for number in range(1, 4):
            assert verdict(transport.send(unit([message(number)]))) is Verdict.ACCEPTED
        inbox.rcpt_answer = "550 no such user"
        assert verdict(transport.send(unit([message(4)]))) is Verdict.REFUSED
        inbox.rcpt_answer = ""
        assert verdict(transport.send(unit([message(5)]))) is Verdict.ACCEPTED
        assert len(inbox.sessions) == 1
        transport.close()


def test_a_kept_connection_that_died_is_replaced(to: To) -> None:
    """A server that hangs up between messages is called again; nothing is lost or doubted."""
    with Breaking("idle") as server:
        transport = to(server.port)
        assert [verdict(transport.send(unit([message(n)]))) for n in (1, 2, 3)] == [Verdict.ACCEPTED] * 3
        assert server.taken == 3


@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data"])
def test_a_connection_lost_before_the_message_sends_it_back(to: To, stage: str) -> None:
    """Until the final dot nothing can have been accepted."""
    with Breaking(stage) as server:
        result = to(server.port).send(unit(1))
    assert (verdict(result), result.stop) == (Verdict.RETURNED, "")
    assert result.wait_seconds > 0


def test_a_connection_lost_within_the_body_sends_it_back(to: To) -> None:
    """A body too large to have left whole when the server hung up is surely unsent."""
    with Breaking("body") as server:
        assert verdict(to(server.port).send(unit(1, letter=shape("word " * 4_000_000)))) is Verdict.RETURNED


def test_a_connection_lost_after_the_final_dot_leaves_doubt(to: To) -> None:
    """The server may have taken the message: nobody knows."""
    with Breaking("dot") as server:
        result = to(server.port).send(unit(1))
    assert verdict(result) is Verdict.UNKNOWN
    assert "handed over" in result.receipts[0].detail


@pytest.mark.parametrize("answer", [b"2", b"25", b"4", b"55", b"nonsense\r\n", b"150 go on\r\n", b"354 go on\r\n"])
def test_half_an_answer_to_the_final_dot_leaves_doubt(to: To, answer: bytes) -> None:
    """An answer cut in the middle, or one that no rule knows, does not say that the message was not taken."""
    with Breaking("dot", answer=answer) as server:
        assert verdict(to(server.port).send(unit(1))) is Verdict.UNKNOWN


def test_no_answer_to_the_final_dot_in_time_leaves_doubt(to: To) -> None:
    """The server has the message and says nothing: nobody knows."""
    with Breaking("dot", answer=b"250 taken\r\n", seconds=1.5) as server:
        result = to(server.port, timeout_seconds=0.5).send(unit(1))
    assert verdict(result) is Verdict.UNKNOWN
    assert "no answer in time" in result.receipts[0].detail


@pytest.mark.parametrize("after_dot", [False, True])
def test_a_secure_connection_that_breaks(to: To, tmp_path: Path, after_dot: bool) -> None:
    """TLS cut off without a goodbye: before the final dot surely unsent, after it in doubt."""
    theirs, ours = certificate(tmp_path)
    with Breaking("dot" if after_dot else "rcpt", secure=theirs) as server:
        result = to(server.port, context=ours, security="tls").send(unit(1))
    assert verdict(result) is (Verdict.UNKNOWN if after_dot else Verdict.RETURNED)


def test_a_silent_server_is_given_up(to: To) -> None:
    """No greeting in time: surely unsent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        result = to(listener.getsockname()[1], timeout_seconds=0.3).send(unit(1))
    assert verdict(result) is Verdict.RETURNED


@pytest.mark.parametrize("given", [{}, {"host": "no-such-host.invalid"}])
def test_nobody_there_is_surely_unsent(to: To, given: dict[str, str]) -> None:
    """Connection refused or no such host: the message goes back, and check() says where."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert verdict(to(port, **given).send(unit(1))) is Verdict.RETURNED
    with pytest.raises(TransportError, match="cannot be reached") as caught:
        to(port, **given).check()
    assert caught.value.retry


@pytest.mark.parametrize(("stage", "answer", "wanted", "stops"), [
    ("rcpt", "550 5.1.1 <person-1@example.org> unknown", Verdict.REFUSED, False),
    ("rcpt", "451 greylisted", Verdict.RETURNED, False),
    ("rcpt", "530 5.7.0 authentication required", Verdict.RETURNED, True),
    ("mail", "550 5.7.1 not your domain", Verdict.RETURNED, True),
    ("mail", "451 busy", Verdict.RETURNED, False),
    ("data", "554 5.7.1 looks like spam", Verdict.REFUSED, False),
    ("data", "452 4.3.1 no room", Verdict.RETURNED, False),
])
def test_the_servers_words_decide(to: To, stage: str, answer: str, wanted: Verdict, stops: bool) -> None:
    """5xx to the address or the message fails it, 4xx sends it back, a refused sender or login stops."""
    inbox = Inbox()
    setattr(inbox, f"{stage}_answer", answer)
    with running(inbox) as port:
        result = to(port).send(unit(1))
    assert (verdict(result), bool(result.stop)) == (wanted, stops)
    assert answer[:3] in result.receipts[0].detail
    assert "person-1" not in result.receipts[0].detail
    assert (result.wait_seconds > 0) == (answer[0] == "4")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd does not see implicit TLS
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_secure_connections_and_login(to: To, tmp_path: Path, security: str) -> None:
    """STARTTLS and TLS with a name and password that the server knows; a wrong password stops."""
    theirs, ours = certificate(tmp_path)
    options = {"ssl_context": theirs} if security == "tls" else {"tls_context": theirs, "require_starttls": True}
    inbox = Inbox()
    with running(inbox, authenticator=knows, auth_required=True, auth_require_tls=security != "tls", **options) as port:
        transport = to(port, context=ours, security=security, username="alice", password="right")
        assert verdict(transport.send(unit(1))) is Verdict.ACCEPTED
        transport.close()
        wrong = to(port, context=ours, security=security, username="alice", password="wrong")
        result = wrong.send(unit(1))
        assert verdict(result) is Verdict.RETURNED
        assert "does not let us in" in result.stop
        with pytest.raises(TransportError, match="does not let us in"):
            wrong.check()
        stranger = to(port, security=security)
        result = stranger.send(unit(1))
        assert "No secure connection" in result.stop


def test_a_server_without_starttls_is_refused(to: To) -> None:
    """What should be secret does not travel in the clear: sending stops."""
    with running(Inbox()) as port:
        result = to(port, security="starttls").send(unit(1))
    assert verdict(result) is Verdict.RETURNED
    assert "STARTTLS" in result.stop


def test_a_password_never_travels_in_the_clear(to: To) -> None:
    """A login without security is refused before a connection is made, but on this machine."""
    with pytest.raises(TransportError, match="clear text"):
        to(25, host="mail.example.org", username="alice", password="right").check()


def test_a_mailbox_name_outside_ascii_is_refused_here(to: To) -> None:
    """Such an address fails with a sentence."""
    with running(Inbox()) as port:
        assert verdict(to(port).send(unit([message(1, address="מרים@example.org")]))) is Verdict.REFUSED


def test_a_live_message_without_a_way_out_is_our_fault(to: To) -> None:
    """Neither base URL nor mailto: refused before anything is done."""
    with pytest.raises(TransportError, match="no way to unsubscribe"):
        to(25).send(unit(1, practice=False, base_url="", unsubscribe_mailto=""))


def test_several_threads_have_connections_of_their_own(to: To) -> None:
    """Units sent at once do not mix."""
    inbox = Inbox()
    with running(inbox) as port:
        transport = to(port)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda n: transport.send(unit([message(n)])), range(1, 21)))
        transport.close()
    assert {verdict(one) for one in found} == {Verdict.ACCEPTED}
    assert sorted(people[0] for people, _ in inbox.mails) == sorted(f"person-{n}@example.org" for n in range(1, 21))
