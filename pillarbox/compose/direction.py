"""Which way a language is written, and the marks that keep words of either way apart."""

from __future__ import annotations

import re

from pillarbox.compose.placeholders import Placeholders, TagKind

LTR, RTL = "ltr", "rtl"
OPEN, CLOSE = "\u2068", "\u2069"
"""First strong isolate and its end (Unicode 6.3, UAX 9): what stands between them takes its direction from its own
first letter, and moves nothing around it. ``<bdi>`` would say the same, but Gmail and Outlook drop it (caniemail.com,
data of 2026-06-29)."""
EDGE = "\u200f"
"""Right-to-left mark. Programs take the direction of a line of plain text from its first letter."""

# Main languages whose usual script runs from right to left (CLDR 48, likely subtags), and such scripts (ISO 15924).
_LANGUAGES = frozenset(("ar", "arc", "bal", "ckb", "dv", "fa", "glk", "he", "khw", "ks", "lrc", "mzn", "nqo", "ps",
                        "sd", "syr", "ug", "ur", "yi"))
_SCRIPTS = frozenset(("adlm", "arab", "aran", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa"))
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def is_language(text: str) -> bool:
    """Whether the words look like a language tag (BCP 47): ``ug``, ``en-GB``, ``az-Arab``."""
    return _LANGUAGE.fullmatch(text) is not None


def direction_of(language: str) -> str:
    """``rtl`` for a language that is written from right to left, else ``ltr``; a script in the tag decides."""
    main, *rest = language.lower().split("-")
    script = next((part for part in rest if len(part) == 4 and part.isalpha()), "")
    return RTL if (script in _SCRIPTS if script else main in _LANGUAGES) else LTR


def isolated(text: str, placeholders: Placeholders) -> str:
    """``text`` with every printed value isolated from the words around it."""
    def isolate(found: re.Match[str]) -> str:
        is_value = found[0].endswith(TagKind.VALUE) and placeholders.tags(found[0])[0].code.startswith("{{")
        return f"{OPEN}{found[0]}{CLOSE}" if is_value else found[0]

    return placeholders.pattern.sub(isolate, text)


def isolated_source(source: str) -> str:
    """The same for a Jinja source that is no Markdown: a subject line.

    Raises:
        jinja2.TemplateSyntaxError: when Jinja cannot tell the tags apart.
    """
    placeholders = Placeholders(source)
    return placeholders.restore(isolated(placeholders.text, placeholders))[0]
