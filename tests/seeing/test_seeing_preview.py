"""A letter is seen as supporters will see it: by people picked to differ, on one page, written or served."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from lab.harbour import write_list
from pillarbox.ground.errors import Refused
from pillarbox.mailings import samples
from pillarbox.people.audience import Rule
from pillarbox.seeing import pictures
from pillarbox.seeing.page import page
from pillarbox.seeing.sight import Sight, Whom
from pillarbox.store.project import open_project
from tests.projects import LETTER, TestProject, make
from tests.web.browsing import CHROMIUM


@pytest.fixture
def project(tmp_path: Path) -> TestProject:
    """A project with the harbour appeal and nobody in it."""
    return make(tmp_path / "p", light=False)


def listed(project: TestProject, people: list[dict[str, str]]) -> None:
    """Import made-up supporters."""
    file = write_list(project.folder / "people.csv", people)
    project.run("lists", "import", str(file), "--list", "news", "--basis", "consent", "--source", "test")


def person(email: str, first: str = "", last: str = "") -> dict[str, str]:
    return {"email": email, "first_name": first, "last_name": last}


# ------------------------------------------------------------------------------------------ whom it is read by


def test_made_up_supporters_differ(project: TestProject) -> None:
    """Every name, none, a very long one, one from the right, and one with marks that HTML must escape."""
    with_names = [one for one in samples.MADE_UP if one.says["first_name"]]
    assert len(samples.MADE_UP) - len(with_names) == 1
    assert any(samples.is_right_to_left(one.who) for one in samples.MADE_UP)
    assert any(len(one.who) > 50 for one in samples.MADE_UP)
    opened = open_project(project.folder)
    sight = Sight(project=opened, slug="harbour")
    sight.first_look()
    texts = [each.html for each in sight.pages()]
    opened.close()
    assert "Dear Ms Sample" in texts[0]
    assert "Every gift counts" not in texts[1]
    assert "Seán &amp; Zoë" in texts[4]


def test_a_copy_of_a_variant_says_that_it_is_drawn_by_lot(project: TestProject) -> None:
    """Nobody reads that each of two variants goes to everybody."""
    toml = project.folder / "appeals" / "harbour" / "appeal.toml"
    toml.write_text('"subject.b" = "Another subject"\n' + toml.read_text("utf-8"), "utf-8")
    listed(project, [person(f"p{n}@example.org", f"Name{n}", "Common") for n in range(3)])
    opened = open_project(project.folder)
    sight = Sight(project=opened, slug="harbour", whom=Whom(rule=Rule(lists=("news",))))
    sight.first_look()
    notes = [one["note"] for one in sight.frame()["people"]]
    opened.close()
    assert [note.partition(",")[0] for note in notes] == ["variant a", "variant b"]
    assert all(", by lot one in 2 of: 3 of 3 supporters" in note for note in notes)


def test_a_list_gives_one_supporter_for_each_version_and_the_odd_names(project: TestProject) -> None:
    """With how many get each version; each supporter stands there once."""
    listed(project, [*(person(f"p{n}@example.org", f"Name{n}", "Common") for n in range(6)),
                     person("long@example.org", "Wilhelmina-Alexandrina", "Featherstonehaugh-Example"),
                     person("none@example.org"), person("right@example.org", "ئايگۈل", "ئۆرنەك")])
    opened = open_project(project.folder)
    picked = samples.of_rule(opened, "harbour", Rule(lists=("news",)))
    opened.close()
    notes = {one.who: one.note for one in picked}
    assert notes == {"Name0 Common": "version 1: 8 of 9 supporters",
                     "none@example.org": "version 2: 1 of 9 supporters, no name",
                     "Wilhelmina-Alexandrina Featherstonehaugh-Example": "longest name",
                     "ئايگۈل ئۆرنەك": "right to left"}


def test_a_copy_that_cannot_be_composed_comes_first_and_says_why(project: TestProject) -> None:
    """The others are shown all the same."""
    (project.folder / "appeals/harbour/letter.md").write_text(
        LETTER + "\n{% if supporter.first_name == 'Bad' %}{{ supporter.gift }}{% endif %}\n", "utf-8")
    listed(project, [person("good@example.org", "Good"), person("bad@example.org", "Bad")])
    opened = open_project(project.folder)
    sight = Sight(project=opened, slug="harbour", whom=Whom(rule=Rule(lists=("news",))))
    sight.first_look()
    bad, good = sight.pages()[:2]
    opened.close()
    assert bad.fault is not None
    assert (bad.fault.file, bad.fault.line) == ("appeals/harbour/letter.md", 15)
    assert "Every gift counts, Good" in good.text


def test_a_list_on_which_nobody_may_be_written_to_is_refused(project: TestProject) -> None:
    """With what to do."""
    file = write_list(project.folder / "people.csv", [person("a@example.org", "A")])
    project.run("lists", "import", str(file), "--list", "news", "--source", "test")
    assert "nobody to look at the letter with" in project.run("preview", "harbour", "--list", "news", expect=1).stderr


# ------------------------------------------------------------------------------------------ the page


def data_of(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="look">(.*?)</script>', html, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


def test_preview_writes_the_page_and_each_letter(project: TestProject, tmp_path: Path) -> None:
    """Subject, preheader, HTML, text and findings stand in one file that fetches nothing."""
    out = tmp_path / "out"
    said = project.run("preview", "harbour", "--out", str(out)).stdout
    assert str(out / "harbour.html") in said
    data = data_of((out / "harbour.html").read_text("utf-8"))
    assert len(data["copies"]) == len(samples.MADE_UP)  # type: ignore[arg-type]
    assert data["copies"][0]["subject"] == "The harbour needs you, Dear Ms Sample"  # type: ignore[index]
    assert data["live"] == ""
    assert data["findings"] is not None
    assert (out / "harbour-2.txt").read_text("utf-8").startswith("Subject: The harbour needs you, Dear Supporter\n")
    assert not list(project.folder.glob("preview"))


def test_a_letter_cannot_end_the_pages_own_script() -> None:
    """Whatever a letter holds stays data."""
    frame = {"title": "</title><script>alert(1)</script>", "version": 1, "people": [], "faults": [], "images": {}}
    copies = [{"html": "</script><script>alert(2)</script><!--", "text": "", "subject": "", "fault": None}]
    made = page(frame, copies=copies, findings=[])
    assert "<script>alert" not in made
    assert data_of(made)["copies"] == copies


def test_images_of_the_folder_are_shown_without_a_server(project: TestProject, tmp_path: Path) -> None:
    """Before there is any public address for them."""
    home = project.folder / "appeals/harbour"
    (home / "images").mkdir()
    Image.new("RGB", (40, 20), "red").save(home / "images" / "lamp.png")
    (home / "letter.md").write_text(LETTER + "\n![A red lamp](images/lamp.png)\n", "utf-8")
    project.run("preview", "harbour", "--out", str(tmp_path / "out"))
    assert 'src="data:image/png;base64,' in (tmp_path / "out/harbour-1.html").read_text("utf-8")
    images = data_of((tmp_path / "out/harbour.html").read_text("utf-8"))["images"]
    assert [name.partition(".invalid/")[0] for name in images] == ["https://images.preview"]  # type: ignore[attr-defined]


def test_a_broken_folder_is_told_with_file_and_line(project: TestProject) -> None:
    """No page is written of it, and no trace is shown."""
    (project.folder / "appeals/harbour/letter.md").write_text("Hello\n\n{% if x %}\n", "utf-8")
    done = project.run("preview", "harbour", expect=1)
    assert re.search(r"appeals/harbour/letter.md:\d+", done.stderr)
    assert "Traceback" not in done.stderr
    assert not (project.folder / "preview").exists()


def test_contradicting_wishes_are_refused(project: TestProject) -> None:
    """Usage faults: one supporter or a list, a page served or written."""
    assert "does not go with" in project.run("preview", "harbour", "--as", "a@b.org", "--list", "x", expect=2).stderr
    assert "ask for one" in project.run("preview", "harbour", "--serve", "--png", expect=2).stderr


# ------------------------------------------------------------------------------------------ served


def test_the_page_is_served_to_this_machine_and_told_of_changes(project: TestProject) -> None:
    """On a path nobody can guess, to no other host name; a saved letter is told at once, and Ctrl-C ends it well."""
    serving = project.start("preview", "harbour", "--serve")
    assert serving.stdout is not None
    try:
        address = next(line.strip() for line in serving.stdout if "http://" in line)
        origin = f"http://{urlsplit(address).netloc}"
        with httpx.Client(timeout=20) as client:
            shown = client.get(address)
            assert shown.status_code == 200
            assert "script-src 'sha256-" in shown.headers["content-security-policy"]
            assert client.get(origin + "/").status_code == 404
            assert client.get(address, headers={"host": "evil.example"}).status_code == 400
            assert "Dear Ms Sample" in client.get(f"{address}copy/1").json()["text"]
            assert client.get(f"{address}copy/99").status_code == 404
            assert "findings" in client.get(f"{address}findings").json()
            with client.stream("GET", f"{address}events") as news:
                lines = news.iter_lines()
                first = json.loads(next(line for line in lines if line.startswith("data: "))[6:])
                letter = project.folder / "appeals/harbour/letter.md"
                letter.write_text(LETTER.replace("the lamp", "the new lamp"), "utf-8")
                second = json.loads(next(line for line in lines if line.startswith("data: "))[6:])
                assert second["version"] > first["version"]
                assert "the new lamp" in client.get(f"{address}copy/1").json()["text"]
                letter.write_text("{% if %}", "utf-8")
                third = json.loads(next(line for line in lines if line.startswith("data: "))[6:])
                assert third["faults"][0]["file"] == "appeals/harbour/letter.md"
    finally:
        began = time.monotonic()
        serving.send_signal(signal.SIGINT)
        out, err = serving.communicate(timeout=30)
    assert serving.returncode == 0, err
    assert "Traceback" not in out + err
    assert time.monotonic() - began < 20


def test_a_folder_that_comes_back_is_watched_again(project: TestProject) -> None:
    """It was deleted and made anew, as another branch of git does it: what is saved in it then is seen."""
    home = project.folder / "appeals/harbour"
    serving = project.start("preview", "harbour", "--serve")
    assert serving.stdout is not None
    try:
        address = next(line.strip() for line in serving.stdout if "http://" in line)
        with httpx.Client(timeout=20) as client, client.stream("GET", f"{address}events") as news:
            lines = news.iter_lines()

            def told(wanted: Callable[[dict[str, Any]], object]) -> None:
                end = time.monotonic() + 20
                for line in lines:
                    assert time.monotonic() < end
                    if line.startswith("data: ") and wanted(json.loads(line[6:])):
                        return

            told(lambda look: not look["faults"])
            shutil.copytree(home, project.folder / "kept")
            shutil.rmtree(home)
            told(lambda look: "no-appeal" in [fault["code"] for fault in look["faults"]])
            shutil.copytree(project.folder / "kept", home)
            told(lambda look: not look["faults"])
            time.sleep(1)
            (home / "letter.md").write_text(LETTER + "\nAnd a new word.\n", "utf-8")
            told(lambda _look: "And a new word." in client.get(f"{address}copy/1").json()["text"])
    finally:
        serving.send_signal(signal.SIGINT)
        out, err = serving.communicate(timeout=30)
    assert "Traceback" not in out + err


# ------------------------------------------------------------------------------------------ pictures


def test_without_a_browser_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what to do instead."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(pictures.sys, "platform", "linux")
    for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Refused, match="none that can be found"):
        pictures.browser()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed here: these tests run in CI")
def test_pictures_are_taken_by_the_machines_browser(project: TestProject, tmp_path: Path) -> None:
    """As wide as the device, as tall as the letter, dark where it is dark."""
    out = tmp_path / "out"
    said = project.run("preview", "harbour", "--out", str(out), "--png").stdout
    assert f"{len(pictures.VIEWS) + 2 * (len(samples.MADE_UP) - 1)} pictures" in said
    light, dark = (Image.open(out / f"harbour-1-phone-{name}.png").convert("L") for name in ("light", "dark"))
    assert light.width == dark.width == 750
    assert light.height > 1_000
    assert light.getpixel((4, 200)) > 200 > 60 > dark.getpixel((4, 200))  # type: ignore[operator]


def test_what_is_written_is_its_owners_alone(project: TestProject, tmp_path: Path) -> None:
    """It may hold a supporter's words; and git leaves the usual folder alone."""
    out = tmp_path / "out"
    for _ in range(2):
        project.run("preview", "harbour", "--out", str(out))
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    project.run("init", str(tmp_path / "new"))
    assert "preview/" in (tmp_path / "new" / ".gitignore").read_text("utf-8").splitlines()


def test_what_a_check_finds_is_looked_for_once_for_the_newest_letter(project: TestProject) -> None:
    """Who asks for an older one gets nothing, at once."""
    opened = open_project(project.folder)
    sight = Sight(project=opened, slug="harbour")
    sight.first_look()
    sight.look_again()
    assert "no-theme" in [each.code for each in sight.findings(2)]
    assert sight.findings(1) == ()
    opened.close()


def test_a_letter_that_nobody_can_get_is_a_failure_with_a_hint(project: TestProject, tmp_path: Path) -> None:
    """A field of the charity's own is not known of made-up supporters; the page says so too."""
    (project.folder / "appeals/harbour/letter.md").write_text("{{ supporter.boat }}", "utf-8")
    said = project.run("preview", "harbour", "--out", str(tmp_path / "out"), expect=1).stdout
    assert "appeals/harbour/letter.md:1" in said
    assert "--list NAME reads it with yours" in said
    assert (tmp_path / "out" / "harbour.html").exists()
