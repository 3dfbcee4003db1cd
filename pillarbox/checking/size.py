"""How much there is of the letter: near Gmail's limit, and stylesheets that mail programs throw away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import tinycss2
from tinycss2 import ast

from pillarbox.checking.essentials import MAX_BYTES
from pillarbox.checking.page import Page
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "nearly-too-long": "The HTML part comes near to what Gmail shows.",
    "style-too-long": "There is more CSS in <style> than Gmail keeps.",
    "style-dropped": "Gmail throws away a whole <style> because of something in it.",
}

NEAR = 0.9
STYLES = 16_384
"""Characters of all ``<style>`` together; Gmail removes those that go beyond
(github.com/hteumeuleu/caniemail/issues/144 and email-bugs/issues/90, read 2026-11)."""
_SLACK = 2_000
"""Bytes by which a message grows on its way: long links of the provider's, a footer, line ends."""


def look(page: Page) -> Iterator[Finding]:
    """What is too much."""
    size = len(page.html.encode())
    if size + _SLACK > MAX_BYTES * NEAR and size <= MAX_BYTES:
        yield page.fault("nearly-too-long", f"The HTML part has {size:,} bytes; Gmail hides what comes after "
                         f"{MAX_BYTES:,}, and what is added on the way counts too: shorten the letter a little.",
                         level=Level.WARNING)
    styles = [style.text or "" for style in page.all("style")]
    total = sum(map(len, styles))
    if total > STYLES:
        yield page.fault("style-too-long", f"The letter's <style> holds {total:,} characters of CSS, and Gmail drops "
                         f"what goes beyond {STYLES:,}: shorten it.", level=Level.WARNING, needle="<style")
    for css in styles:
        if nested := _nested(css):
            yield page.fault("style-dropped", f"An {nested[1]} stands within an {nested[0]}: Gmail then drops the "
                             "whole <style> in which it stands. Write them one after the other, or put them into a "
                             "<style> of their own.", level=Level.WARNING, needle=nested[1])


def _nested(css: str) -> tuple[str, str] | None:
    """An at-rule and the at-rule that it begins with within itself."""
    if not re.search(r"@[^{}]*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*@", css):
        return None
    for node in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if isinstance(node, ast.AtRule) and node.content is not None and node.lower_at_keyword != "font-face":
            for inner in tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True):
                if isinstance(inner, ast.AtRule):
                    return f"@{node.at_keyword}", f"@{inner.at_keyword}"
    return None
