"""Names come out as a person would write them, and every greeting is one that may be read aloud."""

from __future__ import annotations

import pytest

from pillarbox.people.names import salutation, to_name
from pillarbox.people.tidy import Name, cased, parse, tidy, title


@pytest.mark.parametrize(("written", "expected"), [
    ("Revd Dr Ann van der Zyl KC", ("Revd Dr", "Ann", "van der Zyl")),
    ("Dr. John O'Brien OBE", ("Dr", "John", "O'Brien")),
    ("SMITH, John", ("", "John", "Smith")),
    ("Smith, Mr John", ("Mr", "John", "Smith")),
    ("Jane Doe, KC", ("", "Jane", "Doe")),
    ("JOHN SMITH", ("", "John", "Smith")),
    ("Mr & Mrs J Smith", ("Mr & Mrs", "J", "Smith")),
    ("mr. and mrs. smith", ("Mr & Mrs", "", "Smith")),
    ("Mr John and Mrs Mary Smith", ("Mr & Mrs", "John and Mary", "Smith")),
    ("John & Mary MCDONALD", ("", "John and Mary", "McDonald")),
    ("Mr John Smith & Ms Ann Jones", ("Mr", "", "Smith and Ms Jones")),
    ("The Fenwick Charitable Trust", ("", "", "The Fenwick Charitable Trust")),
    ("Dr Smith", ("Dr", "", "Smith")),
    ("Madonna", ("", "Madonna", "")),
    ("שרה כהן", ("", "שרה", "כהן")),
    ("فاطمة الزهراء", ("", "فاطمة", "الزهراء")),
    ("", ("", "", "")),
])
def test_a_whole_name_is_put_into_parts(written: str, expected: tuple[str, str, str]) -> None:
    """Titles, couples, trusts, post-nominals and particles are told apart."""
    found = parse(written)
    assert (found.title, found.first_name, found.last_name) == expected


@pytest.mark.parametrize(("written", "expected"), [
    ("JOHN", "John"), ("john", "John"), ("O'BRIEN", "O'Brien"), ("o’brien", "O’Brien"), ("MCDONALD", "McDonald"),
    ("VAN DER ZYL", "van der Zyl"), ("ANNE-MARIE", "Anne-Marie"), ("COHEN-SMITH", "Cohen-Smith"),
    ("D'SOUZA", "D'Souza"), ("HENRY III", "Henry III"),
    ("DeShawn", "DeShawn"), ("McDonald", "McDonald"), ("van der Zyl", "van der Zyl"), ("JP", "JP"), ("ÇELİK", "ÇELİK"),
    ("شيرين", "شيرين"), ("שרה", "שרה"), ("LE", "LE"),
])
def test_only_shouting_and_whispering_are_mended(written: str, expected: str) -> None:
    """All capitals or all small letters become a name; anything else stays as its bearer wrote it."""
    assert cased(written) == expected


def test_titles_are_written_as_in_britain() -> None:
    """No full stops, usual case; an unknown title stays."""
    assert [title(t) for t in ("MR.", "mrs", "Mr and Mrs", "REVD DR", "Tan Sri")] == [
        "Mr", "Mrs", "Mr & Mrs", "Revd Dr", "Tan Sri"]
    assert tidy(Name(title="MR AND MRS", first_name="D", last_name="GREEN KC")) == Name(
        title="Mr & Mrs", first_name="D", last_name="Green")


@pytest.mark.parametrize(("parts", "expected"), [
    (("Ms", "Ann", "Okafor", ""), "Dear Ms Okafor"),
    (("Revd Dr", "Ann", "Sadler", ""), "Dear Revd Dr Sadler"),
    (("Mr & Mrs", "J", "Smith", ""), "Dear Mr & Mrs Smith"),
    (("Mr", "John and Mary", "Smith", ""), "Dear John and Mary"),
    (("", "Ann", "Okafor", ""), "Dear Ann"),
    (("", "A", "Okafor", ""), "Dear A Okafor"),
    (("Ms", "Ann", "", ""), "Dear Ann"),
    (("Sir", "Hugh", "Pemberton", ""), "Dear Sir Hugh"),
    (("Sir", "", "Pemberton", ""), "Dear Supporter"),
    (("Rt Hon Lady", "Cecily", "Marchbanks", ""), "Dear Lady Marchbanks"),
    (("The Hon", "Cecily", "Marchbanks", ""), "Dear Cecily"),
    (("", "", "The Fenwick Charitable Trust", ""), "Dear Trustees"),
    (("", "", "Northgate Synagogue", ""), "Dear Supporter"),
    (("", "", "Okafor", ""), "Dear Supporter"),
    (("", "", "", ""), "Dear Supporter"),
    (("Mr", "", "Smith", "Johnny"), "Dear Johnny"),
    (("Mr", "", "Smith", "dear Johnny"), "dear Johnny"),
    (("", "שרה", "כהן", "שלום שרה"), "Dear שלום שרה"),
])
def test_the_greeting_is_a_whole_line(parts: tuple[str, str, str, str], expected: str) -> None:
    """The list's own salutation wins; else title and name; else "Dear Supporter"."""
    titled, first, last, said = parts
    assert salutation(title=titled, first_name=first, last_name=last, said=said) == expected


def test_the_name_on_the_envelope() -> None:
    """First and last name; a title where it is needed; nothing for nobody."""
    assert to_name(title="Ms", first_name="Ann", last_name="Okafor") == "Ann Okafor"
    assert to_name(title="Mr & Mrs", first_name="J", last_name="Smith") == "Mr & Mrs J Smith"
    assert to_name(title="Dr", first_name="", last_name="Feldman") == "Dr Feldman"
    assert to_name(title="Dr", first_name="", last_name="") == ""
