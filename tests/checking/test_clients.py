"""What mail programs lack: from caniemail's facts, weighed by who reads with them."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from pillarbox.checking import html
from pillarbox.checking.clients.distil import distil
from pillarbox.checking.clients.features import EFFECTS, SLIGHT
from pillarbox.checking.clients.table import FILE, shares, table
from pillarbox.checking.clients.weigh import look
from pillarbox.model.config import Settings
from pillarbox.model.records import Finding, Level
from pillarbox.model.sections.checking import CLIENTS, CheckSettings
from tests.checking.looking import ROOT, matter, page

READERS = shares(CLIENTS)


def told(body: str, readers: dict[str, float] = READERS) -> list[Finding]:
    return list(look(page(body), readers))


@pytest.mark.parametrize(("body", "slug"), [
    ("<div style='display:flex'>a</div>", "css-display-flex"),
    ("<div style='display:grid'>a</div>", "css-display-grid"),
    ("<div style='position:absolute'>a</div>", "css-position"), ("<img style='float:left'>", "css-float"),
    ("<p style='margin-inline:4px'>a</p>", "css-margin-inline-block"),
    ("<p style='color:var(--a)'>a</p>", "css-variables"),
    ("<p style='width:calc(1px + 2px)'>a</p>", "css-unit-calc"), ("<p style='font-size:1rem'>a</p>", "css-unit-rem"),
    ("<p style='color:rgba(0,0,0,.5)'>a</p>", "css-rgba"),
    ("<p style='color:oklch(50% 0 0)'>a</p>", "css-modern-color"),
    ("<p style='color:rgb(0 0 0 / 50%)'>a</p>", "css-modern-color"),
    ("<div style='background-image:url(a.png)'>a</div>", "css-background-image"),
    ("<div style='background:linear-gradient(#000,#111)'>a</div>", "css-linear-gradient"),
    ("<svg></svg>", "html-svg"), ("<video></video>", "html-video"), ("<form></form>", "html-form"),
    ("<img src='https://e.org/a.webp'>", "image-webp"), ("<img src='https://e.org/a.SVG?b=1'>", "image-svg"),
    ("<img src='data:image/png;base64,AA=='>", "image-base64"), ("<link rel='stylesheet' href='a.css'>", "html-link"),
    ("<style>@import url(a.css);</style>", "css-at-import"),
    ("<style>p { display: flex }</style><p>a</p>", "css-display-flex"),
    ("<style>p::before { content: 'x' }</style><p>a</p>", "css-pseudo-element-before")])
def test_what_some_lack_is_told(body: str, slug: str) -> None:
    """Tags, inlined styles, rules and images are all seen; the finding links to the facts."""
    [found] = told(body)
    assert found.code == "client-support"
    assert f"features/{slug}/" in found.message
    assert (found.level is Level.ADVICE) == (slug in SLIGHT)


@pytest.mark.parametrize("body", [
    "<p style='color:#000;border-radius:4px;box-shadow:0 0 1px #000;text-wrap:balance;max-width:600px'>a</p>",
    "<style>@media (max-width:480px) { p { display: flex } }</style><p>a</p>",
    "<style>@media (prefers-color-scheme: dark) { p { color: rgba(0,0,0,.5) } }</style><p>a</p>",
    "<style>.nobody { display: flex }</style><p>a</p>", "<style>p:hover { position: absolute }</style><p>a</p>",
    "<p style='background:#000;background:linear-gradient(#000,#111)'>a</p>",
    "<p style='width:100%;width:calc(100% - 4px)'>a</p>", "<p style='float:none;position:relative'>a</p>",
    "<!--[if !mso]><!--><p style='display:flex'>a</p><!--<![endif]-->", "<img src='https://e.org/a.png'>",
    "<!--[if mso]><v:fill src='a.png'/><![endif]--><td style='background-image:url(a.png)' background='a.png'>a</td>",
    "<input type='hidden' name='a'>", "<p style='visibility:hidden;display:none'>a</p>", "<link rel='stylesheet' href='https://fonts.googleapis.com/css?family=A'>",
    "<style>@import url('https://fonts.googleapis.com/css?family=A');</style>"])
def test_what_is_safe_is_left_alone(body: str) -> None:
    """Decoration, extras for wide or dark screens, values with a fallback, and what Outlook is spared are fine."""
    assert told(body) == []


def test_it_is_weighed_by_who_reads() -> None:
    """The same use is a warning for many readers, advice for few, and nothing where none lacks it."""
    body = "<div style='display:flex'>a</div>"
    levels = [[found.level for found in told(body, shares({"outlook.windows": share}))] for share in (0.2, 0.01)]
    assert levels == [[Level.WARNING], [Level.ADVICE]]
    assert told(body, shares({"apple-mail": 1.0})) == []
    assert "Outlook for Windows, about 20% of readers" in told(body, shares({"outlook.windows": 0.2}))[0].message


def test_many_uses_are_one_finding() -> None:
    """A hundred boxes of one kind are told once, with their number."""
    [found] = told("<div style='display:flex'>a</div>" * 100)
    assert "(100 times)" in found.message


def test_shares_spread_over_a_family() -> None:
    """A family's share goes to those of its programs that have none of their own."""
    found = shares({"outlook": 0.05, "outlook.windows": 0.2})
    assert found["outlook.windows"] == 0.2
    assert sum(found.values()) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="mutt"):
        shares({"mutt": 1.0})


def test_a_program_that_nobody_knows_is_told() -> None:
    """A misspelt name in [check] clients is a finding, and the usual shares serve."""
    letter = matter(letter="Hello.\n")
    settings = Settings(folder=ROOT, check=CheckSettings(clients={"mutt": 1.0}))
    [finding] = list(html.look(dataclasses.replace(letter, settings=settings)))
    assert (finding.code, finding.file) == ("unknown-client", "pillarbox.toml")


def test_the_defaults_are_sound() -> None:
    """The shares that ship name known programs, and are no more than everybody."""
    assert 0.8 < sum(READERS.values()) <= 1.0


def test_every_feature_has_its_facts() -> None:
    """The table that ships holds all that is looked for, and credits where it is from."""
    assert set(table().features) == set(EFFECTS)
    assert set(EFFECTS) >= SLIGHT
    assert "caniemail.com" in table().credit
    assert "MIT" in table().credit
    assert (FILE.parent / "LICENSE-caniemail").is_file()


@pytest.mark.shared
def test_the_table_is_what_the_data_says() -> None:
    """Distilling the published data again gives the table that ships, byte for byte."""
    root = Path(__file__).resolve().parents[2]
    folders = [Path(os.environ.get("PILLARBOX_SHARED", "")), root.parent / "shared", root.parents[1] / "shared"]
    found = next((path for folder in folders for path in sorted((folder / "data").glob("caniemail-*.json"))), None)
    if found is None:
        pytest.skip("the published data is not kept beside this checkout")
    assert json.loads(FILE.read_text("utf-8")) == distil(json.loads(found.read_text("utf-8")))
