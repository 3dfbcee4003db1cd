"""The theme's colours are looked at, pair by pair, in both schemes; each fault at the line that can mend it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pillarbox.checking.theme import PAIRS, contrast, judge
from pillarbox.content.theme import Theme
from pillarbox.content.theme import read as read_theme
from pillarbox.ground.resources import shipped
from pillarbox.model.records import Level
from tests import projects


def theme(**colours: str) -> Theme:
    """The shipped theme with some colours changed: ``dark_ink="#…"`` of the dark scheme."""
    found, _ = read_theme(shipped("templates").parent)
    assert found is not None
    day = {name: value for name, value in colours.items() if not name.startswith("dark_")}
    dark = {name[5:]: value for name, value in colours.items() if name.startswith("dark_")}
    return found.model_copy(update={"colours": found.colours.model_copy(update=day),
                                    "dark": found.dark.model_copy(update=dark)})


def test_the_shipped_theme_is_without_fault() -> None:
    """Every pair of both schemes has its contrast."""
    assert list(judge(theme())) == []


@pytest.mark.parametrize(("one", "other", "found"), [
    ("#000000", "#ffffff", 21.0), ("#ffffff", "#000000", 21.0), ("#777777", "#ffffff", 4.48),
    ("#808080", "#808080", 1.0), ("#ff0000", "#ffffff", 4.0), ("#0000ff", "#ffffff", 8.59),
])
def test_contrast_is_that_of_the_guidelines(one: str, other: str, found: float) -> None:
    """Known values of WCAG's formula."""
    assert contrast(one, other) == pytest.approx(found, abs=0.01)


@pytest.mark.parametrize(("words", "ground"), [pair[:2] for pair in PAIRS])
@pytest.mark.parametrize("scheme", ["", "dark_"])
def test_each_pair_is_looked_at(words: str, ground: str, scheme: str) -> None:
    """Words of the colour of what they stand on are an error that names scheme and pair; and a mend is said."""
    base = theme()
    palette = base.dark if scheme else base.colours
    found = list(judge(theme(**{f"{scheme}{words}": getattr(palette, ground)})))
    told = [each for each in found if f"] {words} #" in each.message and f" on {ground} #" in each.message]
    assert [each.level for each in told] == [Level.ERROR]
    assert told[0].code == "theme-contrast"
    assert told[0].message.startswith("[dark]" if scheme else "[colours]")
    assert "contrast of 1.00 to 1" in told[0].message


@pytest.mark.parametrize(("muted", "levels"), [
    ("#767676", []), ("#777777", [Level.WARNING]), ("#868686", [Level.WARNING]), ("#b0b0b0", [Level.ERROR]),
])
def test_between_too_little_and_unreadable(muted: str, levels: list[Level]) -> None:
    """4.5 to 1 is enough, below it is a warning, below 3 an error: nobody may plan what cannot be read."""
    found = list(judge(theme(muted=muted, paper="#ffffff", page="#ffffff", tint="#ffffff")))
    assert [each.level for each in found if "muted" in each.message and "paper" in each.message] == levels


def test_check_tells_the_line(tmp_path: Path) -> None:
    """``check`` names templates/theme.toml and the line of the colour, refuses what cannot be read, and plan too."""
    project = projects.make(tmp_path)
    file = tmp_path / "templates" / "theme.toml"
    file.parent.mkdir(exist_ok=True)
    shutil.copy(shipped("templates") / "theme.toml", file)
    source = file.read_text("utf-8").replace('muted = "#a7b0b6"', 'muted = "#30363a"')
    file.write_text(source, "utf-8")
    line = source.split("\n").index('muted = "#30363a"') + 1
    said = project.run("check", "harbour", "--json", expect=1).stdout
    assert '"theme-contrast"' in said
    assert f'"line": {line}' in said or f'"line":{line}' in said
    assert "[dark] muted #30363a on paper #1a2126" in said
