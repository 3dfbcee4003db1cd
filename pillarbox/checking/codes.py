"""Every code that a finding on a letter can have, with what it says. ``python -m pillarbox.checking.codes`` writes the
list into docs/checking.md."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from pillarbox.checking import examine, html, online, silence
from pillarbox.checking.clients import weigh

READING: Mapping[str, str] = {
    "bad-name": "The name of the appeal's folder has letters that it may not have.",
    "no-appeal": "There is no appeal of this name.",
    "missing-file": "appeal.toml or the letter is missing.",
    "two-letters": "There is both a letter.md and a letter.html.",
    "empty-letter": "The letter is empty.",
    "bad-toml": "A settings file is not valid TOML.",
    "bad-setting": "A setting is missing, unknown or not what it should be.",
    "not-utf-8": "A file is not saved as UTF-8.",
    "nul-character": "A file holds a NUL character.",
    "path-outside": "A file leads out of its folder.",
    "too-big": "A file is too big.",
    "unreadable": "The appeal, or a file of it, cannot be read.",
    "image-name": "An image's name has characters that cannot be written in a letter.",
    "image-kind": "An image is of a kind that mail programs do not show.",
    "missing-image": "An image is not in the appeal's folder, or cannot be read.",
    "bad-image": "A file is no image that can be read, whatever its name says.",
    "image-pixels": "An image has far more pixels than a letter shows.",
    "image-too-big": "An image is far too big to be made ready.",
    "many-images": "The appeal has more images than one letter can show.",
    "bad-variant": "A variant of the letter is called, or set, in a way that cannot be read.",
    "same-variant": "A variant says nothing of its own.",
    "stray-letter": "A file looks like a letter and is not read.",
    "no-layout": "There is no layout of the name that appeal.toml gives.",
    "no-theme": "The project has no theme of its own.",
}
"""What reading an appeal's folder can find."""

COMPOSING: Mapping[str, str] = {
    "template-syntax": "Jinja cannot read a tag of the letter or a layout.",
    "too-deep": "Loops, choices or brackets stand too deeply in one another.",
    "tag-crosses-blocks": "A Jinja tag opens in one paragraph and closes in another.",
    "unknown-directive": "There is no ::: directive of this name.",
    "directive-open": "A ::: directive is not closed.",
    "directive-link": "A ::: directive lacks its link, or has one that it does not take.",
    "directive-body": "A ::: directive holds what it may not hold.",
    "directive-language": "A ::: lang block names no language.",
    "no-link": "A ::: directive needs a link that is not set.",
    "footnote": "A footnote has no text, or nothing leads to it.",
    "circular-template": "Templates include or extend each other in a circle.",
    "raw-html": "HTML in Markdown is printed as it stands.",
    "undefined-name": "The letter asks for a name or a field that is not there.",
    "template-name": "A template's file name has characters that no letter can write.",
    "missing-template": "A file that the letter includes is not there.",
    "syntax": "A template cannot be read.",
    "template": "A template does what it may not do.",
    "unsafe": "A template reaches for more than its fields and filters.",
    "over-budget": "A template makes something far too large, or never ends.",
    "filter-failed": "Something cannot be done with a supporter's data.",
    "slow-path": "Some copies are composed one by one, which is slower; the reason is told.",
    "more-faults": "More copies cannot be composed than are told one by one.",
}
"""What composing it can find."""

_BEGIN, _END = "<!-- codes: begin -->", "<!-- codes: end -->"


def known() -> dict[str, str]:
    """Every code with its sentence: what reads and composes, then each check's own (its module's ``CODES``)."""
    checks: list[object] = [*examine.CHECKS, *html.PAGE_CHECKS]
    modules = [sys.modules[check.__module__] for check in checks]
    found = {**READING, **COMPOSING}
    for module in dict.fromkeys((*modules, html, weigh, online, silence, examine)):
        found |= module.CODES
    return found


def listed() -> str:
    """The list as docs/checking.md shows it."""
    rows = "\n".join(f"| `{code}` | {words} |" for code, words in sorted(known().items()))
    return f"{_BEGIN}\n| code | what it says |\n|---|---|\n{rows}\n{_END}"


def with_list(page: str) -> str:
    """A page with the list put in its place."""
    before, _, rest = page.partition(_BEGIN)
    return before + listed() + rest.partition(_END)[2]


def main() -> None:
    """Write the list into docs/checking.md of this checkout."""
    path = Path(__file__).resolve().parents[2] / "docs" / "checking.md"
    path.write_text(with_list(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
