"""A bundle becomes a ``Letter``: the Jinja sources and constants from which every supporter's copy is composed."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from jinja2 import TemplateSyntaxError
from markdown_it.token import Token

from pillarbox.compose import dangers, hypertext, markdown, mirror, plain, references
from pillarbox.compose.direction import RTL, direction_of, is_language, isolated_source
from pillarbox.compose.directives import DIRECTIVES, Body
from pillarbox.compose.environment import SUBJECT
from pillarbox.compose.faults import TOO_DEEP, TOO_DEEP_SENTENCE, reading_line
from pillarbox.compose.syntax import tree_of
from pillarbox.content import images
from pillarbox.content.appeal import Source
from pillarbox.content.bundle import Bundle
from pillarbox.ground.errors import LetterError
from pillarbox.model.records import Finding, Letter, Level

HTML, TEXT, PREHEADER = "letter.html", "letter.txt", "preheader.html"

_HEAD = ('{%+ extends "layouts/LAYOUT" +%}{%+ block content +%}'
         '{%+ import "COMPONENTS" as components with context +%}')
_FOOT = "{%+ endblock +%}"
_RAW_HTML = re.compile(r"</?[a-zA-Z][^<>\n]*>")


def build(bundle: Bundle, *, date: datetime.date, mailing: Mapping[str, Any]) -> Letter:
    """The letter of a bundle for a mailing of ``date``.

    Args:
        bundle: the frozen appeal.
        date: the day that the letter is for (``mailing.date`` in it).
        mailing: more that is the same for everyone, as ``mailing.…``; ``images`` is what the addresses of the appeal's
            images begin with (``https://…/i/`` or ``cid:``), for letters that have any.

    Raises:
        LetterError: carrying every error found.
    """
    draft = _draft(bundle, date, mailing)
    errors = tuple(each for each in draft.findings if each.level is Level.ERROR)
    if errors:
        first = errors[0]
        more = f" There are {len(errors) - 1} more faults." if len(errors) > 1 else ""
        raise LetterError(first.message + more, findings=errors,
                          where=f"{first.file}, line {first.line}" if first.line else first.file)
    return Letter(subject=draft.subject, html=HTML, text=TEXT, templates=draft.templates,
                  constants=constants(bundle, date, mailing), files=draft.files, lines=draft.lines)


def advise(bundle: Bundle, *, date: datetime.date, mailing: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Everything that can be said of a letter without composing it, warnings included; arguments as for ``build``."""
    return tuple(_draft(bundle, date, mailing).findings)


def constants(bundle: Bundle, date: datetime.date, mailing: Mapping[str, Any]) -> dict[str, Any]:
    """What templates read that is the same for every supporter: charity, theme, appeal, mailing."""
    appeal, theme = bundle.appeal, bundle.theme.constants()
    return {
        "charity": theme.pop("charity"),
        "theme": theme,
        "appeal": {
            "slug": appeal.slug, "title": appeal.title, "kind": str(appeal.kind), "language": appeal.language,
            "direction": direction_of(appeal.language), "series": appeal.series,
            "date": appeal.date or date, "topics": list(appeal.topics), "links": dict(bundle.links),
            "facts": dict(appeal.facts),
        },
        "mailing": {**mailing, "date": date},
    }


@dataclass(kw_only=True, slots=True)
class _Draft:
    bundle: Bundle
    date: datetime.date
    mailing: Mapping[str, Any]
    subject: str = ""
    templates: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    lines: dict[str, tuple[int, ...]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def backwards(self) -> bool:
        """Whether the letter is written from right to left."""
        return direction_of(self.bundle.appeal.language) == RTL

    def fault(self, code: str, line: int, message: str, level: Level = Level.ERROR) -> None:
        self.findings.append(Finding(level=level, code=code, file=self.bundle.appeal.letter.file, line=line,
                                     message=message))

    def put(self, name: str, source: str, file: str, lines: tuple[int, ...] | None = None) -> None:
        self.templates[name], self.files[name] = source, file
        if lines is not None:
            self.lines[name] = lines


def _draft(bundle: Bundle, date: datetime.date, mailing: Mapping[str, Any]) -> _Draft:
    appeal = bundle.appeal
    draft = _Draft(bundle=bundle, date=date, mailing=mailing)
    for name, source in bundle.templates.items():
        draft.put(name, _facing(draft, name, source), source.file)
        draft.findings += _syntax(source.content, source.file)
        draft.findings += dangers.in_html(source.content, source.file) if name.endswith(".html") else ()
    draft.put(PREHEADER, _line(draft, appeal.preheader, appeal.preheader_line), appeal.file, (appeal.preheader_line,))
    draft.subject = _line(draft, appeal.subject, appeal.subject_line)
    draft.files[SUBJECT], draft.lines[SUBJECT] = appeal.file, (appeal.subject_line,)
    if appeal.is_markdown:
        _from_markdown(draft)
    else:
        draft.put(HTML, _framed(draft, _with_images(draft, appeal.letter.content), "html"), appeal.letter.file)
        draft.findings += _syntax(appeal.letter.content, appeal.letter.file)
        draft.findings += dangers.in_html(appeal.letter.content, appeal.letter.file)
    if appeal.text:
        draft.put(TEXT, _framed(draft, "\n\n" + appeal.text.content.strip("\n"), "txt"), appeal.text.file,
                  (1, 1, *range(1, appeal.text.content.count("\n") + 2)))
        draft.findings += _syntax(appeal.text.content, appeal.text.file)
    if not any(each.level is Level.ERROR for each in draft.findings):
        sources = {**draft.templates, SUBJECT: draft.subject}
        draft.findings += references.faults(sources, (HTML, TEXT, SUBJECT), draft.files, draft.lines)
    return draft


def _facing(draft: _Draft, name: str, source: Source) -> str:
    """A layout or stylesheet as it suits the letter's direction of writing."""
    if draft.backwards and name.endswith(".css"):
        return mirror.sheet(source.content)
    return mirror.markup(source.content) if draft.backwards and name.endswith(".html") else source.content


def _line(draft: _Draft, source: str, number: int) -> str:
    """The subject or preheader; in a right-to-left letter with its values kept apart."""
    faults = _syntax(source, draft.bundle.appeal.file, number)
    draft.findings += faults
    return isolated_source(source) if draft.backwards and not faults else source


def _turn_blocks(draft: _Draft, document: markdown.Document) -> None:
    """Give the stylesheets rules for what is written the other way than the letter, when anything is."""
    spoken = {node.token.info.split()[1] for node in markdown.walk(document.blocks)
              if node.kind == markdown.DIRECTIVE and DIRECTIVES[node.token.info.split()[0]].takes_language}
    if any((direction_of(language) == RTL) != draft.backwards for language in spoken):
        for name in draft.templates:
            if name.endswith(".css"):
                draft.templates[name] += f"\n{mirror.turned(draft.templates[name])}\n"


def _from_markdown(draft: _Draft) -> None:
    letter = draft.bundle.appeal.letter
    if faults := _syntax(letter.content, letter.file):
        draft.findings += faults
        return
    document = markdown.read(letter.content, letter.file)
    before = len(draft.findings)
    draft.findings += document.findings
    _compose_markdown(draft, document)
    # Jinja's tags stand masked in what was read: staff know them as they wrote them.
    draft.findings[before:] = [replace(each, message=document.placeholders.bare(each.message))
                               for each in draft.findings[before:]]


def _compose_markdown(draft: _Draft, document: markdown.Document) -> None:
    letter = draft.bundle.appeal.letter
    before = len(draft.findings)
    for node in markdown.walk(document.blocks):
        if node.kind == markdown.DIRECTIVE:
            _check_directive(draft, node)
        elif node.kind == "inline":
            _check_words(draft, node)
    if any(each.level is Level.ERROR for each in draft.findings[before:]):
        return
    _turn_blocks(draft, document)
    html, html_lines = hypertext.write(document, partial(_image, draft), isolate=draft.backwards)
    draft.put(HTML, _framed(draft, html, "html"), letter.file, html_lines)
    if draft.bundle.appeal.text is None:
        text, text_lines = plain.write(document, backwards=draft.backwards)
        draft.put(TEXT, _framed(draft, text, "txt"), letter.file, text_lines)
    for name in (HTML, TEXT):
        draft.findings += _syntax(draft.templates.get(name, ""), letter.file)


def _framed(draft: _Draft, body: str, kind: str) -> str:
    layout = f"{draft.bundle.appeal.layout}.{kind}"
    if f"layouts/{layout}" not in draft.bundle.templates:
        layout = f"letter.{kind}"
    return _HEAD.replace("LAYOUT", layout).replace("COMPONENTS", f"components.{kind}") + body + _FOOT


def _syntax(source: str, file: str, line: int | None = None) -> list[Finding]:
    try:
        tree_of(source)
    except TemplateSyntaxError as fault:
        fault.lineno = line or fault.lineno
        return [markdown.syntax_finding(fault, file)]
    except TOO_DEEP as fault:
        return [Finding(level=Level.ERROR, code="too-deep", file=file, line=line or reading_line(fault),
                        message=TOO_DEEP_SENTENCE)]
    return []


# ---------------------------------------------------------------------------------------------- checks on Markdown


def _check_directive(draft: _Draft, node: markdown.Node) -> None:
    for code, message in _directive_faults(draft, node):
        draft.fault(code, node.line, message)


def _directive_faults(draft: _Draft, node: markdown.Node) -> Iterator[tuple[str, str]]:
    name, _, rest = node.token.info.partition(" ")
    directive = DIRECTIVES.get(name)
    if directive is None:
        yield ("unknown-directive", f"There is no directive ::: {name}: use one of {', '.join(sorted(DIRECTIVES))}.")
        return
    if directive.takes_link and not rest.strip():
        yield "directive-link", f"::: {name} needs its link on the same line, like ::: {name} https://example.org/."
    if directive.takes_language and not is_language(rest.strip()):
        yield "directive-language", f"::: {name} needs a language on the same line, like ::: {name} ug."
    if rest.strip() and not (directive.takes_link or directive.takes_language):
        yield "directive-link", f"::: {name} takes nothing after its name: remove {rest.strip()!r}."
    if directive.needs and not draft.bundle.links.get(directive.needs):
        yield ("no-link", f"::: {name} needs the link {directive.needs!r}: set it under [links] in "
               f"{draft.bundle.appeal.file} or in pillarbox.toml.")
    paragraphs = all(child.kind == "paragraph" for child in node.children)
    match directive.body:
        case Body.LABEL if len(node.children) != 1 or not paragraphs:
            yield "directive-body", f"::: {name} holds one line of words, and then ::: on a line of its own."
        case Body.LINES if not node.children or not paragraphs:
            yield "directive-body", f"::: {name} holds plain lines, and then ::: on a line of its own."
        case Body.BLOCKS if not node.children:
            yield "directive-body", f"::: {name} is empty: write its words, or remove it."
        case Body.NOTHING if node.children:
            yield "directive-body", f"::: {name} holds nothing: put ::: right below it."
        case Body.STORY if not any(child.kind == "heading" for child in node.children):
            yield "directive-body", f"::: {name} has no heading: begin with ## and its title, below its picture."
        case Body.DATES if not any(child.kind in (*markdown.LISTS, markdown.GROUP) for child in node.children):
            yield "directive-body", f"::: {name} holds a list: begin each line with a hyphen and the date in **bold**."
        case Body.CONTENTS if len(node.children) != 1 or not paragraphs:
            yield "directive-body", f"::: {name} holds one line of words; it lists the stories' headings by itself."
        case Body.PICTURE:
            picture = _picture(node.children[0]) if node.children and paragraphs else None
            if picture is None:
                yield ("directive-body", f"::: {name} holds an image in a paragraph of its own, ![what it shows]("
                       "images/name.jpg), and below it, after a blank line, its caption.")
            elif not picture.content.strip():
                yield ("image-alt", f"The image {picture.attrGet('src')} has no alt text: say in one sentence what it "
                       "shows, between ![ and ].")
        case Body.HALVES if [bool(half) for half in hypertext.halves(node.children)] != [True, True]:
            yield ("directive-body", f"::: {name} holds two parts, and a line --- between them, with a blank line "
                   "above and below it.")
        case Body.RUNGS if not node.children or any(each.kind not in ("paragraph", markdown.STATEMENT)
                                                    for each in hypertext.rung_lines(node)):
            yield "directive-body", f"::: {name} holds a line for each amount, like £10: buys a night’s shelter."


def _picture(node: markdown.Node) -> Token | None:
    """The image that a paragraph holds and that is all it holds, a link round it aside."""
    tokens = [token for child in node.children for token in child.token.children or ()
              if token.type not in ("link_open", "link_close", "softbreak")]
    return tokens[0] if len(tokens) == 1 and tokens[0].type == "image" else None


def _check_words(draft: _Draft, node: markdown.Node) -> None:
    if danger := dangers.in_markdown(node.token.content):
        draft.fault(danger.code, node.line, danger.message)
        return
    for token in node.token.children or ():
        if token.type == "text" and (found := _RAW_HTML.search(token.content)):
            draft.fault("raw-html", node.line, f"{found[0]} is printed as it stands: HTML is not read in Markdown. Use "
                        "Markdown's own marks, or write letter.html instead.", Level.WARNING)


# ------------------------------------------------------------------------------------------------- images

# What an address of the folder's own stands in, in HTML of one's own: attributes, and backgrounds in CSS.
_IN_HTML = re.compile(r"""(?P<before>\b(?:src|background)\s*=\s*["']|\burl\(\s*["']?)images/(?P<name>[^"'()<>{}]+)""")
_TAG_END = re.compile(r"""(?:"[^"]*"|'[^']*'|[^>"'])*""")


def _image(draft: _Draft, source: str, line: int, measure: int) -> Mapping[str, str]:
    """What the ``<img>`` of a source has beside its alt text."""
    name = unquote(source).removeprefix("images/")
    if name == unquote(source):
        return {}
    data = draft.bundle.appeal.images.get(name)
    shown = images.shown(name, data, measure) if data else None
    if not data or shown is None:
        draft.fault("missing-image", line, f"images/{name} is not there: put it into the appeal's images folder. "
                    f"{_known_images(draft, name)}")
        return {}
    prefix = draft.mailing.get("images")
    if not prefix:
        draft.fault("image-address", line, f"images/{name} has no public address: set base_url in pillarbox.toml, or "
                    f'images = "embedded" in {draft.bundle.appeal.file}, and it travels within the letter.')
        return {}
    return {"src": images.address(prefix, data), "width": str(shown[0]), "height": str(shown[1])}


def _known_images(draft: _Draft, name: str) -> str:
    known = sorted(draft.bundle.appeal.images)
    if close := next((each for each in known if each.lower() == name.lower()), None) or next(
            iter(difflib.get_close_matches(name, known, 1)), None):
        return f"Did you mean images/{close}?"
    return f"There are: {', '.join(known[:8])}{' …' if len(known) > 8 else ''}." if known else "It is empty."


def _with_images(draft: _Draft, html: str) -> str:
    """HTML with the folder's own images at their addresses; an ``<img>`` without a size gets one."""
    def addressed(found: re.Match[str]) -> str:
        line = html.count("\n", 0, found.start()) + 1
        known = _image(draft, f"images/{found['name']}", line, images.COLUMN)
        if not known:
            return found[0]
        opening = html[html.rfind("<", 0, found.start()) : found.start()].lower()
        rest = _TAG_END.match(html, found.end())
        tag = opening + (rest[0] if rest else "").lower()
        sized = not opening.startswith("<img") or re.search(r"\b(?:width|height)\s*[=:]", tag)
        size = "" if sized else f'width="{known["width"]}" height="{known["height"]}" '
        return size + found["before"] + known["src"]

    return _IN_HTML.sub(addressed, html)
