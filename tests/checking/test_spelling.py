"""Spelling: slips are found with the word that was meant, and names, values and other languages are left in peace."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pillarbox.checking import spelling
from pillarbox.checking.dictionary import english
from pillarbox.checking.examine import examine
from pillarbox.checking.spelling import one_slip, review
from pillarbox.content.words import Words, parse
from pillarbox.model.records import Finding, Level
from tests.checking.wording import matter, passages

COMMON = """
absense/absence acheive/achieve accomodation/accommodation accross/across adress/address agressive/aggressive
apparant/apparent aquire/acquire arguement/argument assasinate/assassinate atheletic/athletic begining/beginning
beleive/believe benificial/beneficial buisness/business calender/calendar campain/campaign catagory/category
changable/changeable charites/charities collegue/colleague comittee/committee commited/committed concious/conscious
contibution/contribution convinient/convenient definately/definitely desparate/desperate dissapear/disappear
dissapoint/disappoint donatoin/donation embarass/embarrass enviroment/environment existance/existence
experiance/experience familar/familiar finaly/finally foriegn/foreign fourty/forty freind/friend fullfil/fulfil
gaurd/guard generousity/generosity goverment/government gratefull/grateful harrass/harass hospise/hospice
humourous/humorous immediatly/immediately independant/independent intresting/interesting jewellry/jewellery
knowlege/knowledge liason/liaison libary/library maintainance/maintenance millenium/millennium neccessary/necessary
occassion/occasion occured/occurred oppurtunity/opportunity orginal/original parliment/parliament
persistant/persistent posession/possession prefered/preferred privelege/privilege recieve/receive
reccomend/recommend refered/referred refugess/refugees religous/religious remeber/remember rember/remember
resistence/resistance seperate/separate seige/siege sucessful/successful suport/support suprise/surprise
tommorow/tomorrow tounge/tongue truely/truly unfortunatly/unfortunately untill/until vaccum/vacuum
volunter/volunteer wellcome/welcome wether/whether writting/writing adn/and teh/the thsi/this taht/that yuo/you
hlep/help mroe/more peopel/people wiht/with wich/which becuase/because thier/their woudl/would
"""
"""What people often write, and what they mean."""


def found(text: str, words: str = "", file: str = "letter.md") -> list[Finding]:
    return list(review(passages(text, file), parse(words)))


@pytest.mark.parametrize(("text", "word", "meant"), [
    ("It has a particuar significance.", "particuar", "particular"),
    ("We recieve no money.", "recieve", "receive"),
    ("teh harbour", "teh", "the"),
    ("We need alot of help.", "alot", "a lot"),
    ("We organize marches.", "organize", "organise"),
    ("Our favorite colour", "favorite", "favourite"),
    ("Particuar care is taken.", "Particuar", "Particular"),
    ("We wrote to the Goverment.", "Goverment", "Government"),
    ("See you on Wedensday.", "Wedensday", "Wednesday"),
    ("PLEASE HELP URGENLTY TODAY", "URGENLTY", "urgently"),
    ("a well-meanign friend", "meanign", "meaning"),
    ("the charity’s freinds’ letters", "freinds", "friends"),
])
def test_a_slip_is_told_with_the_word_that_was_meant(text: str, word: str, meant: str) -> None:
    """One finding, a warning, that names the word and the likeliest one."""
    [finding] = found(text)
    assert (finding.code, finding.level, finding.line) == ("spelling", Level.WARNING, 1)
    assert f"“{word}" in finding.message
    assert f"“{meant}”" in finding.message


def test_what_people_often_misspell_is_found() -> None:
    """A hundred common slips, singly: each is found, and in nineteen of twenty the word that is meant is offered."""
    pairs = [pair.split("/") for pair in COMMON.split()]
    told = [found(f"we saw {slip} here") for slip, _ in pairs]
    assert [slip for (slip, _), findings in zip(pairs, told, strict=True) if len(findings) != 1] == []
    offered = sum(f"“{meant}”" in finding.message for (_, meant), [finding] in zip(pairs, told, strict=True))
    assert offered >= 0.95 * len(pairs)


def test_a_slip_of_a_name_that_the_charity_knows_is_told() -> None:
    """One letter wrong in a word of words.txt is found although names are left in peace."""
    [finding] = found("We stand by the Uyghyrs and the Uyghur people.", "Uyghur Uyghurs")
    assert "“Uyghur" in finding.message
    assert not found("We stand by the Uyghurs and Rahima.", "Uyghur Uyghurs")


def test_a_word_that_nothing_is_like_is_advice() -> None:
    """Without a likely word it may be right: less is said, and where to put it."""
    [finding] = found("We met a qwrtzuiop there.")
    assert finding.level is Level.ADVICE
    assert "templates/words.txt" in finding.message


@pytest.mark.parametrize("text", [
    "Rahima Mahmut, a Uyghur in London, met Marie van der Zyl. Rahima spoke. Mahmut listened.",
    "Zyxwvut came. We thanked Zyxwvut.", "Amina walked. Rahel sang. Nadira spoke.", "Martinal came. Martinal went.",
    "Write to helo@exampel.org, see www.exampel.org/abuot, https://x.example/teh or exampel.org.uk",
    "The BBC, NGOs, iPhone, JustGiving, 10th, 3pm, 4x4, P.S., e.g., i.e., RSVP, NW11 8LX",
    "Dear {{ supporter.first_name }}s, {{ x }}th, qq{{ y }} `teh`",
    "café naïve cafe Chloë’s judgment livestreamed wellbeing antisemitism foodbanks covid well-being socio-economic",
    "They’ve, we’d, who’s, o’clock, ma’am, the supporters’ choice, the 1990s, ’tis",
    "Our co-founder’s anti-racist re-elected non-profit",
    "In *tikkun olam* we trust",
    "organising realised analysing colour centre travelled fulfil enrol licence practise grey programme",
    "@exampel #tehcampaign",
    "ياخشىمۇسىز شالום",
    "{% if supporter.title %}sir{% endif %} today",
])
def test_what_is_right_is_left_in_peace(text: str) -> None:
    """Names, addresses, numbers, initials, values, modern words, accents, titles in italics: no finding."""
    assert found(text) == []


def test_the_charitys_own_words_are_known() -> None:
    """Small letters: in every form. Capitals: only so. Plurals and possessives by themselves; remarks are no words."""
    words = "zorblat  # teh\nKibbutznik"
    assert not found("Zorblats, zorblat’s and ZORBLAT; a Kibbutznik’s.", words)
    assert [each.message[:5] for each in found("A zorblatt, teh kibbutznikk.", words)]


def test_words_txt_is_read_from_the_project_and_the_appeal(tmp_path: Path) -> None:
    """templates/words.txt and appeals/<slug>/words.txt both count, and neither is a template of the letter."""
    made = matter(tmp_path, "A zorblat and a flimquop.\n", words="zorblat\n")
    assert [each.message.split("”")[0] for each in spelling.look(made)] == ["“flimquop"]
    (tmp_path / "appeals" / "spring" / "words.txt").write_text("flimquop {{ no template\n", "utf-8")
    assert list(spelling.look(matter(tmp_path, "A zorblat and a flimquop.\n", words="zorblat {% if\n"))) == []


def test_a_list_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    """words.txt in another encoding: told with file and line, and the letter is read without it."""
    made = matter(tmp_path, "Hello\n", words="one\n")
    (tmp_path / "templates" / "words.txt").write_bytes("Ren\xe9".encode("latin-1"))
    [finding] = spelling.look(made)
    assert (finding.code, finding.file) == ("not-utf-8", "templates/words.txt")


def test_a_word_is_told_once_with_its_number() -> None:
    """The first place is named; the others are counted."""
    [finding] = found("A particuar day.\n\nAnother particuar day.\n\nA particuar week.")
    assert finding.line == 1
    assert "(3 times)" in finding.message


def test_the_line_is_the_one_in_the_editor() -> None:
    """In the third line of a paragraph below a comment."""
    [finding] = found("{# hint #}\nOne\ntwo\nparticuar\n")
    assert finding.line == 4


def test_subject_and_html_letters_are_read_too(tmp_path: Path) -> None:
    """A slip in the subject, in letter.html and in its letter.txt."""
    made = matter(tmp_path, "The harbuor\n", subject="A particuar plea", html="<p>We recieve it</p>")
    assert [(each.file.rpartition("/")[2], each.line, each.message[1:5]) for each in spelling.look(made)] == [
        ("appeal.toml", 2, "part"), ("letter.html", 1, "reci"), ("letter.txt", 1, "harb")]


def test_other_languages_are_not_measured_against_english(tmp_path: Path) -> None:
    """A letter in French: one piece of advice that says so, and no list of French words. A block in it: nothing."""
    [finding] = spelling.look(matter(tmp_path, "Chère amie, merci beaucoup\n", settings='language = "fr"\n'))
    assert (finding.code, finding.level) == ("spelling-off", Level.ADVICE)
    assert not found("Hello\n\n::: lang fr\nChère amie, merci beaucoup\n:::\n")


def test_a_letter_in_an_undeclared_language_is_told_in_few_findings() -> None:
    """Hundreds of unknown words are not hundreds of findings: forty, and one that says what may be the matter."""
    letters = "abcdefghijklmnoprstuvwz"
    text = " ".join(f"qx{a}{b}vvk" for a in letters for b in letters)
    started = time.process_time()
    many = found(text)
    assert len(many) == spelling.MOST + 1
    assert many[-1].code == "spelling-many"
    assert "language" in many[-1].message
    assert time.process_time() - started < 20


def test_a_long_letter_is_read_quickly() -> None:
    """50 KB of words in well under a second, once the dictionary is there."""
    english()
    paragraph = "Please help us keep the lamp burning for everybody who needs its light this winter. "
    started = time.process_time()
    assert review(passages(paragraph * 600), Words()) is not None
    assert list(review(passages(paragraph * 600), Words())) == []
    assert time.process_time() - started < 3


@pytest.mark.parametrize(("word", "meant", "same"), [
    ("abc", "abc", False), ("abd", "abc", True), ("ab", "abc", True), ("abcc", "abc", True), ("acb", "abc", True),
    ("acd", "abc", False), ("a", "abc", False), ("bca", "abc", False)])
def test_one_slip_is_one_letter(word: str, meant: str, same: bool) -> None:
    """Too many, too few, wrong, or two that changed places."""
    assert one_slip(word, meant) is same


def test_spelling_is_among_the_checks(tmp_path: Path) -> None:
    """``check`` runs it."""
    assert "spelling" in {each.code for each in examine(matter(tmp_path, "particuar\n"))}
