"""An appeal's variants: each way of writing one down is read, and what cannot be is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pillarbox.content.appeal import Appeal, read, read_service
from pillarbox.content.bundle import gather, unpack
from pillarbox.content.variants import words
from pillarbox.model.config import Settings
from pillarbox.model.records import Level

TITLE = 'title = "Spring"\n'
SUBJECT = 'subject = "The garden opens"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "appeals" / "spring"
    found.mkdir(parents=True)
    (found / "appeal.toml").write_text(TITLE + SUBJECT, "utf-8")
    (found / "letter.md").write_text("Dear you\n", "utf-8")
    return found


def sound(folder: Path, toml: str | None = None) -> Appeal:
    if toml is not None:
        (folder / "appeal.toml").write_text(toml, "utf-8")
    appeal, findings = read(folder.parents[1], "spring")
    assert appeal is not None, findings
    return appeal


def faults(folder: Path, toml: str | None = None) -> list[tuple[str, str, int | None]]:
    if toml is not None:
        (folder / "appeal.toml").write_text(toml, "utf-8")
    appeal, findings = read(folder.parents[1], "spring")
    assert appeal is None
    return [(each.code, each.file.rpartition("/")[2], each.line) for each in findings]


@pytest.mark.parametrize("toml", [
    TITLE + SUBJECT + '[variants.b]\nsubject = "Seeds"\npreheader = "And rain"\n',
    TITLE + SUBJECT + '"subject.b" = "Seeds"\n"preheader.b" = "And rain"\n',
    TITLE + SUBJECT + 'subject.b = "Seeds"\npreheader.b = "And rain"\n',
    TITLE + 'subject.a = "The garden opens"\nsubject.b = "Seeds"\npreheader.b = "And rain"\n',
    TITLE + SUBJECT + 'variants.b.subject = "Seeds"\nvariants.b.preheader = "And rain"\n',
    TITLE + SUBJECT + 'variants = {b = {subject = "Seeds", preheader = "And rain"}}\n',
    TITLE + SUBJECT + 'subject.b = "Seeds"\n\n[variants.b]\npreheader = "And rain"\n',
    TITLE + SUBJECT + 'subject.b = "Seeds"\npreheader.b = "And rain"\n[facts]\nsubject.b = "not a variant"\n',
])
def test_each_way_of_writing_a_variant_means_the_same(folder: Path, toml: str) -> None:
    """Whatever a writer remembers of ``subject.b`` and ``[variants.b]``, it is read."""
    appeal = sound(folder, toml)
    assert appeal.labels == ("a", "b")
    assert (appeal.subject, appeal.preheader) == ("The garden opens", "")
    other = appeal.as_variant("b")
    assert (other.subject, other.preheader, other.letter) == ("Seeds", "And rain", appeal.letter)
    assert appeal.differences("b") == ("subject", "preheader")


def test_a_letter_without_variants_has_no_labels(folder: Path) -> None:
    """Where nothing is said of variants there are none, and ``a`` is the letter."""
    appeal = sound(folder)
    assert appeal.labels == ()
    assert appeal.as_variant("a") == appeal


def test_a_letter_of_its_own_brings_its_own_text(folder: Path) -> None:
    """letter.b.md replaces both parts of the letter; a hand-written letter.txt stays with variant a."""
    (folder / "letter.txt").write_text("By hand\n", "utf-8")
    (folder / "letter.b.md").write_text("Dear all\n", "utf-8")
    appeal = sound(folder)
    other = appeal.as_variant("b")
    assert (other.letter.file, other.letter.content, other.text) == ("appeals/spring/letter.b.md", "Dear all\n", None)
    assert other.subject == appeal.subject
    assert appeal.differences("b") == ("letter", "text")


def test_a_text_part_alone_is_a_variant(folder: Path) -> None:
    """letter.b.txt goes with the letter that everybody has."""
    (folder / "letter.b.txt").write_text("By hand\n", "utf-8")
    other = sound(folder).as_variant("b")
    assert other.letter.file == "appeals/spring/letter.md"
    assert other.text is not None
    assert other.text.content == "By hand\n"


def test_places_lead_to_the_line_of_the_variant(folder: Path) -> None:
    """A fault in a variant's subject is shown where that subject stands."""
    assert sound(folder, TITLE + SUBJECT + '\n[variants.b]\npreheader = "x"\nsubject = "y"\n').as_variant(
        "b").subject_line == 6
    assert sound(folder, TITLE + SUBJECT + '\nsubject.b = "y"\n').as_variant("b").subject_line == 4
    assert sound(folder, TITLE + SUBJECT + '\npreheader.b = "y"\n').as_variant("b").subject_line == 2


@pytest.mark.parametrize(("more", "wanted"), [
    ('subject.f = "x"\n', [("bad-variant", "appeal.toml", 3)]),
    ('[variants.B]\nsubject = "x"\n', [("bad-variant", "appeal.toml", 3)]),
    ('subject.a = "x"\n', [("bad-variant", "appeal.toml", 3)]),
    ('[variants.a]\nsubject = "x"\n', [("bad-variant", "appeal.toml", 3)]),
    ('subject.b = "x"\n[variants.b]\nsubject = "y"\n', [("bad-variant", "appeal.toml", 3)]),
    ('subject.b = ""\n', [("bad-setting", "appeal.toml", 3)]),
    ('subject.b = 7\n', [("bad-setting", "appeal.toml", 3)]),
    ('[variants.b]\nsubjekt = "x"\n', [("bad-setting", "appeal.toml", 4)]),
    ('variants = 7\n', [("bad-setting", "appeal.toml", 3)]),
    ('[variants.b]\n', [("same-variant", "appeal.toml", 3)]),
    ('subject.b = "The garden opens"\n', [("same-variant", "appeal.toml", 3)]),
    ('subject.b = "x\n', [("bad-toml", "appeal.toml", 3)]),
])
def test_what_cannot_be_a_variant_is_told_with_its_line(folder: Path, more: str,
                                                        wanted: list[tuple[str, str, int | None]]) -> None:
    """A wrong label, a thing said twice, an empty subject, a variant that says nothing: a finding with its line."""
    assert faults(folder, TITLE + SUBJECT + more) == wanted


def test_the_letters_own_subject_is_said_once(folder: Path) -> None:
    """``subject`` and ``subject.a`` are the same thing, in whichever order they stand."""
    assert faults(folder, TITLE + '"subject.a" = "x"\nsubject = "y"\n') == [("bad-variant", "appeal.toml", 2)]


@pytest.mark.parametrize(("name", "content", "code"), [
    ("letter.f.md", "x", "bad-variant"),
    ("letter.a.md", "x", "bad-variant"),
    ("letter.B.md", "x", "bad-variant"),
    ("letter.b.md", " \n", "empty-letter"),
    ("letter.b.md", "Dear you\n", "same-variant"),
    ("letter.b.html", "<p>x</p>", "no-text-part"),
])
def test_a_file_that_cannot_be_a_variant_is_named(folder: Path, name: str, content: str, code: str) -> None:
    """A file that looks like a variant and is none would leave supporters without it."""
    (folder / name).write_text(content, "utf-8")
    [(found, file, _)] = faults(folder)
    assert found == code
    assert file in (name, "appeal.toml")


def test_two_letters_of_one_variant_are_a_fault(folder: Path) -> None:
    """letter.b.md beside letter.b.html: which would it be?"""
    (folder / "letter.b.md").write_text("x", "utf-8")
    (folder / "letter.b.html").write_text("x", "utf-8")
    assert ("two-letters", "letter.b.html", None) in faults(folder)


def test_a_draft_beside_the_letter_is_only_mentioned(folder: Path) -> None:
    """letter.old.md is no variant; the appeal is sound, and staff are told that nobody reads that file."""
    (folder / "letter.old.md").write_text("x", "utf-8")
    appeal, [finding] = read(folder.parents[1], "spring")
    assert appeal is not None
    assert (finding.level, finding.code) == (Level.WARNING, "stray-letter")


def test_a_service_letter_has_no_variants(tmp_path: Path) -> None:
    """It is approved as one letter and answers one person: a second one beside it is refused, not overlooked."""
    folder = tmp_path / "templates" / "service" / "welcome"
    folder.mkdir(parents=True)
    (folder / "appeal.toml").write_text(TITLE + SUBJECT + 'kind = "service"\nsubject.b = "Hello"\n', "utf-8")
    (folder / "letter.md").write_text("Dear you\n", "utf-8")
    appeal, [finding] = read_service(tmp_path, "welcome")
    assert (appeal, finding.code) == (None, "bad-variant")


def test_a_bundle_keeps_variants_and_tells_them_apart(folder: Path) -> None:
    """Packed and unpacked, every variant is there; another word in one of them is another bundle."""
    settings = Settings(folder=folder.parents[1])
    plain, _ = gather(settings, "spring")
    (folder / "letter.b.md").write_text("Dear all\n", "utf-8")
    one, _ = gather(settings, "spring")
    (folder / "letter.b.md").write_text("Dear everybody\n", "utf-8")
    other, _ = gather(settings, "spring")
    assert plain is not None
    assert one is not None
    assert other is not None
    assert len({plain.id, one.id, other.id}) == 3
    again = unpack(one.pack())
    assert again == one
    assert again.as_variant("b").appeal.letter.content == "Dear all\n"
    assert b"variants" not in _unzipped(plain.pack())


def _unzipped(packed: bytes) -> bytes:
    import zlib

    return zlib.decompress(packed)


def test_a_variant_in_words_shows_its_subject_and_what_else_differs() -> None:
    """Staff read the subject as supporters do, with dots where a name goes."""
    subject = "{% if supporter.first_name %}{{ supporter.first_name }}, come{% else %}Come{% endif %}"
    assert words("b", {"subject": subject, "differs": ["subject", "letter"]}) == "“…, come | Come”, another letter"
    assert words("a", {"subject": "Come", "differs": []}) == "“Come”"
