"""SpamAssassin's score is advice where it is installed; where it is not, nothing is done."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest

from pillarbox.checking import spam
from pillarbox.checking.spam import Score, measure, message
from pillarbox.model.records import Level
from tests.checking.outside import stand_in
from tests.checking.wording import DAY, matter


def test_its_score_is_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points, where spam begins, and what counted: one piece of advice, even when it says spam."""
    status = "Yes, score=6.3 required=5.0 tests=HTML_MESSAGE,\n\tMONEY_NOHTML,URG_BIZ autolearn=no\n\tversion=4.0.1"
    monkeypatch.setenv("PATH", str(stand_in(tmp_path / "bin", status)))
    [finding] = spam.look(matter(tmp_path, "Hello\n"))
    assert (finding.code, finding.level) == ("spam-score", Level.ADVICE)
    assert "6.3 points" in finding.message
    assert "MONEY_NOHTML, URG_BIZ" in finding.message
    assert "HTML_MESSAGE" not in finding.message


def test_a_clean_letter_has_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No tests but those that speak of the road."""
    status = "No, score=-0.0 required=5.0 tests=NO_RELAYS,HTML_MESSAGE\n\tautolearn=unavailable version=4.0.1"
    monkeypatch.setenv("PATH", str(stand_in(tmp_path / "bin", status)))
    assert list(spam.look(matter(tmp_path, "Hello\n"))) == []


def test_the_whole_message_is_given_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Subject, both parts and the unsubscribe header, with plain words for values and no tokens left."""
    folder = stand_in(tmp_path / "bin", "No, score=0.1 required=5.0 tests=none version=4")
    monkeypatch.setenv("PATH", str(folder))
    name = "{{ supporter.first_name }}"
    list(spam.look(matter(tmp_path, f"Dear {name}, hello\n", subject=f"For {name}")))
    given = email.message_from_bytes((folder / "given.eml").read_bytes(), policy=email.policy.default)
    assert given["Subject"] == "For Ada"
    assert given["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in given.walk()][1:] == ["text/plain", "text/html"]
    for part in list(given.walk())[1:]:
        assert "Dear Ada, hello" in part.get_content()  # type: ignore[attr-defined]


def test_without_it_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program of that name: no finding."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert spam.command() == ()
    assert list(spam.look(matter(tmp_path, "Hello\n"))) == []


def test_spamc_does_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small client of a running spamd is used where there is no spamassassin."""
    folder = stand_in(tmp_path / "bin", "No, score=1.5 required=5.0 tests=URG_BIZ version=4", name="spamc")
    monkeypatch.setenv("PATH", str(folder))
    [finding] = spam.look(matter(tmp_path, "Hello\n"))
    assert "1.5 points" in finding.message


def test_one_that_answers_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that breaks, or takes too long, gives no score, and stops no check."""
    made = message(matter(tmp_path, "Hello\n").shapes[0], {}, DAY)
    assert measure((str(tmp_path / "none"),), made) is None
    monkeypatch.setattr(spam, "MOST_SECONDS", 0.3)
    slow = stand_in(tmp_path / "bin", "No, score=1 required=5 tests=none", before="time.sleep(20)")
    assert measure((str(slow / "spamassassin"),), made) is None
    monkeypatch.setenv("PATH", str(stand_in(tmp_path / "bin", "garbled")))
    monkeypatch.setattr(spam, "MOST_SECONDS", 30.0)
    [finding] = spam.look(matter(tmp_path, "Hello\n"))
    assert (finding.code, finding.level) == ("spam-unknown", Level.ADVICE)


def test_a_score_is_read_as_it_is_printed(tmp_path: Path) -> None:
    """Folded lines and no tests."""
    folder = stand_in(tmp_path / "bin", "No, score=-1.9 required=5.0 tests=none autolearn=no")
    assert measure((str(folder / "spamassassin"),), b"Subject: x\n\nHello\n") == Score(
        points=-1.9, required=5.0, tests=())
