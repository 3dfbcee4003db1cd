"""The words that staff read in a report: one place, so that page, terminal and workbook say the same."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pillarbox.ground.money import Money
from pillarbox.model.causes import Cause
from pillarbox.model.states import Attribution, MailingState, MessageState, Outcome
from pillarbox.reports.rates import Rate
from pillarbox.store.contributions import folded

PRACTICE = "PRACTICE: nobody was mailed"

_HANDED = {"sendgrid": "Handed to SendGrid", "smtp": "Handed to the mail server", "files": "Written to files"}

STATE = {
    MessageState.PLANNED: "Still to go",
    MessageState.SUBMITTING: "On its way out",
    MessageState.ACCEPTED: "Handed over",
    MessageState.FAILED: "Refused",
    MessageState.IN_DOUBT: "Not sure it went",
    MessageState.CANCELLED: "Cancelled",
    MessageState.WITHDRAWN: "Left out since planning",
}

OUTCOME = {
    Outcome.NONE: "Nothing heard yet",
    Outcome.DEFERRED: "Put off, still trying",
    Outcome.DELIVERED: "Delivered",
    Outcome.BLOCKED: "Turned away",
    Outcome.BOUNCED: "Bounced",
    Outcome.DROPPED: "Not tried",
}

MAILING_STATE = {
    MailingState.COMPOSING: "being composed",
    MailingState.PLANNED: "planned, not sent",
    MailingState.SENDING: "being sent",
    MailingState.HELD: "handed over, to leave later",
    MailingState.PAUSED: "paused",
    MailingState.SENT: "sent",
    MailingState.CANCELLED: "cancelled",
}

EVIDENCE = {
    Attribution.LINK_CODE: ("Supporter’s own link", "The gift carried the code of one supporter’s letter."),
    Attribution.SOURCE_CODE: ("This mailing’s code", "The gift carried the code that every copy of the letter has."),
    Attribution.ADDRESS: ("Same address, soon after",
                          "No code, but the letter had gone to the giver’s address shortly before."),
    Attribution.NONE: ("Put here by hand", "No code and no match: somebody tied the gift to this mailing."),
}

_REASONS = {
    "unsubscribed": "Asked not to be mailed (unsubscribed)",
    "complained": "Marked an earlier letter as spam",
    "bounced": "An earlier letter bounced for good",
    "invalid": "The address cannot receive mail",
    "erased": "Asked to be forgotten",
    "manual": "Put on the do-not-mail list by staff",
    "fps": "Registered with the Fundraising Preference Service",
    "suppressed": "On the do-not-mail list",
    "no-consent": "No consent or soft opt-in for email",
    "no-basis": "No consent or soft opt-in for email",
    "consent": "No consent or soft opt-in for email",
    "no-address": "No email address",
    "duplicate": "The same address as another supporter",
    "left": "Left the list",
    "left-list": "Left the list",
    "excluded": "On a list that was excluded",
    "excluded-list": "On a list that was excluded",
    "already-sent": "Already had this letter",
    "already": "Already had this letter",
    "frequency": "Wants at most one letter a month, and had one",
    "paused": "Asked for a pause",
    "newsletters-only": "Wants newsletters only",
    "former-address": "An address that its owner has given up",
    "recently-mailed": "Had another letter just before",
    "not-reached": "Never got the letter that is corrected",
    "forgotten": "Asked to be forgotten",
    "outside-segment": "Outside the chosen segment",
    "changed-address": "The address changed after planning",
    "tracking-withdrawn": "The tracking choice changed after planning",
    "address-changed": "The address changed after planning",
    "tracking-changed": "The tracking choice changed after planning",
}

CAUSE = {
    Cause.NO_MAILBOX: "No such mailbox",
    Cause.NO_MAIL_AT_DOMAIN: "Domain takes no mail",
    Cause.NO_DOMAIN: "No such domain",
    Cause.FAULTY_ADDRESS: "Faulty address",
    Cause.MOVED: "Mailbox has moved",
    Cause.CLOSED: "Mailbox closed",
    Cause.FULL: "Mailbox full",
    Cause.TOO_LONG_FOR_MAILBOX: "Letter too long for the mailbox",
    Cause.TOO_LONG_FOR_SERVER: "Letter too long for the server",
    Cause.NO_ANSWER: "Server did not answer",
    Cause.SENDER_CHECKS: "Sender checks failed (SPF, DKIM, DMARC)",
    Cause.POLICY: "Refused by the mailbox’s policy",
    Cause.POLICY_FOR_NOW: "Refused for now by the mailbox’s policy",
    Cause.BOUNCED_BEFORE: "Bounced before",
    Cause.UNSUBSCRIBED_AT_PROVIDER: "Unsubscribed at SendGrid",
    Cause.COMPLAINED_BEFORE: "Reported spam before",
    Cause.INVALID_ADDRESS: "Invalid address",
    Cause.ACCOUNT_QUOTA: "SendGrid account over its quota",
    Cause.TAKEN_FOR_SPAM: "Taken for spam",
    Cause.OTHER: "Other reasons",
    Cause.NOT_TOLD: "No reason given",
}

_ADDRESS = re.compile(r"[^\s<>@,;:\"']+@[^\s<>@,;:\"']+")
_DOOR = re.compile(r"/([uvp])/…$|/(d)/(?:…|[0-9A-Za-z]{8})(?:/monthly)?$")
"""A letter's own pages (web/), without their key; the donate link also with a mailing's source code."""
DONATE_DOOR = "The donation page"
"""What ``link`` calls our own donate link."""

_CAUSES = frozenset(map(str, Cause))

DEFINITIONS: tuple[tuple[str, str], ...] = (
    ("Handed to SendGrid", "SendGrid (or the mail server) took the letter over. It says nothing yet about the inbox."),
    ("Delivered", "The supporter’s mail server took the letter in, and it did not come back later. It may lie in the "
                  "spam folder: nobody is told that."),
    ("Bounced", "The mailbox refuses letters for good. The address is not mailed again."),
    ("Turned away", "The server refused this letter for a reason of its own. The address stays on the list."),
    ("Not tried", "SendGrid did not try, because of what it knew of the address."),
    ("Agreed to tracking", "Supporters who consented to open and click tracking. The letters of all others carry no "
                           "pixel and no rewritten link, so what they did with them is unknown, not zero."),
    ("Opened by people", "Letters of supporters who agreed to tracking with at least one open that does not look like "
                         "a machine’s. People who block images are missed."),
    ("Opened by machines only", "Letters whose only opens came from mail-privacy proxies and scanners, such as "
                                "Apple’s. A person may have read them too; it cannot be told, so they stand apart."),
    ("Clicked", "Letters of supporters who agreed to tracking in which a person followed a link. What link scanners "
                "clicked stands apart."),
    ("Unsubscribed, complained", "Letters whose supporter unsubscribed through them, or marked them as spam."),
    ("Raised", "Pounds received and tied to this mailing, less what was given back or taken back by the giver’s bank. "
               "Other currencies are listed, never converted."),
    ("Gift Aid to claim", "25p for each pound marked for Gift Aid: what HMRC adds when each giver’s declaration is "
                          "valid. Rounded down."),
    ("People who gave", "Different people, told apart by supporter or address. A gift without either counts as one "
                        "more person."),
    ("Gave, of delivered", "Delivered letters whose own supporter gave. Gifts that cannot be tied to a supporter raise "
                           "the amount but not this rate."),
    ("Regular gifts", "Gifts that start or belong to regular giving. Only what has been received is counted."),
    ("Pledged", "Regular gifts that began because of this mailing. Their worth in a year stands apart: it is a hope, "
                "not money received. A month counts twelve times in it, a week fifty-two."),
    ("The range after a rate", "Had the same letter gone to other people like these, the rate would have come out "
                               "within the range 19 times in 20 (Wilson 1927; for pounds per letter Fay and Feuer "
                               "1997). With few letters the range is wide: do not compare rates whose ranges overlap."),
    ("Events heard until", "Nothing that happened after this moment is in the figures. Opens and gifts go on for "
                           "weeks."),
)


def state_of(state: MailingState, *, begun: bool) -> str:
    """A mailing's state; one that was paused in mid-send and resumed is planned again, but no longer "not sent"."""
    return "begun, and waits to go on" if state is MailingState.PLANNED and begun else MAILING_STATE[state]


def handed(transport: str) -> str:
    """What has happened to an accepted message, by the way it took."""
    return _HANDED.get(transport, "Handed over")


def left_out(reason: str) -> str:
    """Why somebody is not in a mailing, in plain words; an unknown reason is read as it stands."""
    read_as_it_stands = without_addresses(reason).replace("-", " ").replace("_", " ").capitalize()
    return _REASONS.get(reason.replace("_", "-"), read_as_it_stands)


def cause(key: str) -> str:
    """Why letters came back, in plain words; a status code that has none of its own is shown."""
    return CAUSE[Cause(key)] if key in _CAUSES else f"Other ({key})"


def without_addresses(text: str) -> str:
    """The text with every email address taken out."""
    return _ADDRESS.sub("(address)", text)


def link(url: str) -> str:
    """A link without what is one supporter's own: no query, no key, no address."""
    plain = folded(url)
    if door := _DOOR.search(plain):
        return {"v": "The letter in the browser", "u": "The unsubscribe page",
                "p": "The preferences page", "d": DONATE_DOOR}[door[1] or door[2]]
    return plain


def pounds(pence: int) -> str:
    """£1,250 or £12.50: no pennies where there are none."""
    text = str(Money(minor=abs(pence)))
    return ("−" if pence < 0 else "") + text.removesuffix(".00")


def percent(fraction: float) -> str:
    """68%, 9.6%, 0.21%: two or three digits that mean something."""
    value = fraction * 100
    if value == 0 or value >= 99.95:
        return f"{value:.0f}%"
    return f"{value:.0f}%" if 20 <= value <= 90 else f"{value:.1f}%" if value >= 1 else f"{value:.2f}%"


def spread(rate: Rate) -> str:
    """The range of a rate: ``63–73%``."""
    low, high = percent(rate.low), percent(rate.high)
    if rate.low >= 0.01 and "." not in high and rate.high < 0.9:
        low = f"{rate.low * 100:.0f}%"  # no finer than the other end: 16–25%
    return low if low == high else f"{low.removesuffix('%')}–{high}"


def each(rate: Rate) -> tuple[str, str]:
    """Pounds per letter and their range: ``£0.87``, ``£0.52–£1.40``."""
    return f"£{rate.value:,.2f}", f"£{rate.low:,.2f}–£{rate.high:,.2f}"


def moment(at: datetime, zone: str) -> str:
    """Mon 23 Nov 2026, 10:05."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def lasted(span: timedelta) -> str:
    """How long something took, in words."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 90:
        return f"{minutes} minute{'s' if minutes != 1 else ''}"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"
