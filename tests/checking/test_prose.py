"""What staff wrote is read passage by passage, and each word's line is the line that they see in their editor."""

from __future__ import annotations

from pathlib import Path

from pillarbox.checking.prose import STATEMENT, VALUE, Part, hypertext, written
from tests.checking.wording import matter, passages


def test_each_passage_of_markdown_knows_its_lines() -> None:
    """Paragraphs, headings, lists, quotations and directives: every line is that of the source, comments or not."""
    found = passages("# One\n\ntwo\nthree\n\n{# a hint #}\n- four\n- five\n  six\n\n> seven\n\n::: panel\neight\n:::\n")
    places = {word: each.line(each.text.index(word)) for each in found for word in each.text.split()}
    assert places == {"One": 1, "two": 3, "three": 4, "four": 7, "five": 8, "six": 9, "seven": 11, "eight": 14}
    assert [each.part for each in found][:2] == [Part.HEADING, Part.WORDS]


def test_a_comment_within_a_paragraph_moves_no_line() -> None:
    """A line that holds only a comment is no line of the letter, and the words below keep their number."""
    [found] = passages("one\n{# two #}\nthree\n")
    assert (found.line(found.text.index("one")), found.line(found.text.index("three"))) == (1, 3)


def test_values_and_statements_are_one_sign_each() -> None:
    """What is printed for a supporter is never read as the writer's words; comments leave nothing behind."""
    [found] = passages("Dear {{ supporter.first_name }},{# hint #} {% if x %}yes{% endif %} `code`\n")
    assert found.text == f"Dear {VALUE}, {STATEMENT}yes{STATEMENT} {VALUE}"


def test_alt_texts_are_passages_of_their_own() -> None:
    """What an image shows is read too, apart from the sentence that it stands in."""
    found = passages("See ![A lamp](https://example.org/a.png) here\n")
    assert [(each.part, each.text) for each in found] == [(Part.ALT, "A lamp"), (Part.WORDS, f"See {VALUE} here")]


def test_a_language_block_has_its_own_language() -> None:
    """``::: lang ug`` is not read as English, and what follows it is."""
    found = passages("One\n\n::: lang ug\nياخشىمۇسىز\n:::\n\nTwo\n")
    assert [(each.language, each.english) for each in found] == [("en-GB", True), ("ug", False), ("en-GB", True)]


def test_italics_are_marked() -> None:
    """A title in italics is known as such."""
    [found] = passages("In *Jewish News* today\n")
    [(start, end)] = found.set_apart
    assert found.text[start:end] == "Jewish News"


def test_soft_hyphens_and_accents_do_not_split_words() -> None:
    """Invisible signs are dropped, and an accent that is a sign of its own is joined to its letter."""
    [found] = passages("Rene\u0301 re\u00adads\n")
    assert found.text == "René reads"


def test_html_is_read_between_its_block_tags() -> None:
    """Words, headings, languages and alt texts of letter.html, each with its line; styles and scripts are not words."""
    source = ("<html><head><style>p { margin: 0 }</style></head>\n<body>\n<h1>Big <b>news</b></h1>\n"
              "<p>\n  Dear {{ supporter.name }},\n  hello</p>\n<p lang=\"fr\">Merci<br>bien</p>\n"
              "<img alt='A dog'></body></html>")
    found = passages(source, "letter.html")
    assert [(each.text, each.part, each.language) for each in found] == [
        ("Big news", Part.HEADING, "en-GB"), (f"Dear {VALUE},\n  hello", Part.WORDS, "en-GB"),
        ("Merci", Part.WORDS, "fr"), ("bien", Part.WORDS, "fr"), ("A dog", Part.ALT, "en-GB"),
        (VALUE, Part.WORDS, "en-GB")]
    assert [each.line(each.text.find("hello")) for each in found[:2]] == [3, 6]


def test_finished_html_is_read_in_the_same_way() -> None:
    """HTML without tags of templates needs no more than its words."""
    assert [each.text for each in hypertext("<p>One</p><p>Two</p>", "a.html", "en")] == ["One", "Two"]


def test_plain_text_is_read_by_paragraphs() -> None:
    """letter.txt: blank lines and list marks part its passages; rules of signs are none."""
    found = passages("One\ntwo\n\n- three\n- four\n---------\nfive\n", "letter.txt")
    assert [(each.text, each.line(0)) for each in found] == [("One\ntwo", 1), ("three", 4), ("four", 5), ("five", 7)]


def test_what_is_to_be_written_yet_is_not_read() -> None:
    """``[[…]]`` of a new letter holds somebody else's example; the words around it keep their lines."""
    [found] = passages("On [[a Tuesdy\nin Mach]] we\nmet\n")
    assert "Tuesdy" not in found.text
    assert (found.line(found.text.index("we")), found.line(found.text.index("met"))) == (2, 3)


def test_the_settings_words_are_read_with_their_lines(tmp_path: Path) -> None:
    """Subject, title and preheader belong to what is written."""
    found = written(matter(tmp_path, "Hello\n", settings='preheader = "More of it"\n').bundle.appeal)
    assert [(each.part, each.lines[0], each.file) for each in found] == [
        (Part.SUBJECT, 2, "appeals/spring/appeal.toml"), (Part.TITLE, 1, "appeals/spring/appeal.toml"),
        (Part.PREHEADER, 3, "appeals/spring/appeal.toml"), (Part.WORDS, 1, "appeals/spring/letter.md")]
