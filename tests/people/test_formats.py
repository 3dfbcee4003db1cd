"""Columns of known exports find their way, and those that cannot be are refused."""

from __future__ import annotations

import pytest

from pillarbox.ground.errors import ListError
from pillarbox.people import formats


def columns(*headings: str, mapping: dict[str, str] | None = None) -> dict[str, str]:
    """Heading → where it goes."""
    found = formats.match(headings, format="auto", mapping=mapping or {}, where="list.csv")
    return dict(zip(headings, found.goes_to, strict=True))


@pytest.mark.parametrize("heading", ["email", "E-mail", "E-Mail Address", "EMAIL ADDRESS", "Primary Email", "e_mail"])
def test_an_email_column_has_many_names(heading: str) -> None:
    """Case, spaces and hyphens do not matter."""
    assert columns("X", heading)[heading] == "email"


def test_unknown_columns_become_fields() -> None:
    """Clean snake case, each once, none in the way of what a letter already has."""
    assert columns("Email", "Last Gift (£)", "Town / City", "Fields", "שם", "2024 total", "Notes!", "notes") == {
        "Email": "email", "Last Gift (£)": "last_gift", "Town / City": "town_city", "Fields": "fields_2",
        "שם": "column_5", "2024 total": "column_2024_total", "Notes!": "notes", "notes": "notes_2"}


def test_mailchimp_and_civicrm_are_known_by_their_columns() -> None:
    """Each export's own words are mapped, and what nobody needs of them is left behind."""
    mailchimp = columns("Email Address", "First Name", "OPTIN_TIME", "OPTIN_IP", "LEID", "EUID", "UNSUB_TIME")
    assert (mailchimp["OPTIN_TIME"], mailchimp["OPTIN_IP"], mailchimp["UNSUB_TIME"]) == (
        "obtained", "ignore", "opted_out")
    civicrm = columns("Contact ID", "Individual Prefix", "Email", "Do Not Email", "On Hold", "Email Greeting")
    assert civicrm == {"Contact ID": "contact_id", "Individual Prefix": "title", "Email": "email",
                       "Do Not Email": "opted_out", "On Hold": "bounced", "Email Greeting": "salutation"}


def test_a_mapping_wins() -> None:
    """--map sends a column where staff say, to a field of any name, or nowhere."""
    assert columns("Mail 1", "Email", "Region", "Junk", mapping={"mail 1": "email", "Region": "area", "Junk": "ignore"}
                   ) == {"Mail 1": "email", "Email": "email_2", "Region": "area", "Junk": "ignore"}


@pytest.mark.parametrize(("headings", "options", "words"), [
    (["Name", "Phone"], {}, "The columns are: Name, Phone. Call the column 'Email'"),
    (["Email"], {"format": "mailchump"}, "Known: auto, generic, mailchimp, civicrm"),
    (["Email"], {"mapping": {"Nmae": "x"}}, "no column 'Nmae' to map"),
    (["Email", "A", "B"], {"mapping": {"A": "x", "B": "x"}}, "Two columns are mapped to 'x'"),
    (["Email", "A"], {"mapping": {"A": "1;DROP"}}, "cannot be a field's name"),
    (["Email", *map(str, range(999))], {}, "1,000 columns"),
])
def test_columns_that_cannot_be_are_refused(headings: list[str], options: dict[str, object], words: str) -> None:
    """No email column, an unknown format or a bad mapping: a sentence with the way out."""
    with pytest.raises(ListError) as caught:
        formats.match(headings, **{"format": "auto", "mapping": {}, **options}, where="list.csv")  # type: ignore[arg-type]
    assert words in caught.value.sentence()


def test_headings_are_known_by_any_export() -> None:
    """What finds the headings in a file: an email column weighs most, and a mapped one counts as known."""
    assert formats.recognised(["Supporters 2026", "Town"], {}) < formats.recognised(["LEID", "Town"], {})
    assert formats.recognised(["LEID", "EUID", "Title"], {}) < formats.recognised(["E-mail", "Town"], {})
    assert formats.recognised(["Courriel", "Nom"], {"courriel": "email"}) == (True, 1)
