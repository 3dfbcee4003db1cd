"""``python -m lab.layouts FOLDER``: our layouts beside public templates, all looked at by ``check``'s own eyes.

The folder holds one HTML file a template, as its project publishes it; each is inlined first, as it would be sent. What
is asked of letters alone (an unsubscribe link of ours, the charity's address, words) is not asked of either: only the
HTML is looked at.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pillarbox.checking import html as checking
from pillarbox.compose.inline import PremailerInliner
from pillarbox.model.records import Finding, Level
from tests.golden import samples

BEGIN, END = "<!-- python -m lab.layouts -->\n", "<!-- end -->\n"
_WEIGHT = {Level.ERROR: 10, Level.WARNING: 3, Level.ADVICE: 1}
"""Points against a template: what must not be sent, what should be looked at, what could be better."""


def main() -> None:
    """Examine, and print the table; or write it where a document keeps it."""
    parser = argparse.ArgumentParser(prog="python -m lab.layouts", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="a folder of .html files")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the file's marks")
    parser.add_argument("--say", action="store_true", help="print every finding too, to judge it")
    given = parser.parse_args()
    found = {**{f"**{name}** (ours)": examined(samples.letter(name)) for name in samples.LAYOUTS},
             **{path.stem: examined(path.read_text("utf-8")) for path in sorted(given.folder.glob("*.html"))}}
    if given.say:
        for name, findings in found.items():
            for each in findings:
                print(f"{name}: {each.level} {each.code}, line {each.line}: {each.message}")
    table = "\n".join(rows(found)) + "\n"
    if given.write:
        before, _, rest = given.write.read_text("utf-8").partition(BEGIN)
        given.write.write_text(before + BEGIN + table + END + rest.partition(END)[2], "utf-8")
    else:
        print(table, end="")


def examined(html: str) -> tuple[Finding, ...]:
    """What ``check`` finds in a template's HTML when it is sent."""
    return checking.examine(PremailerInliner()(html))


def points(findings: Iterable[Finding]) -> int:
    """What stands against a template; 0 is best."""
    return sum(_WEIGHT[each.level] for each in findings)


def rows(found: dict[str, tuple[Finding, ...]]) -> Iterator[str]:
    """The table in Markdown, the best first."""
    yield "| template | points | errors | warnings | advice | findings |"
    yield "|---|--:|--:|--:|--:|---|"
    for name, findings in sorted(found.items(), key=lambda each: points(each[1])):
        levels = Counter(each.level for each in findings)
        codes = Counter(each.code for each in findings)
        said = ", ".join(f"`{code}` {count}" for code, count in sorted(codes.items())) or "none"
        yield (f"| {name} | {points(findings)} | {levels[Level.ERROR]} | {levels[Level.WARNING]} | "
               f"{levels[Level.ADVICE]} | {said} |")


if __name__ == "__main__":
    main()
