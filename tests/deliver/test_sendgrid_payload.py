"""What is posted to SendGrid."""

from __future__ import annotations

import orjson
import pytest

from pillarbox.deliver.sendgrid.payload import MOST_REQUEST_BYTES, UNSUBSCRIBE_TAG, Request, person, requests
from pillarbox.model.records import Place, Shape, Token
from pillarbox.shape.bodies import body
from pillarbox.standin.limits import refusals
from pillarbox.standin.mailbox import substitute
from tests.deliver.cast import envelope, message, shape, unit


def posted(sent, **options) -> list[tuple[Request, dict]]:
    return [(request, orjson.loads(request.content)) for request in requests(sent, sent.messages, **options)]


def bodies_of(request: dict) -> list[tuple[str, str, str]]:
    """Subject, text and HTML as each supporter gets them."""
    text, html = (part["value"] for part in request["content"])
    return [tuple(substitute(part, one.get("substitutions", {})) for part in (request["subject"], text, html))
            for one in request["personalizations"]]


def test_one_request_gives_everybody_their_own_letter() -> None:
    """A thousand messages travel in one request, and each comes out as its own body."""
    sent = unit(1000)
    [(request, given)] = posted(sent)
    assert request.messages == sent.messages
    wanted = [body(sent.shape, m.values) for m in sent.messages]
    assert bodies_of(given) == [(one.subject, one.text, one.html) for one in wanted]


def test_the_documented_limits_are_kept() -> None:
    """The stand-in, which enforces SendGrid's limits, finds nothing to refuse."""
    for sent in (unit(50), unit(1), unit(3, base_url=""), unit(2, practice=False, tracked=True)):
        for _, given in posted(sent):
            assert refusals(given, 0) == []


def test_more_than_a_thousand_are_split() -> None:
    """No request carries more than 1,000 personalizations."""
    assert [len(request.messages) for request, _ in posted(unit(2001))] == [1000, 1000, 1]


def test_everyone_is_addressed_alone_with_their_own_way_out() -> None:
    """Each personalization has one address, its own unsubscribe link with one click, and our opaque argument."""
    [(_, given)] = posted(unit(3))
    for number, one in enumerate(given["personalizations"], start=1):
        assert [to["email"] for to in one["to"]] == [f"person-{number}@example.org"]
        key = message(number).key
        assert one["headers"] == {
            "List-Unsubscribe": f"<https://letters.example.org/u/{key}>, "
                                "<mailto:leave@charity.example.org?subject=unsubscribe>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "X-Pillarbox-Practice": "yes"}
        assert one["custom_args"] == {"pillarbox": f"proj1234.{number}.77"}
    assert given["categories"] == ["uyghur-freedom-20261122"]


def test_a_live_message_does_not_say_practice() -> None:
    """Only practice is marked as such."""
    [(_, given)] = posted(unit(2, practice=False))
    assert b"Practice" not in orjson.dumps(given)


@pytest.mark.parametrize("tracked", [True, False])
def test_tracking_is_said_in_full(tracked: bool) -> None:
    """Opens and clicks are tracked for those who agreed only; nothing is left to the account's settings."""
    [(_, given)] = posted(unit(2, tracked=tracked))
    assert given["tracking_settings"] == {
        "click_tracking": {"enable": tracked, "enable_text": False}, "open_tracking": {"enable": tracked},
        "subscription_tracking": {"enable": False}, "ganalytics": {"enable": False}}
    assert "mail_settings" not in given


def test_without_a_public_address_sendgrid_adds_the_way_out() -> None:
    """In the Laptop home subscription tracking is on, at the letter's tag where it has one."""
    [(_, given)] = posted(unit(2, base_url="", practice=False))
    assert given["tracking_settings"]["subscription_tracking"]["enable"] is True
    assert "<% %>" in given["tracking_settings"]["subscription_tracking"]["text"]
    assert all("headers" not in one for one in given["personalizations"])
    [(_, given)] = posted(unit(2, base_url="", letter=shape(UNSUBSCRIBE_TAG)))
    assert given["tracking_settings"]["subscription_tracking"] == {"enable": True, "substitution_tag": UNSUBSCRIBE_TAG}


def test_names_are_plain() -> None:
    """What breaks a name at SendGrid, or could begin a header, is taken out; an empty name is left out."""
    assert person("Levi, Miriam; KC") == "Levi Miriam KC"
    assert person("Eve\r\nBcc: all@example.org") == "Eve Bcc: all@example.org"
    [(_, given)] = posted(unit([message(1, to_name="A, B"), message(2, to_name="")]))
    assert [one["to"][0].get("name") for one in given["personalizations"]] == ["A B", None]
    assert given["from"] == {"email": "hello@charity.example.org", "name": "René Cassin the charity"}


def test_what_is_the_same_for_all_is_sent_once() -> None:
    """A value shared by the batch stands in the body; one value in several places has one substitution."""
    [(request, given)] = posted(unit(100))
    assert request.content.count(b"London") == 1
    assert {len(one["substitutions"]) for one in given["personalizations"]} == {3}


def test_a_long_message_travels_alone() -> None:
    """Substitutions of more than 10,000 bytes send that message by itself, with its own body; the others together."""
    people = [message(1), message(2, salutation="é" * 5001), message(3)]
    (first, _), (alone, given) = posted(unit(people))
    assert [m.message_id for m in first.messages] == [1, 3]
    assert [m.message_id for m in alone.messages] == [2]
    assert "substitutions" not in given["personalizations"][0]
    assert bodies_of(given)[0][0] == body(shape(), people[1].values).subject


def test_more_tags_than_allowed_send_messages_alone() -> None:
    """150 substitutions a personalization: a letter with more different fields goes one by one."""
    tokens = [Token(mark=f"x7f{n:05d}x", value=n, place=Place.PLAIN) for n in range(151)]
    letter = Shape(id="1" * 32, subject="Hello", html="<p>Hello</p>", text=" ".join(t.mark for t in tokens),
                   tokens=tuple(tokens))
    people = [message(n) for n in (1, 2)]
    people = [type(m)(message_id=m.message_id, address=m.address, to_name=m.to_name, key=m.key,
                      values=tuple(f"{m.message_id}-{n}" for n in range(151))) for m in people]
    assert [len(request.messages) for request, _ in posted(unit(people, letter=letter))] == [1, 1]


def test_no_address_twice_in_a_request() -> None:
    """A second message to an address waits for a request of its own."""
    people = [message(1, address="same@example.org"), message(2, address="Same@example.org"), message(3)]
    assert [[m.message_id for m in request.messages] for request, _ in posted(unit(people))] == [[1, 3], [2]]


def test_a_request_stays_under_thirty_megabytes() -> None:
    """What would be too large together is halved until it fits."""
    [(three, _)] = posted(unit(3))
    sent = unit(4, letter=shape("x" * ((MOST_REQUEST_BYTES - len(three.content)) // 2)))
    found = [request for request, _ in posted(sent)]
    assert [len(request.messages) for request in found] == [2, 2]
    assert all(len(request.content) <= MOST_REQUEST_BYTES for request in found)


def test_individual_means_a_request_a_message() -> None:
    """The switch sends every message with its whole body."""
    found = posted(unit(3), individual=True)
    assert [len(request.messages) for request, _ in found] == [1, 1, 1]
    assert all("substitutions" not in given["personalizations"][0] for _, given in found)


def test_domains_in_other_letters_become_ascii() -> None:
    """SendGrid gets the IDNA form of a domain."""
    [(_, given)] = posted(unit([message(1, address="miriam@bücher.example")]))
    assert given["personalizations"][0]["to"][0]["email"] == "miriam@xn--bcher-kva.example"


def test_reply_to_is_never_substituted() -> None:
    """Should a tag stand in Reply-To, which SendGrid searches too, the messages go one by one."""
    from pillarbox.shape.bodies import tagged

    tag = tagged(shape(), [message(n).values for n in (1, 2)]).tags[0][0]
    found = posted(unit(2, reply_to_name=f"Ask {tag}"))
    assert [len(request.messages) for request, _ in found] == [1, 1]
    assert envelope().reply_to == found[0][1]["reply_to"]["email"]
