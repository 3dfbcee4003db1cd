"""Marks that were to become something and stand in the letter as they are: another program's fields, Markdown that is
no link, “lorem ipsum”. Whoever writes took them over from an older mailing, or slipped by one sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pillarbox.checking.matter import Matter
from pillarbox.checking.prose import VALUE, Passage, few, written
from pillarbox.content.appeal import Source
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "foreign-field": "A field is written as another program writes it, and everybody would read its name.",
    "link-not-made": "A link in Markdown is written so that readers would see its brackets and its address.",
    "stars-left": "Two stars that were to make words bold stand in the letter as they are.",
    "table-not-made": "A table in Markdown, of which readers would see the bars and dashes.",
    "whole-page": "A letter in HTML that is a whole page stands within the layout, which is one already.",
    "stand-in-words": "Words that hold a place for others still stand in the letter.",
}
_OURS = r"(?:supporter|links|charity|mailing|appeal)\.\w+"
_FIELD = r"(?:(?:first|last|full|given|family|sur|fore|donor|supporter)[ _-]?name|salutation|first_?name|fname|lname)"
_FOREIGN = re.compile(
    r"\*\|[^|\n]{1,60}\|\*|(?-i:\|[A-Z][A-Z0-9_:]{1,40}\|)"  # Mailchimp; Markdown takes its stars for italics
    r"|%%[\w .:=-]{1,60}%%|%recipient\.\w{1,40}%"  # Salesforce, Mailgun
    r"|@(?:FIRSTNAME|LASTNAME|FULLNAME|EMAIL)@"  # Dotdigital
    rf"|\{{\s*\{{?\s*(?:{_OURS}|{_FIELD})[^{{}}\n]{{0,40}}\}}?\s*\}}"
    rf"|\[\s*{_FIELD}\s*\]|<<\s*{_FIELD}\s*>>|«\s*{_FIELD}\s*»"  # Word
    r"|(?<=\bDear )[\[<«]{1,2}name[\]>»]{1,2}", re.IGNORECASE)
_NOT_MADE = re.compile(
    rf"\[[^\[\]\n]{{1,200}}\](?:\(|\s\((?=(?:https?:|www\.|mailto:|{VALUE}\))))[^\s()]*", re.IGNORECASE)
_STARS = re.compile(r"(?<![\w*])\*\*(?!\*)")
_TABLE = re.compile(r"^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*\|[ \t|:-]*$", re.MULTILINE)
_PAGE = re.compile(r"<(?:!doctype|html|body)\b", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->|\{#.*?#\}", re.DOTALL)
_STAND_IN = re.compile(
    r"\blorem ipsum\b|\b(?:insert|add) (?:\w+ )?(?:name|date|link|image|photo|quote|amount|figure|text) here\b"
    r"|£X+\b|(?<![\w.-])(?:XXX+|xxxx+)(?![\w.-])|\?\?\?+|\bTODO\b", re.IGNORECASE)


def look(matter: Matter) -> Iterator[Finding]:
    """Every such mark of the subject, the preheader, the title and the letter."""
    yield from few(review(written(matter.bundle.appeal)))
    yield from _whole_page(matter.bundle.appeal.letter)


def review(passages: Sequence[Passage]) -> Iterator[Finding]:
    """The same of passages, in whatever language."""
    for passage in passages:
        text = passage.text
        for found in _FOREIGN.finditer(text):
            yield passage.finding(Level.ERROR, "foreign-field", found.start(),
                                  f"“{found[0]}” is no field of ours, and everybody would read it as it stands: write "
                                  f"{{{{ {_meant(found[0])} }}}}, or take it out.")
        for found in _STAND_IN.finditer(text):
            yield passage.finding(Level.WARNING, "stand-in-words", found.start(),
                                  f"“{found[0]}” holds the place of other words: write them.")
        if passage.file.endswith(".md"):
            yield from _markdown(passage)


def _whole_page(letter: Source) -> Iterator[Finding]:
    if not letter.file.endswith(".html"):
        return
    shown = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), letter.content)
    if found := _PAGE.search(shown):
        yield Finding(level=Level.WARNING, code="whole-page", file=letter.file,
                      line=1 + shown.count("\n", 0, found.start()),
                      message=f"{found[0]} begins a page within the layout's own page, and mail programs mend that "
                              "each in their own way: leave what stands between <body> and </body>, and put a page's "
                              "frame and <style> into a layout of its own.")


def _markdown(passage: Passage) -> Iterator[Finding]:
    for found in _NOT_MADE.finditer(passage.text):
        shown = found[0].replace(VALUE, "…")
        yield passage.finding(Level.ERROR, "link-not-made", found.start(),
                              f"“{shown[:90]}” is not read as a link, and readers would see its brackets: write "
                              "[words](https://address), without a blank between the brackets or within the address "
                              "(there %20 stands for one).")
    for found in _TABLE.finditer(passage.text):
        yield passage.finding(Level.WARNING, "table-not-made", found.start(),
                              "Letters make no tables of Markdown, and readers would see the bars: write a list, or "
                              "set two columns with ::: columns.")
    for found in _STARS.finditer(passage.text):
        yield passage.finding(Level.WARNING, "stars-left", found.start(),
                              f"Two stars stand before “{passage.text[found.end() : found.end() + 30].strip()}”, and "
                              "readers would see them: bold words stand between **two pairs**, without a blank "
                              "inside.")


def _meant(found: str) -> str:
    """The field of ours that says most likely the same."""
    lowered = found.lower()
    if ours := re.search(_OURS, lowered):
        return ours[0]
    if "salut" in lowered:
        return "supporter.salutation"
    if any(part in lowered for part in ("last", "lname", "sur", "family")):
        return "supporter.last_name or ''"
    return "supporter.first_name or 'friend'"
