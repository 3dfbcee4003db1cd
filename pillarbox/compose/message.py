"""From a letter and supporters to messages: traced where that is exact, plainly rendered where it is not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jinja2.exceptions import TemplateError, TemplateNotFound

from pillarbox.compose.bounds import MAX_TEXT
from pillarbox.compose.environment import SUBJECT, plain_environment
from pillarbox.compose.faults import TOO_DEEP, finding_of, too_deep
from pillarbox.compose.finish import Finish, SlowPath
from pillarbox.compose.syntax import named_by, tree_of
from pillarbox.compose.trace import Key, TraceEnvironment, decode
from pillarbox.ground.errors import LetterError
from pillarbox.model.records import Composed, Fault, Finding, Letter, Shape
from pillarbox.shape.bodies import body

MAX_SHAPES = 1_000
"""Shapes kept for one mailing. A letter with more differs for nearly everybody: the rest are rendered plainly."""

# An HTML parser drops or rewrites these, so a token could not stand for them: C0 and C1 controls but tab and newline,
# the byte order mark, surrogates and noncharacters (HTML Standard, "preprocessing the input stream", read 2026-11).
_ALTERED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_ALTERED_REASON = "A supporter's data holds control characters, which an HTML parser would change."
_LONG_REASON = "A supporter's data is very long."
_FULL_REASON = f"The letter takes more than {MAX_SHAPES:,} shapes."
_DEEP_REASON = "The letter is nested too deeply to be traced."
_UNTRACED = "The letter could not be traced for a supporter."
_UNPROVED = "The finished letter was not the same as when it is rendered for one supporter alone."

_MANY = 100
"""Values that are counted before they are joined."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What is known of one key: its shape, or why its messages take the slow path."""

    shape: Shape | None
    pick: Any
    reason: str = ""


class Composer:
    """Composes one letter for many supporters. Pure: no clock, no network, no database. For one thread at a time.

    Args:
        letter: the letter; its constants are known to every template.
        finish: inlines the CSS and finds the marks; see Finish.
        prove_every: besides the first message of every shape, the so-many-th message, the one at twice as many, and so
            on, doubling each time, is rendered plainly too and compared, byte for byte; 0 for none.

    Raises:
        LetterError: with a finding for every template that cannot be read or is missing.
    """

    def __init__(self, letter: Letter, finish: Finish, *, prove_every: int = 997) -> None:
        self._letter = letter
        self._finish = finish
        self._next_proof = prove_every
        self._plain = plain_environment(letter)
        self._known: dict[Key, _Known] = {}
        self._shapes: dict[str, Shape] = {}
        self._reasons: dict[str, None] = {}
        self._slow = 0
        self._shared = 0
        self._check()
        self._traces: TraceEnvironment | None = None
        try:
            self._traces = TraceEnvironment(letter)
        except SlowPath as why:
            self._reasons[why.reason] = None
        except (SyntaxError, RecursionError):
            self._reasons[_DEEP_REASON] = None

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """The shapes seen that may be shared, by id."""
        return MappingProxyType(self._shapes)

    @property
    def slow_path(self) -> int:
        """How many messages were rendered on their own."""
        return self._slow

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why messages were rendered on their own: a sentence each."""
        return tuple(self._reasons)

    def values(self, contexts: Sequence[Mapping[str, Any]]) -> list[tuple[Key, tuple[str, ...]]]:
        """The trace of each supporter's letter: its key and printed values. For measuring; ``compose`` does the rest.

        Raises:
            SlowPath: the letter cannot be traced.
            Exception: what a template raises.
        """
        if self._traces is None:
            raise SlowPath(self.reasons[0])
        trace = self._traces.trace
        return [trace(context) for context in contexts]

    def compose(self, contexts: Sequence[Mapping[str, Any]]) -> list[Composed | Fault]:
        """Each supporter's message, or what is wrong with it; in the same order.

        Args:
            contexts: what templates may read of each supporter: ``supporter``, ``links``; text, numbers, dates, lists
                and mappings of these. The letter's constants are added and win.
        """
        return [self._message(position, context) for position, context in enumerate(contexts)]

    # -------------------------------------------------------------------------------------- one message

    def _message(self, position: int, context: Mapping[str, Any]) -> Composed | Fault:
        if self._traces is None:
            return self._alone(position, context, "")
        try:
            key, printed = self._traces.trace(context)
            known = self._known.get(key)
            if known is None:
                known = self._learn(key, context, printed)
            if known.shape is None:
                return self._alone(position, context, known.reason)
            values = known.pick(printed)
            _see_that_parsers_keep(values)
            self._shared += 1
            if self._shared == self._next_proof and not self._proved(
                    known.shape, values, context):
                self._known[key] = _Known(shape=None, pick=None, reason=_UNPROVED)
                self._shapes.pop(known.shape.id, None)
                return self._alone(position, context, _UNPROVED)
        except SlowPath as why:
            return self._alone(position, context, why.reason)
        except Exception:  # noqa: BLE001 - the plain way meets the same fault, and can say where it is
            return self._alone(position, context, _UNTRACED)
        return Composed(shape=known.shape, values=values)

    def _learn(self, key: Key, context: Mapping[str, Any], printed: tuple[str, ...]) -> _Known:
        """A new key: decode it, finish the letter once, and prove it on this supporter."""
        assert self._traces is not None, "only traced letters have keys"
        if len(self._known) >= MAX_SHAPES:
            return _Known(shape=None, pick=None, reason=_FULL_REASON)
        try:
            masked = decode(self._traces.runs, key)
            values = masked.pick(printed)
            _see_that_parsers_keep(values)
            shape = self._finish(subject=masked.subject, html=masked.html, text=masked.text, marks=masked.marks,
                                 private=False)
        except SlowPath as why:
            known = _Known(shape=None, pick=None, reason=why.reason)
            if why.reason in (_ALTERED_REASON, _LONG_REASON):
                return known  # this supporter's data, not the letter: the next one with this key may be shared
        else:
            known = (_Known(shape=shape, pick=masked.pick) if self._proved(shape, values, context)
                     else _Known(shape=None, pick=None, reason=_UNPROVED))
            if known.shape is not None:
                self._shapes[shape.id] = shape
        self._known[key] = known
        return known

    def _proved(self, shape: Shape, values: tuple[str, ...], context: Mapping[str, Any]) -> bool:
        self._next_proof = max(self._next_proof, 2 * self._shared)
        alone, filled = self._rendered(context), body(shape, values)
        plain = body(alone, ())
        return (plain.subject, plain.html, plain.text) == (filled.subject, filled.html, filled.text)

    def _alone(self, position: int, context: Mapping[str, Any], reason: str) -> Composed | Fault:
        """One message, rendered the plain way, as a shape of its own."""
        part = self._letter.html
        try:
            shape = self._rendered(context)
        except Exception as fault:  # noqa: BLE001 - whatever a template raises is that supporter's fault, told with its place
            return Fault(position=position, finding=finding_of(fault, self._letter, part))
        self._slow += 1
        if reason:
            self._reasons[reason] = None
        return Composed(shape=shape, values=(), slow=True)

    def _rendered(self, context: Mapping[str, Any]) -> Shape:
        html, text, subject = (self._plain.rendered(name, context)
                               for name in (self._letter.html, self._letter.text, SUBJECT))
        return self._finish(subject=subject, html=html, text=text, marks={}, private=True)

    # -------------------------------------------------------------------------------------- the letter

    def _check(self) -> None:
        """Read every template that the letter can use; tell all that is wrong at once."""
        sources = {**self._letter.templates, SUBJECT: self._letter.subject}
        findings: dict[Finding, None] = {}
        todo, seen = [self._letter.html, self._letter.text, SUBJECT], set[str]()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            try:
                self._plain.get_template(name)
                others = named_by(tree_of(sources[name], name))
                todo += [other for other in others if other is not None and other in sources]
            except (TemplateError, TemplateNotFound) as fault:
                findings[finding_of(fault, self._letter, name)] = None
            except TOO_DEEP as fault:
                findings[too_deep(fault, self._letter, name)] = None
        if findings:
            raise LetterError("The letter cannot be read.", findings=tuple(findings),
                              where=next(iter(findings)).file, todo="Mend the faults listed, then try again.")


def _see_that_parsers_keep(values: tuple[str, ...]) -> None:
    if len(values) > _MANY and sum(map(len, values)) > MAX_TEXT:
        raise SlowPath(_LONG_REASON)
    words = "".join(values)
    if len(words) > MAX_TEXT:
        raise SlowPath(_LONG_REASON)
    if not words.isprintable() and _ALTERED.search(words):
        raise SlowPath(_ALTERED_REASON)
