"""What Jinja raises, said in staff's terms: file, line, and what to do. Never with a supporter's words in it."""

from __future__ import annotations

from jinja2 import nodes
from jinja2.exceptions import (
    SecurityError,
    TemplateNotFound,
    TemplateRuntimeError,
    TemplateSyntaxError,
    UndefinedError,
)
from jinja2.parser import Parser

from pillarbox.compose.bounds import OverBudget
from pillarbox.compose.environment import SUBJECT
from pillarbox.compose.syntax import tree_of
from pillarbox.model.records import Finding, Letter, Level


def finding_of(fault: Exception, letter: Letter, part: str) -> Finding:
    """The finding for what composing raised.

    Args:
        fault: the exception, with its traceback.
        letter: tells which file and line staff know a template by.
        part: the template that was being rendered, for faults that tell of no place.
    """
    name, line = _place(fault, part)
    code, message = _words(fault)
    return Finding(level=Level.ERROR, code=code, file=_file(letter, name), line=_line(letter, name, line),
                   message=message)


TOO_DEEP = (SyntaxError, RecursionError, MemoryError)
"""What Python raises when a template nests deeper than it can read (Jinja's own syntax errors are none of these)."""
TOO_DEEP_SENTENCE = "Too many loops, choices or brackets stand inside one another: take some of them apart."


def too_deep(fault: BaseException, letter: Letter, name: str) -> Finding:
    """The finding for a template that nests deeper than Python can read (see ``TOO_DEEP``)."""
    line = reading_line(fault)
    if line is None:
        source = letter.subject if name == SUBJECT else letter.templates[name]
        line = _deepest_line(tree_of(source, name))
    return Finding(level=Level.ERROR, code="too-deep", file=_file(letter, name), line=_line(letter, name, line),
                   message=TOO_DEEP_SENTENCE)


def reading_line(fault: BaseException) -> int | None:
    """The line that Jinja's parser had come to; None when it had read everything."""
    line, trace = None, fault.__traceback__
    while trace is not None:
        if isinstance(reader := trace.tb_frame.f_locals.get("self"), Parser):
            line = reader.stream.current.lineno
        trace = trace.tb_next
    return line


def _deepest_line(tree: nodes.Node) -> int:
    row = [tree]
    while below := [child for node in row for child in node.iter_child_nodes()]:
        row = below
    return row[0].lineno


def _place(fault: Exception, part: str) -> tuple[str, int | None]:
    """The innermost template and line that the traceback passes through."""
    if isinstance(fault, TemplateSyntaxError):
        return fault.name or part, fault.lineno
    name, line = part, None
    trace = fault.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            name, line = template.name or part, template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return name, line


def _words(fault: Exception) -> tuple[str, str]:
    # Only Jinja's messages about names, and our own, are shown: others may quote a supporter's value.
    match fault:
        case OverBudget():
            return "over-budget", f"{fault.message} Mend the loop or the text on this line."
        case RecursionError() | MemoryError():
            return "over-budget", "The letter calls itself without an end. Mend the macro or include on this line."
        case SecurityError():
            return "unsafe", "A letter may read its fields and use the listed filters, no more: mend this line."
        case UndefinedError():
            return "undefined-name", str(fault.message)
        case TemplateNotFound():
            return "missing-template", f"The file “{fault.name}” that this letter uses is not there."
        case TemplateSyntaxError():
            return "syntax", f"The template cannot be read: {fault.message}"
        case TemplateRuntimeError():
            return "template", str(fault.message)
        case _:
            return "filter-failed", (f"What stands on this line cannot be done with this supporter's data "
                                     f"({type(fault).__name__}): give a default, or test for it first.")


def _file(letter: Letter, name: str) -> str:
    if name == SUBJECT:
        return letter.files.get(SUBJECT) or letter.files.get(letter.html, letter.html)
    return letter.files.get(name, name)


def _line(letter: Letter, name: str, line: int | None) -> int | None:
    known = letter.lines.get(name)
    if line is None or not known:
        return line
    return known[min(max(line, 1), len(known)) - 1]
