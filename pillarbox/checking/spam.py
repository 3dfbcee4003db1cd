"""SpamAssassin's score of the finished letter, where it is installed: advice, never a reason to stop.

Starts ``spamc`` (which asks this machine's spamd) or ``spamassassin``, without their tests over the network; the letter
with its tokens filled in goes to their standard input, and nowhere else. Without them nothing is done.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from pathlib import Path

from pillarbox.checking.matter import Matter
from pillarbox.model.records import Finding, Level, Place, Shape

CODES: Mapping[str, str] = {
    "spam-score": "What SpamAssassin says of the letter.",
    "spam-unknown": "SpamAssassin is installed and gave no score.",
}
MOST_SECONDS = 30.0
NOT_INSTALLED = "SpamAssassin is not installed here, so its score is not known."
_STATUS = re.compile(r"^X-Spam-Status:\s*(?:Yes|No),\s*score=(?P<score>-?\d+(?:\.\d+)?)\s+"
                     r"required=(?P<required>\d+(?:\.\d+)?)(?:\s+tests=(?P<tests>[\w,\s]*?))?(?=\s+\w+=|$)",
                     re.MULTILINE)
_OURS = frozenset((
    "NO_RELAYS", "NO_RECEIVED", "ALL_TRUSTED", "MISSING_DATE", "MISSING_MID", "NO_HEADERS_MESSAGE", "TVD_SPACE_RATIO",
    "HTML_MESSAGE", "HTML_FONT_LOW_CONTRAST"))
"""Tests that speak of the road, which a letter that never left has not taken, and of nothing that staff can mend: the
layouts hide the preheader in the page's own colour."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """What SpamAssassin says of a message."""

    points: float
    required: float
    """From as many on it calls a message spam."""
    tests: tuple[str, ...]


def command() -> tuple[str, ...]:
    """How SpamAssassin is started on this machine; empty when it is not installed."""
    if found := shutil.which("spamassassin"):
        return (found, "--local", "--test-mode", "--nocreate-prefs")
    if found := shutil.which("spamc"):
        return (found,)
    return ()


def look(matter: Matter) -> Iterator[Finding]:
    """The score of the letter's first version, when it can be had."""
    if not (start := command()) or not matter.shapes:
        return
    letter = matter.bundle.appeal.letter.file
    score = measure(start, message(matter.shapes[0], matter.bundle.sender, matter.day))
    if score is None:
        yield Finding(level=Level.ADVICE, code="spam-unknown", file=letter, line=None,
                      message=f"SpamAssassin ({Path(start[0]).name}) gave no score: try it by hand, or go without.")
        return
    tests = [test for test in score.tests if test not in _OURS]
    why = f" It counted {', '.join(tests)}: search for these names to learn what they mean." if tests else ""
    if tests or score.points >= score.required:
        yield Finding(level=Level.ADVICE, code="spam-score", file=letter, line=None,
                      message=f"SpamAssassin gives {score.points:g} points, and calls a letter spam from "
                              f"{score.required:g}.{why}")


def measure(start: tuple[str, ...], content: bytes) -> Score | None:
    """SpamAssassin's score of a message; None when there is none within half a minute."""
    try:
        done = subprocess.run(start, input=content, capture_output=True, check=False,  # noqa: S603 - found on PATH
                              timeout=MOST_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    text = re.sub(r"\r?\n[ \t]+", " ", done.stdout.decode("utf-8", "replace"))
    found = _STATUS.search(text)
    if found is None:
        return None
    tests = tuple(test for test in re.split(r"[,\s]+", found["tests"] or "") if test and test != "none")
    return Score(points=float(found["score"]), required=float(found["required"]), tests=tests)


def message(shape: Shape, sender: Mapping[str, str], day: date) -> bytes:
    """The letter as a message of this day, with plain words for a supporter's values."""
    letter = EmailMessage(policy=SMTP)
    letter["From"] = formataddr((sender.get("name") or "Charity", sender.get("email") or "letters@example.org"))
    letter["To"] = "Ada Sample <ada@example.org>"
    letter["Date"] = format_datetime(datetime.combine(day, time(10), UTC))
    letter["Message-ID"] = "<check@example.org>"
    letter["Subject"] = _filled(shape, shape.subject)
    letter["List-Unsubscribe"] = "<https://example.org/u>"
    letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter.set_content(_filled(shape, shape.text), cte="quoted-printable")
    letter.add_alternative(_filled(shape, shape.html), subtype="html", cte="quoted-printable")
    return bytes(letter)


def _filled(shape: Shape, text: str) -> str:
    for token in shape.tokens:
        in_link = token.place in (Place.URL, Place.URL_START)
        text = text.replace(token.mark, "https://example.org/a" if in_link else "Ada")
    return text
