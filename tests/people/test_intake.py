"""An import takes in whom it may, counts every row once, and brings nobody back."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import delete, func, insert, select, update

from bench import make_sample_list
from pillarbox.ground import clock
from pillarbox.ground.address import keyed_hash, normalise
from pillarbox.ground.errors import ListError, Refused
from pillarbox.model.states import Basis, Channel, SuppressionReason
from pillarbox.people import audience, rights
from pillarbox.people.audience import Rule
from pillarbox.people.entries import Unfit, mailbox
from pillarbox.people.intake import ImportReport, import_list
from pillarbox.store import consents as consent_store
from pillarbox.store.connect import Store
from pillarbox.store.schema import (
    audit,
    consent_changes,
    consents,
    imports,
    list_members,
    lists,
    metadata,
    supporters,
    suppressions,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SECRET = b"a secret for tests"
SAMPLE = Path(__file__).resolve().parents[2] / "lists" / "sample-supporters.csv"


def listed(folder: Path, text: str, name: str = "list.csv") -> Path:
    """A list file with this text."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def take(store: Store, path: Path, **said: Any) -> ImportReport:
    """Import with consent into ``main`` unless said otherwise."""
    terms = {"list_name": "main", "basis": Basis.CONSENT, "source": "stall", "obtained": date(2026, 3, 1),
             "tracking": None, "dry_run": False, **said}
    with clock.freeze(NOW):
        report = import_list(store, secret=SECRET, path=path, **terms)
    assert report.rows == (report.added + report.updated + report.unchanged + len(report.rejected)
                           + sum(report.kept_out.values()) + report.merged)
    return report


def counts(report: ImportReport) -> tuple[int, int, int]:
    """Added, updated, unchanged."""
    return report.added, report.updated, report.unchanged


def one(store: Store, address: str) -> Any:
    """The supporter's row."""
    with store.reading() as connection:
        return connection.execute(select(supporters).where(supporters.c.address == address)).one()


def basis(store: Store, address: str) -> dict[str, str]:
    """Channel → basis."""
    with store.reading() as connection:
        rows = connection.execute(select(consents.c.channel, consents.c.basis).join(supporters).where(
            supporters.c.address == address)).all()
    return dict(map(tuple, rows))


def everything(store: Store) -> dict[str, list[Any]]:
    """Every row of every table."""
    with store.reading() as connection:
        return {name: list(connection.execute(select(table))) for name, table in metadata.tables.items()}


def leaves(store: Store, address: str, reason: SuppressionReason) -> None:
    """The address is suppressed."""
    with store.writing() as connection:
        rights.suppress(connection, address_hash=keyed_hash(address, SECRET), address=address, reason=reason,
                        source="test", at=NOW)


ALICE = "Email,First name,Surname,Town\nAlice@Example.org,Alice,Smith,Leeds\n"


def test_a_supporter_comes_in_whole(store: Store, tmp_path: Path) -> None:
    """Address, hash, name, fields, list, consent with its history, the import and the audit line."""
    report = take(store, listed(tmp_path, ALICE))
    assert counts(report) == (1, 0, 0)
    assert report.list_created
    alice = one(store, "alice@example.org")
    assert alice.address_hash == keyed_hash("alice@example.org", SECRET)
    assert (alice.first_name, alice.last_name, alice.fields) == ("Alice", "Smith", {"town": "Leeds"})
    with store.reading() as connection:
        consent = connection.execute(select(consents)).one()
        assert (consent.channel, consent.basis, consent.source, consent.obtained_on) == (
            "email", "consent", "stall", date(2026, 3, 1))
        change = connection.execute(select(consent_changes)).one()
        assert (change.before, change.after, change.source) == ("none", "consent", "stall")
        kept = connection.execute(select(imports)).one()
        assert (kept.kind, kept.file_name, len(kept.content_hash)) == ("supporters", "list.csv", 64)
        assert (kept.options["basis"], kept.options["list"], kept.counts["added"]) == ("consent", "main", 1)
        assert connection.execute(select(list_members.c.import_id)).scalar_one() == kept.id == consent.import_id
        assert connection.execute(select(audit.c.action, audit.c.subject)).one() == ("lists import", "main")


def test_the_report_has_the_stable_keys_first(store: Store, tmp_path: Path) -> None:
    """What --json promises."""
    said = take(store, listed(tmp_path, ALICE + "nonsense,X,Y,Z\n")).to_json()
    assert list(said)[:6] == ["rows", "added", "updated", "unchanged", "rejected", "kept_out"]
    assert said["rejected"] == [{"line": 3, "reason": "Not an email address: An email address must have an @-sign."}]
    assert said["kept_out"] == {}


def test_the_same_file_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    """Who is known and has nothing new is unchanged."""
    path = listed(tmp_path, ALICE)
    take(store, path, tracking=True)
    assert counts(take(store, path, tracking=True)) == (0, 0, 1)


def test_an_empty_cell_erases_nothing(store: Store, tmp_path: Path) -> None:
    """What a later file does not say stays; what it says anew is taken."""
    take(store, listed(tmp_path, ALICE))
    report = take(store, listed(tmp_path, "Email,First name,Surname,Town,Ward\nalice@example.org,,Jones,,North\n"))
    assert counts(report) == (0, 1, 0)
    alice = one(store, "alice@example.org")
    assert (alice.first_name, alice.last_name, alice.fields) == ("Alice", "Jones", {"town": "Leeds", "ward": "North"})


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_no_import_brings_back_who_left(store: Store, tmp_path: Path, reason: SuppressionReason) -> None:
    """A suppressed address is kept out, counted with its reason, and nothing about it changes."""
    path = listed(tmp_path, ALICE)
    take(store, path)
    leaves(store, "alice@example.org", reason)
    before = basis(store, "alice@example.org")
    report = take(store, listed(tmp_path, ALICE.replace("Leeds", "York")))
    assert (report.kept_out, counts(report)) == ({reason.value: 1}, (0, 0, 0))
    assert one(store, "alice@example.org").fields == {"town": "Leeds"}
    assert basis(store, "alice@example.org") == before
    with store.reading() as connection:
        assert not list(audience.candidates(connection, Rule(lists=("main",)), {}))


def test_a_stranger_who_left_is_not_added(store: Store, tmp_path: Path) -> None:
    """A suppression holds for people who are on no list yet."""
    leaves(store, "alice@example.org", SuppressionReason.FPS)
    assert take(store, listed(tmp_path, ALICE)).kept_out == {"fps": 1}


def test_who_left_this_list_stays_away_from_it(store: Store, tmp_path: Path) -> None:
    """Leaving one list holds for that list alone."""
    path = listed(tmp_path, ALICE)
    take(store, path)
    with store.writing() as connection:
        connection.execute(update(list_members).values(left_at=NOW))
    assert take(store, path).kept_out == {"left-list": 1}
    assert counts(take(store, path, list_name="other")) == (0, 1, 0)


def test_consent_never_becomes_less(store: Store, tmp_path: Path) -> None:
    """A later import with a lesser basis, or none, leaves consent and its record alone."""
    path = listed(tmp_path, ALICE)
    take(store, path, tracking=True)
    for lesser in (None, Basis.NONE, Basis.SOFT_OPT_IN):
        assert counts(take(store, path, basis=lesser, tracking=False, source="other")) == (0, 0, 1)
    assert basis(store, "alice@example.org") == {"email": "consent", "tracking": "consent"}
    with store.reading() as connection:
        assert set(connection.execute(select(consents.c.source)).scalars()) == {"stall"}


def test_consent_can_become_more(store: Store, tmp_path: Path) -> None:
    """None, then soft opt-in, then consent; each step in the history."""
    path = listed(tmp_path, ALICE)
    report = take(store, path, basis=None)
    assert "can receive nothing yet" in report.warnings[0]
    assert basis(store, "alice@example.org") == {"email": "none"}
    take(store, path, basis=Basis.SOFT_OPT_IN)
    take(store, path, basis=Basis.CONSENT)
    with store.reading() as connection:
        steps = connection.execute(select(consent_changes.c.before, consent_changes.c.after)
                                   .order_by(consent_changes.c.id)).all()
    assert [tuple(step) for step in steps] == [("none", "soft-opt-in"), ("soft-opt-in", "consent")]


def test_what_was_withdrawn_is_not_given_again(store: Store, tmp_path: Path) -> None:
    """Whoever took tracking back is not tracked because an old file says yes."""
    path = listed(tmp_path, ALICE)
    take(store, path, tracking=True)
    with store.writing() as connection:
        consent_store.withdraw(connection, one(store, "alice@example.org").id, "preferences", NOW, (Channel.TRACKING,))
    report = take(store, path, tracking=True)
    assert basis(store, "alice@example.org") == {"email": "consent", "tracking": "none"}
    assert "withdrawn since" in report.warnings[0]


@pytest.mark.parametrize("obtained", [None, date(2026, 2, 4)])
def test_the_soft_opt_in_has_a_first_day(store: Store, tmp_path: Path, obtained: date | None) -> None:
    """Details from before 5 February 2026, or of no known day, are refused on that basis."""
    with pytest.raises(Refused, match=r"on or after 5 February 2026 \(PECR reg. 22\(3A\)\)"):
        take(store, listed(tmp_path, ALICE), basis=Basis.SOFT_OPT_IN, obtained=obtained)
    assert counts(take(store, listed(tmp_path, ALICE), basis=Basis.SOFT_OPT_IN, obtained=date(2026, 2, 5))) == (1, 0, 0)


def test_a_row_of_its_own_date_is_held_to_it(store: Store, tmp_path: Path) -> None:
    """A consent date in the file counts before the date that staff state."""
    text = "Email,Consent date\nold@example.org,01/12/2025\nnew@example.org,2026-04-01\nsame@example.org,\n"
    report = take(store, listed(tmp_path, text), basis=Basis.SOFT_OPT_IN)
    assert [basis(store, f"{name}@example.org")["email"] for name in ("old", "new", "same")] == [
        "none", "soft-opt-in", "soft-opt-in"]
    assert "1 were obtained before" in report.warnings[0]


def test_a_day_to_come_and_a_bad_list_name_are_refused(store: Store, tmp_path: Path) -> None:
    """Nothing is read when the terms cannot be."""
    with pytest.raises(Refused, match="still to come"):
        take(store, listed(tmp_path, ALICE), obtained=date(2026, 11, 21))
    with pytest.raises(Refused, match="cannot be a list's name"):
        take(store, listed(tmp_path, ALICE), list_name="My List!")


def test_tracking_is_each_ones_own_choice(store: Store, tmp_path: Path) -> None:
    """The column counts before what staff state; silence takes what they state; without either nothing is recorded."""
    text = "Email,Tracking consent\na@example.org,Yes\nb@example.org,no\nc@example.org,\n"
    take(store, listed(tmp_path, text), tracking=True)
    assert [basis(store, f"{name}@example.org")["tracking"] for name in "abc"] == ["consent", "none", "consent"]
    take(store, listed(tmp_path, "Email\nd@example.org\n"))
    assert "tracking" not in basis(store, "d@example.org")


def test_a_consent_column_only_narrows(store: Store, tmp_path: Path) -> None:
    """With a consent column only those who say yes in it get the basis."""
    text = "Email,Email opt-in\na@example.org,Y\nb@example.org,N\nc@example.org,\n"
    report = take(store, listed(tmp_path, text))
    assert [basis(store, f"{name}@example.org")["email"] for name in "abc"] == ["consent", "none", "none"]
    assert "'Email opt-in'" in report.warnings[0]


def test_a_lists_own_no_is_kept(store: Store, tmp_path: Path) -> None:
    """Rows that the list itself marks as unsubscribed, bounced or deceased become suppressions."""
    text = ("Contact ID,Email,Do Not Email,On Hold,Is Deceased\n1,a@example.org,Yes,,\n2,b@example.org,No,2026-01-01,\n"
            "3,c@example.org,,,yes\n4,d@example.org,0,No,no\n")
    report = take(store, listed(tmp_path, text))
    assert (report.format, report.kept_out, report.added) == (
        "civicrm", {"bounced": 1, "manual": 1, "unsubscribed": 1}, 1)
    assert take(store, listed(tmp_path, "Email\na@example.org\n")).kept_out == {"unsubscribed": 1}


def test_a_mailchimp_export_is_understood(store: Store, tmp_path: Path) -> None:
    """Its date of consent is taken, its guesses about a person are not, and who left there has left here."""
    text = ('"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,LATITUDE,LEID,'
            'EUID,NOTES,TAGS,UNSUB_TIME\n'
            'ann@example.org,Ann,Hart,4,,,"2024-05-06 10:11:12",51.5,1,2,,"""Donor"",""Event""",\n'
            'bob@example.org,Bob,Hart,2,,,"2024-05-06 10:11:12",51.5,3,4,,,"2025-01-01 00:00:00"\n')
    report = take(store, listed(tmp_path, text))
    assert (report.format, report.added, report.kept_out) == ("mailchimp", 1, {"unsubscribed": 1})
    assert one(store, "ann@example.org").fields == {"tags": '"Donor","Event"'}
    with store.reading() as connection:
        assert connection.execute(select(consents.c.obtained_on)).scalars().all() == [date(2024, 5, 6)]


def test_duplicates_are_merged_and_the_fullest_row_wins(store: Store, tmp_path: Path) -> None:
    """Letter case and spaces make no second supporter; gaps are filled from the others; a no outweighs a yes."""
    text = ("Email,First name,Surname,Town,Tracking\na@example.org,,,York,yes\nA@EXAMPLE.ORG ,Ann,Hart,Leeds,no\n"
            "a@example.org,Anne,,,yes\n")
    report = take(store, listed(tmp_path, text))
    assert (report.rows, report.added, report.merged) == (3, 1, 2)
    ann = one(store, "a@example.org")
    assert (ann.first_name, ann.last_name, ann.fields) == ("Ann", "Hart", {"town": "Leeds"})
    assert basis(store, "a@example.org")["tracking"] == "none"


@pytest.mark.parametrize(("cell", "reason"), [
    ('"a@example.org; b@example.org"', "Several addresses in one cell"),
    ("a@example.org / b@example.org", "Several addresses in one cell"),
    ("", "No email address"),
    ("a@b@example.org", "Not an email address"),
    ("a @example.org", "Not an email address"),
    ("a@example.org\x00,", None), ("a@example.org;", None), ("mailto:A@example.org", None),
    ("Ann Hart <a@example.org>", None), ("\u200ba@example.org\u00a0", None), ("\u202aa@example.org\u202c", None),
])
def test_each_address_is_taken_or_told(store: Store, tmp_path: Path, cell: str, reason: str | None) -> None:
    """One clean address comes in, however it is wrapped; anything else is rejected with its reason, not repeated."""
    report = take(store, listed(tmp_path, f"Email,Name\n{cell},Ann\n" if cell[-1:] != "," else f"Email,Name\n{cell}\n"))
    if reason is None:
        assert one(store, "a@example.org")
    else:
        assert report.rejected[0].line == 2
        assert reason in report.rejected[0].reason
        assert "example" not in report.rejected[0].reason


@pytest.mark.parametrize("text", [
    "Ann.Hart+post@Mail.Example.org", "ann@bücher.example", "o'brien@example.org", "ann..hart@example.org",
    f"{'x' * 65}@example.org", ".ann@example.org", "ann@example", "ann@xn--bcher-kva.example", "añn@example.org",
    f"ann@{'x' * 60}.{'y' * 60}.{'z' * 60}.{'w' * 60}.example.org",
])
def test_the_quick_way_reads_addresses_as_the_slow_way(text: str) -> None:
    """Remembering a domain changes nothing about which addresses are good, and what they become."""
    def slow() -> str | None:
        try:
            return normalise(text)
        except ValueError:
            return None

    def quick() -> str | None:
        try:
            return mailbox(text)
        except Unfit:
            return None

    assert quick() == slow()


def test_nothing_harmful_gets_into_a_name(store: Store, tmp_path: Path) -> None:
    """Line breaks, NUL, controls, BOM and bidi overrides are gone before anything is kept."""
    text = ('Email,First name,Surname,Notes\na@example.org,"Ann\r\nBcc: x@example.org","\u202eHart\ufeff\x07\x00",'
            '"one\r\ntwo\rthree\x85"\n')
    take(store, listed(tmp_path, text))
    ann = one(store, "a@example.org")
    assert (ann.first_name, ann.last_name, ann.fields) == ("Ann Bcc: x@example.org", "Hart",
                                                           {"notes": "one\ntwo\nthree"})
    with store.reading() as connection:
        candidate = next(audience.candidates(connection, Rule(lists=("main",)), {}))
    assert not set("\r\n\0") & set(candidate.salutation + candidate.to_name)


def test_a_failed_formula_is_no_name(store: Store, tmp_path: Path) -> None:
    """A look-up that found nothing leaves #N/A in a sheet: nobody is greeted by it."""
    take(store, listed(tmp_path, "Email,First name,Surname,Town\na@example.org,#N/A,Ash,#REF!\n"))
    found = one(store, "a@example.org")
    assert (found.first_name, found.last_name, found.fields) == ("", "Ash", {})


def test_names_are_one_unicode_form_and_other_scripts_untouched(store: Store, tmp_path: Path) -> None:
    """A decomposed é is composed; Hebrew and Uyghur come out as they went in."""
    take(store, listed(tmp_path, "Email,First name,Surname\na@example.org,Rene\u0301,CASSIN\nb@example.org,שרה,כהן\n"
                                 "c@example.org,ئايگۈل,تۇرسۇن\n"))
    assert one(store, "a@example.org").first_name == "René"
    assert one(store, "b@example.org")[3:6] == ("", "שרה", "כהן")
    assert one(store, "c@example.org").first_name == "ئايگۈل"


def test_absurd_cells_are_told_by_row(store: Store, tmp_path: Path) -> None:
    """A megabyte in a cell, a name of a page, or too many cells: the row is rejected, the rest comes in."""
    text = (f"Email,First name,Notes\na@example.org,A,{'x' * 1_000_000}\nb@example.org,{'y' * 201},z\n"
            "c@example.org,C,fine,stray\nd@example.org,D,\n")
    report = take(store, listed(tmp_path, text))
    assert [row.line for row in report.rejected] == [2, 3, 4]
    assert "1,000,000 characters" in report.rejected[0].reason
    assert "first name is 201" in report.rejected[1].reason
    assert "More cells" in report.rejected[2].reason
    assert report.added == 1


def test_headings_alone_are_an_empty_list(store: Store, tmp_path: Path) -> None:
    """A list of nobody is imported as such."""
    assert take(store, listed(tmp_path, "Email,Name\n")).rows == 0


def test_no_email_column_changes_nothing(store: Store, tmp_path: Path) -> None:
    """The columns that were found are named, and not even the list is made."""
    with pytest.raises(ListError, match="The columns are: Name, Phone"):
        take(store, listed(tmp_path, "Name,Phone\nAnn,1\n"))
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(lists)).scalar_one() == 0


def test_a_workbook_comes_in_like_a_csv(store: Store, tmp_path: Path) -> None:
    """XLSX rows, row numbers and all."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["E-mail", "Surname", "Phone"], ["a@example.org", "HART", 447700900123], [None, None, None],
                ["nobody", "X", None], ['=CONCAT("b","@example.org")', "Y", None]):
        sheet.append(row)
    book.save(tmp_path / "list.xlsx")
    report = take(store, tmp_path / "list.xlsx")
    assert (report.rows, report.added) == (3, 1)
    assert [(row.line, row.reason[:16]) for row in report.rejected] == [
        (4, "Not an email add"), (5, "No email address")]
    assert one(store, "a@example.org").fields == {"phone": "447700900123"}


def test_a_dry_run_tells_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    """The same report, and every table as before."""
    take(store, listed(tmp_path, ALICE))
    before = everything(store)
    path = listed(tmp_path, ALICE.replace("Leeds", "York") + "bob@example.org,Bob,Hart,York\n")
    rehearsed = take(store, path, dry_run=True)
    assert everything(store) == before
    done = take(store, path)
    assert counts(rehearsed) == counts(done) == (1, 1, 0)


def test_a_failure_leaves_nothing_half_done(store: Store, tmp_path: Path) -> None:
    """When the database fails in the middle, not one row of the import stays."""
    rows = "".join(f"s{number}@example.org\n" for number in range(5_001))
    path = listed(tmp_path, "Email\n" + rows)
    with store.writing() as connection:  # the second chunk's only supporter will collide
        connection.execute(insert(supporters).values(
            address="s5000@example.org", address_hash="f" * 32, fields={}, created_at=NOW, updated_at=NOW))
    before = everything(store)
    with pytest.raises(Exception, match=r"(?i)unique"):
        take(store, path)
    assert everything(store) == before


def test_the_sample_list_comes_in_with_exact_counts(store: Store) -> None:
    """The list that ships: 500 supporters, 9 typed twice, 12 rows that no list should hold."""
    report = take(store, SAMPLE, list_name="supporters")
    assert (report.rows, counts(report), report.merged, len(report.rejected)) == (521, (500, 0, 0), 9, 12)
    assert (report.kept_out, report.about) == ({}, {"encoding": "utf-8", "delimiter": "comma"})
    several = [row for row in report.rejected if row.reason.startswith("Several")]
    assert len(several) == 3
    assert counts(take(store, SAMPLE, list_name="supporters")) == (0, 0, 500)
    with store.reading() as connection:
        found = list(audience.candidates(connection, Rule(lists=("supporters",)), {}))
    assert len(found) == 500
    assert 0.65 <= sum(candidate.tracked for candidate in found) / 500 <= 0.75
    greetings = {candidate.salutation for candidate in found}
    assert {"Dear Mr & Mrs Smith", "Dear Peter and Ann", "Dear Mr & Mrs Green", "Dear Trustees", "Dear Supporter",
            "Dear Sir Hugh", "Dear Revd Dr Sadler", "Dear Lady Marchbanks", "Dear שרה"} <= greetings
    assert not [greeting for greeting in greetings if greeting.removeprefix("Dear ").isupper()]


def test_the_sample_list_is_what_its_script_makes() -> None:
    """The same seed gives the file that ships, byte for byte."""
    assert SAMPLE.read_bytes() == make_sample_list.content()


def test_the_sample_list_is_plainly_made_up() -> None:
    """Every address that is one lies at example.org."""
    with SAMPLE.open(encoding="utf-8-sig", newline="") as lines:
        cells = [row[1] for row in csv.reader(lines) if row][1:]
    assert all("example" in cell.lower() for cell in cells if cell.count("@") == 1 and not cell.strip().endswith("@"))


def test_an_erased_person_stays_erased(store: Store, tmp_path: Path) -> None:
    """After forgetting, an import of the old file brings nobody back."""
    take(store, listed(tmp_path, ALICE))
    rights.forget(store, secret=SECRET, email="ALICE@example.org")
    assert take(store, listed(tmp_path, ALICE)).kept_out == {"erased": 1}
    with store.writing() as connection:
        connection.execute(delete(suppressions))
    assert take(store, listed(tmp_path, ALICE)).added == 1
