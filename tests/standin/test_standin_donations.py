"""The donation file tells the same story as the events, with the usual dirt."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pillarbox.standin.donations import COLUMNS, Generosity, code_in, rows, write
from pillarbox.standin.mailbox import Kept
from pillarbox.standin.reactions import Reaction, reactions

SENT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def told(letters: list[Kept]) -> list[Reaction]:
    return reactions(letters, seed=7, sent=SENT)


def test_a_seed_repeats_itself(told: list[Reaction]) -> None:
    """One seed gives one file, another seed another."""
    assert rows(told, seed=7) == rows(told, seed=7)
    assert rows(told, seed=7) != rows(told, seed=8)


def test_codes_come_from_the_givers_own_letter(told: list[Reaction]) -> None:
    """A reference is the code of a link that this supporter followed."""
    followed = {code_in(url, "ref"): one.message.address for one in told for _, url in one.clicks}
    coded = [row for row in rows(told, seed=7) if row["Reference"]]
    assert len(coded) >= 5
    assert all(followed[row["Reference"]] == row["Email"].lower() for row in coded)


def test_untracked_supporters_give_too(letters: list[Kept]) -> None:
    """What people give does not hang on whether SendGrid watched them."""
    untracked = [replace(one, open_tracking=False, click_tracking=False) for one in letters]
    assert any(row["Reference"] for row in rows(reactions(untracked, seed=7, sent=SENT), seed=7))


def test_the_usual_dirt_is_there(told: list[Reaction]) -> None:
    """Gifts without code, strangers, euros, regular gifts, one row twice."""
    found = rows(told, seed=7, generosity=Generosity(read=0.2, monthly=0.3))
    known = {one.message.address for one in told}
    assert any(not row["Reference"] and row["Email"].lower() in known for row in found)
    assert sum(row["Email"] not in known and row["Email"].endswith("example.net") for row in found) == 2
    assert [row["Currency"] for row in found].count("EUR") in (1, 2)
    assert any(row["Frequency"] == "Monthly" for row in found)
    assert len(found) - len({row["Donation ID"] for row in found}) == 1


def test_another_parameter_can_carry_the_code(told: list[Reaction]) -> None:
    """A link without the named parameter is no donate link."""
    assert rows(told, seed=7, parameter="other") == []


def test_the_file_opens_in_a_spreadsheet(told: list[Reaction], tmp_path: Path) -> None:
    """CSV with a byte-order mark, the columns in order, every row whole."""
    found = rows(told, seed=7)
    write(found, tmp_path / "donations.csv")
    with (tmp_path / "donations.csv").open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == COLUMNS
        assert list(reader) == found
