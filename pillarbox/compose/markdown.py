"""Markdown with Jinja in it, read before any supporter is seen: ``hypertext`` and ``plain`` write templates from it.

markdown-it-py reads CommonMark around placeholders (``placeholders``); two block rules of ours see lines that hold
only statements, and ``:::`` directives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from jinja2 import TemplateSyntaxError
from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from pillarbox.compose.directives import DIRECTIVES
from pillarbox.compose.placeholders import Placeholders, Tag, TagKind
from pillarbox.model.records import Finding, Level

STATEMENT = "statement"
DIRECTIVE = "directive"
GROUP = "group"
"""An ``if``, ``for`` … with all that stands in it."""
NOTES, NOTE, NOTE_MARK = "footnote_block", "footnote", "footnote_ref"
"""The footnotes at the letter's end, one of them, and the mark among the words that leads to it."""
LISTS = ("bullet_list", "ordered_list")
_PANEL = "panel"
_MOST = 20  # findings of one kind that are told
_MISSING_NOTE = re.compile(r"\[\^([^\]\s]+)\]")
_INTERRUPTS: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
_MIDDLES = ("else", "elif")
_OPENERS = ("if", "for", "call", "filter", "macro", "autoescape", "block", "with", "set")

# Left out of CommonMark on purpose: four spaces or a line of dashes under a paragraph are slips in a letter, not code
# or a heading, and HTML in Markdown would be the one way past the checks on links and images.
_OFF = ("code", "fence", "lheading", "html_block", "html_inline")


@dataclass(kw_only=True, slots=True)
class Node:
    """A block of the letter, or (``inline``) the words of one."""

    kind: str
    token: Token
    line: int
    """Line of the source (from 1)."""
    children: list[Node] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A letter's Markdown, read."""

    blocks: tuple[Node, ...]
    placeholders: Placeholders
    findings: tuple[Finding, ...]


def read(source: str, file: str) -> Document:
    """Read Markdown with Jinja tags; ``file`` names it in findings.

    Raises:
        jinja2.TemplateSyntaxError: when Jinja cannot tell the tags apart; its line is the source's.
    """
    placeholders = Placeholders(source)
    parser = _parser(placeholders)
    known: dict[str, dict[str, dict[str, int]]] = {}
    # The way back from a note to its mark is a link within the letter, which mail programs do not follow.
    tokens = [token for token in parser.parse(placeholders.text, known) if token.type != "footnote_anchor"]
    root = _tree(tokens, placeholders.origin)
    findings = [Finding(level=Level.ERROR, code=code, file=file, line=line, message=message)
                for code, line, message in _crossings(root, placeholders)]
    unclosed = (node for node in walk(root) if node.kind == DIRECTIVE and not node.token.meta["closed"])
    findings += [Finding(level=Level.ERROR, code="directive-open", file=file, line=node.line,
                         message=f"::: {node.token.info} is not closed: put ::: on a line of its own after it.")
                 for node in islice(unclosed, _MOST)]
    findings += [Finding(level=level, code="footnote", file=file, line=line, message=message)
                 for level, line, message in _odd_notes(root, known.get("footnotes", {}).get("refs", {}), placeholders)]
    blocks = _joined(_grouped(_panelled(root), placeholders))
    return Document(blocks=tuple(blocks), placeholders=placeholders, findings=tuple(findings))


def walk(nodes: Sequence[Node]) -> Iterator[Node]:
    """Every node, parents first."""
    for node in nodes:
        yield node
        yield from walk(node.children)


def syntax_finding(fault: TemplateSyntaxError, file: str) -> Finding:
    """A Jinja syntax fault as a finding."""
    return Finding(level=Level.ERROR, code="template-syntax", file=file, line=fault.lineno,
                   message=f"Jinja cannot read this: {(fault.message or 'syntax error').rstrip('.')}.")


def _parser(placeholders: Placeholders) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": False, "linkify": False}).disable(list(_OFF))

    def statement(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: ARG001 - the rules' signature
        text = _line(state, start)
        if not placeholders.only_statements(text):
            return False
        if not silent:
            for mark in placeholders.pattern.finditer(text):
                token = state.push(STATEMENT, "", 0)
                token.content, token.map = mark[0], [start, start + 1]
                token.meta = {"word": _word(placeholders.tags(mark[0])[0])}
            state.line = start + 1
        return True

    footnote_plugin(parser, inline=False)
    parser.block.ruler.before("code", STATEMENT, statement, _INTERRUPTS)
    parser.block.ruler.before(STATEMENT, DIRECTIVE, _directive, _INTERRUPTS)
    return parser


def _directive(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """``::: name`` to its own bare ``:::``; directives may stand in directives."""
    name = _line(state, start).strip()
    if not name.startswith(":::") or not name.strip(": "):
        return False
    if silent:
        return True
    depth, last = 1, start
    while depth and last + 1 < end:
        last += 1
        text = _line(state, last).strip()
        if text.startswith(":::"):
            depth += 1 if text.strip(": ") else -1
    closed = depth == 0
    inner_end = last if closed else end
    token = state.push(f"{DIRECTIVE}_open", "div", 1)
    token.info, token.map, token.meta = name.lstrip(":").strip(), [start, inner_end], {"closed": closed}
    parent, line_max = state.parentType, state.lineMax
    state.parentType, state.lineMax = "container", inner_end
    state.md.block.tokenize(state, start + 1, inner_end)
    state.parentType, state.lineMax = parent, line_max
    state.push(f"{DIRECTIVE}_close", "div", -1)
    state.line = inner_end + (1 if closed else 0)
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _tree(tokens: list[Token], origin: list[int]) -> list[Node]:
    root: list[Node] = []
    stack = [root]
    line = 1
    for token in tokens:
        if token.nesting == -1:
            stack.pop()
            continue
        if token.map:
            line = origin[min(token.map[0], len(origin) - 1)]
        node = Node(kind=token.type.removesuffix("_open"), token=token, line=line)
        stack[-1].append(node)
        if token.nesting == 1:
            stack.append(node.children)
    return root


def _odd_notes(root: list[Node], known: dict[str, int], placeholders: Placeholders) -> Iterator[tuple[Level, int, str]]:
    """Marks of notes that are not written, and notes that no mark leads to (``known``: ``:label`` → number, or -1)."""
    for node in walk(root):
        if node.kind == "inline":
            for token in node.token.children or ():
                if token.type == "text" and (found := _MISSING_NOTE.search(token.content)):
                    yield (Level.ERROR, node.line, f"{found[0]} leads to no note: write {found[0]}: and its words on a "
                           "line of their own, at the end of the letter.")
    for label, number in known.items():
        if number < 0:
            mark = f"[^{label[1:]}]"
            position = placeholders.text.find(f"{mark}:")
            line = placeholders.origin[placeholders.text.count("\n", 0, position)]
            yield (Level.WARNING, line, f"Nothing in the letter leads to the note {mark}, so it is left out: write "
                   f"{mark} behind the words that it explains.")


def _panelled(nodes: list[Node]) -> list[Node]:
    """The blocks with each button that has more than its label put, together with that, into a panel."""
    result = []
    for node in nodes:
        node.children = _panelled(node.children)
        directive = DIRECTIVES.get(node.token.info.partition(" ")[0]) if node.kind == DIRECTIVE else None
        if directive is not None and directive.in_panel and len(node.children) > 1:
            *above, label = node.children
            button = Node(kind=DIRECTIVE, token=node.token, line=label.line, children=[label])
            panel = node.token.copy(info=_PANEL)
            result.append(Node(kind=DIRECTIVE, token=panel, line=node.line, children=[*above, button]))
        else:
            result.append(node)
    return result


# ---------------------------------------------------------------------------------------------- statements and blocks


def _crossings(nodes: list[Node], placeholders: Placeholders) -> Iterator[tuple[str, int, str]]:
    """Statements that open in one block, emphasis or link and close in another: they would tear the HTML."""
    open_tags: list[Tag] = []
    for node in nodes:
        if node.kind == STATEMENT:
            yield from _balance(node.token.content, open_tags, placeholders)
        elif node.kind == "inline":
            yield from _inline_crossings(node.token.children or [], placeholders)
        yield from _crossings(node.children, placeholders)
    yield from map(_torn, open_tags)


def _inline_crossings(tokens: list[Token], placeholders: Placeholders) -> Iterator[tuple[str, int, str]]:
    levels: list[list[Tag]] = [[]]
    for token in tokens:
        if token.nesting == 1:
            levels.append([])
        elif token.nesting == -1:
            yield from map(_torn, levels.pop())
        else:
            yield from _balance(token.content, levels[-1], placeholders)
    yield from map(_torn, levels.pop())


def _balance(text: str, open_tags: list[Tag], placeholders: Placeholders) -> Iterator[tuple[str, int, str]]:
    """Open and close the tags of ``text``; yields what does not match."""
    for tag in placeholders.tags(text):
        word = _word(tag)
        if _opens(word):
            open_tags.append(tag)
        elif word in _MIDDLES or word.startswith("end"):
            if not open_tags or word not in (f"end{_word(open_tags[-1])}", *_MIDDLES):
                yield _torn(tag)
            elif word not in _MIDDLES:
                open_tags.pop()


def _torn(tag: Tag) -> tuple[str, int, str]:
    return ("tag-crosses-blocks", tag.line,
            f"{{% {_word(tag)} %}} and its partners stand in different paragraphs, list items, links or directives: "
            "put each of them on a line of its own, or all of them in one paragraph, outside of **, * and [ ].")


def _word(tag: Tag) -> str:
    """The word that a statement begins with; ``set`` only for the block form, which has an end."""
    if tag.kind is not TagKind.STATEMENT or not tag.words:
        return ""
    return "" if tag.words[0] == "set" and "=" in tag.inside else tag.words[0].partition("(")[0]


def _opens(word: str) -> bool:
    return word in _OPENERS


def _grouped(nodes: list[Node], placeholders: Placeholders) -> list[Node]:
    """Siblings with each ``if``, ``for`` … gathered, from its opening to its end, into one node."""
    result: list[Node] = []
    stack = [result]
    for node in nodes:
        node.children = _grouped(node.children, placeholders)
        word = _word(placeholders.tags(node.token.content)[0]) if node.kind == STATEMENT else ""
        if _opens(word):
            group = Node(kind=GROUP, token=node.token, line=node.line, children=[node])
            stack[-1].append(group)
            stack.append(group.children)
        else:
            stack[-1].append(node)
            if word.startswith("end") and len(stack) > 1:
                stack.pop()
    return result


def _joined(nodes: list[Node]) -> list[Node]:
    """Siblings with lists that a loop or an ``if`` interrupts made one list."""
    for node in nodes:
        if node.kind != GROUP:
            node.children = _joined(node.children)
    result: list[Node] = []
    while nodes:
        run = _run(nodes)
        head, nodes = nodes[0], nodes[max(len(run), 1) :]
        if not run:
            result.append(head)
        elif len(run) > 1 or (run[0].kind == GROUP and run[0].children[0].token.meta["word"] == "for"):
            result.append(_one_list(run))
        else:
            result.append(run[0])
    for node in result:
        if node.kind == GROUP:
            node.children = _joined(node.children)
    return result


def _run(nodes: list[Node]) -> list[Node]:
    """The nodes at the beginning that together are one list."""
    kind = _list_kind(nodes[0])
    run = []
    for node in nodes:
        if kind is None or _list_kind(node) != kind:
            break
        run.append(node)
    return run


def _list_kind(node: Node) -> tuple[str, str] | None:
    """What list a node is, or is made of through and through: (kind, marker)."""
    if node.kind in LISTS:
        return node.kind, node.token.markup
    if node.kind != GROUP:
        return None
    kinds = {_list_kind(child) for child in node.children if child.kind != STATEMENT}
    return kinds.pop() if len(kinds) == 1 else None


def _one_list(run: list[Node]) -> Node:
    first = next(node for node in walk(run) if node.kind in LISTS)
    items = list(_items(run))
    paragraphs = [child for item in items for child in item.children if child.kind == "paragraph"]
    if not all(each.token.hidden for each in paragraphs):
        for each in paragraphs:
            each.token.hidden = False
    return Node(kind=first.kind, token=first.token, line=first.line, children=items)


def _items(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        if node.kind in (GROUP, *LISTS):
            yield from _items(node.children)
        else:
            yield node
