"""Why a letter came back: the cause that a mail server's words tell, without anybody's address or name in it."""

from __future__ import annotations

import re
from enum import StrEnum


class Cause(StrEnum):
    """What staff can act on, the most telling first; a status code without a member is a cause of its own."""

    NO_MAILBOX = "no-mailbox"
    NO_MAIL_AT_DOMAIN = "no-mail-at-domain"
    NO_DOMAIN = "no-domain"
    FAULTY_ADDRESS = "faulty-address"
    MOVED = "moved"
    CLOSED = "closed"
    FULL = "full"
    TOO_LONG_FOR_MAILBOX = "too-long-for-mailbox"
    TOO_LONG_FOR_SERVER = "too-long-for-server"
    NO_ANSWER = "no-answer"
    SENDER_CHECKS = "sender-checks"
    POLICY = "policy"
    POLICY_FOR_NOW = "policy-for-now"
    BOUNCED_BEFORE = "bounced-before"
    UNSUBSCRIBED_AT_PROVIDER = "unsubscribed-at-provider"
    COMPLAINED_BEFORE = "complained-before"
    INVALID_ADDRESS = "invalid-address"
    ACCOUNT_QUOTA = "account-quota"
    TAKEN_FOR_SPAM = "taken-for-spam"
    OTHER = "other"
    NOT_TOLD = "not-told"


# Enhanced status codes (RFC 3463 with RFC 7372, IANA registry); the longest match wins.
_OF_CODE = {
    "5.1.1": Cause.NO_MAILBOX, "5.1.10": Cause.NO_MAIL_AT_DOMAIN, "5.1.2": Cause.NO_DOMAIN,
    "5.1.3": Cause.FAULTY_ADDRESS, "5.1.6": Cause.MOVED, "5.2.1": Cause.CLOSED, "4.2.1": Cause.CLOSED,
    "5.2.2": Cause.FULL, "4.2.2": Cause.FULL, "5.2.3": Cause.TOO_LONG_FOR_MAILBOX, "5.3.4": Cause.TOO_LONG_FOR_SERVER,
    "5.4.1": Cause.NO_ANSWER, "4.4.1": Cause.NO_ANSWER, "5.4.4": Cause.NO_DOMAIN, "5.7.26": Cause.SENDER_CHECKS,
    "5.7.23": Cause.SENDER_CHECKS, "5.7.20": Cause.SENDER_CHECKS, "5.7": Cause.POLICY, "4.7": Cause.POLICY_FOR_NOW,
}
# The reasons that SendGrid gives a dropped message (event webhook reference), and what servers say without a code.
_OF_PHRASE = (
    ("bounced address", Cause.BOUNCED_BEFORE), ("unsubscribed address", Cause.UNSUBSCRIBED_AT_PROVIDER),
    ("spam reporting address", Cause.COMPLAINED_BEFORE), ("invalid", Cause.INVALID_ADDRESS),
    ("over package quota", Cause.ACCOUNT_QUOTA), ("spam content", Cause.TAKEN_FOR_SPAM),
    ("mailbox full", Cause.FULL), ("quota", Cause.FULL), ("user unknown", Cause.NO_MAILBOX),
    ("does not exist", Cause.NO_MAILBOX), ("no such user", Cause.NO_MAILBOX), ("unknown user", Cause.NO_MAILBOX),
    ("blocklist", Cause.POLICY), ("blocked", Cause.POLICY), ("spam", Cause.TAKEN_FOR_SPAM),
    ("timed out", Cause.NO_ANSWER), ("timeout", Cause.NO_ANSWER),
)
_CODE = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


def cause_of(reason: str) -> str:
    """A ``Cause``, or the enhanced status code of one that has no name here (``5.9.9``).

    Args:
        reason: what the server or the provider said; it may hold addresses, which do not get into the cause.
    """
    if not reason.strip():
        return str(Cause.NOT_TOLD)
    code = found.group(1) if (found := _CODE.search(reason)) else ""
    if named := _OF_CODE.get(code) or _OF_CODE.get(code.rpartition(".")[0]):
        return str(named)
    lowered = reason.lower()
    return str(next((cause for phrase, cause in _OF_PHRASE if phrase in lowered), code or Cause.OTHER))


_ORDER = {str(cause): place for place, cause in enumerate(Cause)}


def weight(cause: str) -> tuple[int, str]:
    """Of several causes that were told of one message the least by this one counts."""
    return _ORDER.get(cause, _ORDER[Cause.OTHER]), cause
