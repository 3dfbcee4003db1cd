"""What a letter prints of a supporter without saying what stands there when it is not known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError, nodes

from pillarbox.checking.matter import Matter
from pillarbox.compose.environment import SUBJECT
from pillarbox.compose.faults import TOO_DEEP
from pillarbox.compose.letter import PREHEADER
from pillarbox.compose.survey import reachable
from pillarbox.model.records import Finding, Letter, Level

CODES: Mapping[str, str] = {
    "no-fallback": "The letter prints something of the supporter that some of them have not, and leaves a gap there.",
    "nobody-has": "The letter asks for something of the supporter that nobody on the list has: a slip of the pen?",
}

ALWAYS = frozenset(("salutation",))
"""What every supporter has: a missing name makes "Dear Supporter"."""
KNOWN = frozenset(("title", "first_name", "last_name", "name", "salutation", "language", "country"))
"""What a letter may say of a supporter whatever their list says (``mailings.letters.supporter``)."""
_SAVED = frozenset(("default", "d"))
_ASKED_OUTRIGHT = frozenset(("defined", "undefined"))
_KEPT = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Bare:
    """One place where a field is printed bare."""

    name: str
    """The field: ``first_name``."""
    file: str
    line: int | None


def _trees(letter: Letter) -> Mapping[str, nodes.Template]:
    """What the letter is made of; nothing when it cannot be read, which is told elsewhere."""
    try:
        return reachable({**letter.templates, SUBJECT: letter.subject}, (SUBJECT, PREHEADER, letter.html, letter.text))
    except (TemplateError, *TOO_DEEP):
        return {}


def bare(letter: Letter) -> tuple[Bare, ...]:
    """Every field of a supporter that is printed without a fallback, at its first place in each file."""
    found: dict[tuple[str, str], Bare] = {}
    for name, tree in _trees(letter).items():
        for each, line in _bare(tree):
            file = letter.files.get(name, name)
            place = Bare(name=each, file=file, line=_line(letter, name, line))
            found.setdefault((each, file), place)
    return tuple(found.values())


def hoped_for(letter: Letter) -> tuple[Bare, ...]:
    """Every field of the list's own that the letter tests or has a fallback for, at its first place in each file.

    Not where it says outright that nobody may have it: ``is defined``, ``| default(…)``.
    """
    found: dict[tuple[str, str], Bare] = {}
    for name, tree in _trees(letter).items():
        file = letter.files.get(name, name)
        for said, line in _hoped_for(tree):
            found.setdefault((said, file), Bare(name=said, file=file, line=_line(letter, name, line)))
    return tuple(found.values())


# Letters share layouts, and each is asked some four times while it is checked and planned.


@lru_cache(maxsize=_KEPT)
def _bare(tree: nodes.Template) -> tuple[tuple[str, int], ...]:
    """The fields that a template prints bare, and where."""
    return tuple(_Walk().places(tree))


@lru_cache(maxsize=_KEPT)
def _hoped_for(tree: nodes.Template) -> tuple[tuple[str, int], ...]:
    """The fields of a list's own that a template reads and does not ask for outright, and where."""
    walk = _Walk()
    outright = {id(each.node) for each in tree.find_all((nodes.Test, nodes.Filter))
                if each.name in (_ASKED_OUTRIGHT if isinstance(each, nodes.Test) else _SAVED)}
    return tuple((said, node.lineno) for node in tree.find_all((nodes.Getattr, nodes.Getitem))
                 if id(node) not in outright and (said := walk.of(node)) and said not in KNOWN)


def lacking(names: Iterable[str], supporters: Iterable[Mapping[str, Any]], counts: dict[str, int]) -> None:
    """Add to ``counts`` how many of these supporters have nothing in each of these fields."""
    wanted = tuple(names)
    for supporter in supporters:
        for name in wanted:
            value = supporter.get(name)
            if value is None or (isinstance(value, str) and not value.strip()):
                counts[name] = counts.get(name, 0) + 1


def look(matter: Matter) -> Iterator[Finding]:
    """A warning where supporters of the list lack what is printed; advice where no list was asked. An error where
    nobody at all has it, and words that fit everybody would hide that."""
    for place in hoped_for(matter.letter):
        if matter.supporters and matter.lacking.get(place.name, 0) >= matter.supporters:
            yield Finding(level=Level.ERROR, code="nobody-has", file=place.file, line=place.line,
                          message=f"Nobody on the list has a field “{place.name}”: look at its spelling and at the "
                                  "list's columns. If that is as it should be, write {% if supporter."
                                  f"{place.name} is defined %}} or {{{{ supporter.{place.name} | default('…') }}}}.")
    for place in bare(matter.letter):
        if place.name in ALWAYS:
            continue
        count, total = matter.lacking.get(place.name, 0), matter.supporters
        mend = (f"Write {{{{ supporter.{place.name} or 'something that fits everybody' }}}}, or put the words round it "
                f"between {{% if supporter.{place.name} %}} and {{% endif %}}.")
        if total and count:
            have = "supporter has" if count == 1 else "supporters have"
            yield Finding(level=Level.WARNING, code="no-fallback", file=place.file, line=place.line,
                          message=f"{count:,} of {total:,} {have} no {place.name}, and this line prints it bare: they "
                                  f"would read a gap. {mend}")
        elif not total and matter.lacking.get(place.name):
            yield Finding(level=Level.ADVICE, code="no-fallback", file=place.file, line=place.line,
                          message=f"This line prints {place.name} bare, and not every supporter has one: name the list "
                                  f"(--list NAME) to see how many would read a gap. {mend}")


def _line(letter: Letter, name: str, line: int) -> int | None:
    known = letter.lines.get(name)
    return known[min(max(line, 1), len(known)) - 1] if known else line


@dataclass(kw_only=True, slots=True)
class _Walk:
    """Goes through a template with what is known to be there."""

    aliases: dict[str, str] = field(default_factory=dict)
    """Name that a template set → the field that it stands for."""

    def places(self, node: nodes.Node, known: frozenset[str] = frozenset()) -> Iterator[tuple[str, int]]:
        match node:
            case nodes.Output():
                for part in node.nodes:
                    if name := self.printed(part, known):
                        yield name, part.lineno
            case nodes.If():
                tested = known | self.tested(node.test)
                other = known | (self.tested(node.test) if _has_not(node.test) else frozenset())
                for each in node.body:
                    yield from self.places(each, tested)
                for each in (*node.elif_, *node.else_):
                    yield from self.places(each, other)
            case nodes.Assign(target=nodes.Name() as target):
                name = self.of(node.node)
                if name and name not in known:
                    self.aliases[target.name] = name
                else:
                    self.aliases.pop(target.name, None)
            case _:
                for child in node.iter_child_nodes():
                    yield from self.places(child, known)

    def printed(self, node: nodes.Node, known: frozenset[str]) -> str:
        """The field that an expression prints and that may be missing; empty when there is none."""
        match node:
            case nodes.Filter() if node.name in _SAVED:
                return ""
            case nodes.Filter() if node.node is not None:
                return self.printed(node.node, known)
            case nodes.Concat():
                return next((name for each in node.nodes if (name := self.printed(each, known))), "")
            case nodes.CondExpr():
                tested = known | self.tested(node.test)
                return self.printed(node.expr1, tested) or (self.printed(node.expr2, known) if node.expr2 else "")
            case nodes.Or():
                return self.printed(node.right, known)
            case nodes.And():
                return self.printed(node.right, known | self.tested(node.left))
        name = self.of(node)
        return "" if name in known else name

    def of(self, node: nodes.Node) -> str:
        """The field that an expression is: ``supporter.town``, ``supporter["town"]``, or a name set to it."""
        match node:
            case nodes.Getattr(node=nodes.Name(name="supporter")):
                return str(node.attr)
            case nodes.Getitem(node=nodes.Name(name="supporter"), arg=nodes.Const(value=str() as name)):
                return name
            case nodes.Name():
                return self.aliases.get(node.name, "")
        return ""

    def tested(self, test: nodes.Node) -> frozenset[str]:
        """The fields that a test speaks of."""
        return frozenset(name for node in (test, *test.find_all(nodes.Node)) if (name := self.of(node)))


def _has_not(test: nodes.Node) -> bool:
    """Whether a test may fail because a field is there: ``not …``, ``… == ""``."""
    return isinstance(test, nodes.Not) or any(True for _ in test.find_all(nodes.Not)) or any(
        operand.op == "eq" for operand in test.find_all(nodes.Operand))
