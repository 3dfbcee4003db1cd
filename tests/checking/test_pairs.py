"""Every code that a check can give: the smallest letter that shows it, and its nearest neighbour, which must not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import pytest

from pillarbox.checking import examine, online
from pillarbox.checking.codes import known
from pillarbox.mailings.check import Checked, check
from pillarbox.model import config
from pillarbox.model.states import Basis
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.store.project import Project, open_project
from tests.checking.outside import anywhere, stand_in, website
from tests.checking.pairs import composing, hypertext, inbox, links, reading, supporters, words
from tests.checking.pairs.case import PEOPLE, SITE, Case, Pair
from tests.projects import write_list

PAIRS: tuple[Pair, ...] = tuple(
    pair for room in (reading, composing, supporters, hypertext, links, inbox, words) for pair in room.PAIRS)

ASK, CHECKS = online.ask, examine.CHECKS


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose database, with its lists, all the pairs share."""
    folder = tmp_path_factory.mktemp("shared")
    _write(folder, Case())
    project = open_project(folder)
    for name, people in PEOPLE.items():
        import_list(project.store, secret=project.secret, path=write_list(folder / f"{name}.csv", people),
                    list_name=name, format="auto", mapping={}, basis=Basis.CONSENT, source="test", obtained=None,
                    tracking=None, dry_run=False)
    yield project
    project.close()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a website on this machine."""
    with website() as (address, _):
        yield address


def _write(folder: Path, case: Case, site: str = "") -> None:
    for name, content in case.contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(SITE.encode(), site.encode()) if path.suffix == ".md" else content)


def _checked(case: Case, opened: Project, folder: Path, site: str, monkeypatch: pytest.MonkeyPatch) -> Checked:
    _write(folder, case, site)
    monkeypatch.setenv("PATH", str(stand_in(folder / "bin", case.score) if case.score else folder / "nothing"))
    monkeypatch.setattr(online, "ask", partial(ASK, seconds=case.online, allowed=anywhere))
    monkeypatch.setattr(examine, "CHECKS", (*CHECKS, _failing) if case.failing else CHECKS)
    project = replace(opened, folder=folder, settings=config.load(folder))
    return check(project, case.slug, Rule(lists=(case.people,)) if case.people else None, day=case.day,
                 go_online=bool(case.online))


def _failing(matter: object) -> Iterator[None]:
    raise ValueError("a letter that nobody foresaw")


def _told(checked: Checked) -> list[str]:
    return [f"{each.level.value} {each.code} {each.file}:{each.line} {each.message}" for each in checked.findings]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.code)
def test_a_finding_shows_and_its_neighbour_does_not(pair: Pair, opened: Project, site: str, tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    """The first case has this finding alone; the second, which differs in one thing, is composed whole and has none."""
    shown = _checked(pair.shows, opened, tmp_path / "shows", site, monkeypatch)
    assert {each.code for each in shown.findings} - set(pair.besides) == {pair.code}, _told(shown)
    neighbour = _checked(pair.shows_not, opened, tmp_path / "neighbour", site, monkeypatch)
    assert {each.code for each in neighbour.findings} <= set(pair.besides), _told(neighbour)
    assert neighbour.copies


def test_every_code_has_its_pair() -> None:
    """A code without a pair is a promise that nothing proves; a pair of a code that is no more proves nothing."""
    codes = [pair.code for pair in PAIRS]
    assert sorted(set(known()) - set(codes)) == []
    assert sorted(set(codes) - set(known())) == []
    assert [code for code, count in Counter(codes).items() if count > 1] == []


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.code)
def test_the_cases_of_a_pair_differ_in_one_thing(pair: Pair) -> None:
    """A neighbour that differs in more could be without the finding for another reason."""
    assert len([each for each in fields(Case) if getattr(pair.shows, each.name) != getattr(
        pair.shows_not, each.name)]) == 1
