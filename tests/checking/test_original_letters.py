"""The two letters as they were published: their real slips are found, and in those that we send there are none."""

from __future__ import annotations

import datetime
import os
import re
from pathlib import Path

import pytest

from pillarbox.model.records import Finding, Level
from tests.checking.wording import matter, said

ROOT = Path(__file__).resolve().parent.parent.parent
SENT = datetime.date(2026, 11, 23)


def original(name: str) -> str:
    """A published letter as Markdown: its bullets become a list."""
    given = os.environ.get("PILLARBOX_SHARED")
    places = [Path(given)] if given else [ROOT.parent / "shared", ROOT.parent.parent / "shared"]
    folder = next((place / "letters" for place in places if (place / "letters").is_dir()), None)
    if folder is None:
        pytest.skip("the originals are not beside this checkout (../shared/letters)")
    text = (folder / f"{name}.txt").read_text("utf-8")
    return re.sub(r"^[ \u00a0]*•[ \u00a0]*", "- ", text, flags=re.MULTILINE)


def words(findings: list[Finding]) -> list[tuple[str, int | None]]:
    return [(each.code, each.line) for each in findings]


@pytest.mark.shared
def test_the_slips_of_the_human_rights_day_message_are_found(tmp_path: Path) -> None:
    """“particuar” and six more, each at its line; nothing that is right is told."""
    made = matter(tmp_path, original("human-rights-day"), subject="Human Rights Day", day=SENT)
    found = said(made)
    assert sorted(words(found)) == [
        ("accent-lost", 9), ("anniversary", 1), ("blank-before-mark", 9), ("mixed-up", 1), ("mixed-up", 9),
        ("mixed-up", 11), ("other-day", 1), ("spelling", 7)]
    assert any("“particuar” is in no dictionary. Is “particular” meant?" in each.message for each in found)


@pytest.mark.shared
def test_the_quotations_of_the_uyghur_appeal_that_never_close_are_found(tmp_path: Path) -> None:
    """The Chief Rabbi's and the Observer's, two without a full stop, a comma in the date, and a blank too many."""
    made = matter(tmp_path, original("uyghur-freedom"), subject="Uyghur freedom", settings="date = 2021-02-03\n",
                  day=datetime.date(2021, 2, 3))
    assert words(said(made)) == [
        ("date-comma", 3), ("quote-not-closed", 23), ("quote-without-stop", 24), ("quote-without-stop", 25),
        ("quote-not-closed", 27), ("two-blanks", 52)]


@pytest.mark.parametrize("name", ["human-rights-day", "uyghur-freedom"])
@pytest.mark.parametrize("day", [SENT, datetime.date(2026, 12, 10), datetime.date(2026, 12, 14)])
def test_the_letters_that_we_send_have_none(tmp_path: Path, name: str, day: datetime.date) -> None:
    """No false alarm on either; the appeal of 2021 speaks of “next year”, which is worth a word of advice."""
    folder = ROOT / "appeals" / name
    settings = (folder / "appeal.toml").read_text("utf-8")
    subject = re.search(r'^subject = "(.*)"$', settings, re.MULTILINE)
    assert subject is not None
    rest = settings.replace(subject[0] + "\n", "")
    letter = (folder / "letter.md").read_text("utf-8")
    found = said(matter(tmp_path, letter, subject=subject[1], settings=rest, day=day))
    assert [each.code for each in found if each.level is not Level.ADVICE] == []
    assert [each.code for each in found] == (["old-date"] if name == "uyghur-freedom" else [])
