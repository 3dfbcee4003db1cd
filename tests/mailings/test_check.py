"""check and plan: what is wrong with a letter, for the very copies that would leave, whatever the folder holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from pillarbox.ground.errors import LetterError
from pillarbox.mailings import planning
from pillarbox.mailings.check import Checked, check
from pillarbox.model.records import Finding, Level
from pillarbox.people.audience import Rule
from pillarbox.store.project import Project
from pillarbox.store.schema import mailings as mailings_table
from pillarbox.store.schema import messages, supporters
from tests.mailings.conftest import CROWD

ALL = Rule(lists=("all",))
HEAD = "# Hello\n\n{{ supporter.salutation }},\n\n"


def write(project: Project, letter: str, appeal: str = "") -> None:
    folder = project.folder / "appeals" / "harbour"
    (folder / "letter.md").write_text(letter, "utf-8")
    if appeal:
        (folder / "appeal.toml").write_text('title = "A letter"\nsubject = "A letter"\npreheader = "Come."\n' + appeal,
                                            "utf-8")


def found(checked: Checked, code: str) -> Finding:
    return next(finding for finding in checked.findings if finding.code == code)


def give(project: Project, name: str, value: str) -> None:
    """One supporter has a field of the list's own."""
    with project.store.writing() as connection:
        first = select(supporters.c.id).order_by(supporters.c.id).limit(1).scalar_subquery()
        connection.execute(supporters.update().where(supporters.c.id == first).values(fields={name: value}))


def lose_names(project: Project, count: int) -> None:
    with project.store.writing() as connection:
        ids = connection.execute(select(supporters.c.id).order_by(supporters.c.id).limit(count)).scalars().all()
        connection.execute(supporters.update().where(supporters.c.id.in_(ids)).values(first_name=""))
        connection.execute(supporters.update().where(supporters.c.id.not_in(ids)).values(first_name="Ada"))


def test_who_would_read_a_gap_is_counted(project: Project) -> None:
    """Over the whole list it is told how many lack what is printed bare, at its line."""
    lose_names(project, 7)
    write(project, HEAD + "Come, {{ supporter.first_name }}!\n")
    finding = found(check(project, "harbour", ALL), "no-fallback")
    assert (finding.level, finding.file, finding.line) == (Level.WARNING, "appeals/harbour/letter.md", 5)
    assert finding.message.startswith(f"7 of {CROWD} supporters have no first_name")


def test_those_whose_copy_cannot_be_composed_are_counted(project: Project) -> None:
    """Of how many a field is missing is said of the whole list; the one who has it is not counted."""
    write(project, HEAD + "Come, {{ supporter.nickname }}!\n")
    give(project, "nickname", "Al")
    told = [each for each in check(project, "harbour", ALL).findings if "nickname" in each.message]
    assert [each.code for each in told] == ["undefined-name"]
    assert f" and {CROWD - 2} more" in told[0].message


def test_a_field_that_nobody_has_is_told_once(project: Project) -> None:
    """As the slip of the pen that it is, not as so many faulty copies."""
    write(project, HEAD + "Come, {{ supporter.nickname }}!\n")
    told = [each for each in check(project, "harbour", ALL).findings if "nickname" in each.message]
    assert [each.code for each in told] == ["nobody-has"]


def test_our_own_links_are_blamed_in_no_copy(project: Project) -> None:
    """In a copy that is composed alone the links of its supporter stand as they are; what the writer wrote is told."""
    write(project, HEAD + "{{ ('Dear ' ~ supporter.salutation) | safe }}: [give]({{ links.donate }}), "
                          "[straight](https://give.harbour.example/now)\n\n::: ask-ladder\n£10: buys oil\n:::\n")
    told = [each for each in check(project, "harbour", ALL).findings
            if each.code not in ("no-theme", "no-preheader", "contrast")]
    assert sorted(each.code for each in told) == ["slow-path", "untracked-donation"]
    assert "straight" in next(each.message for each in told if each.code == "untracked-donation")
    planned = planning.plan(project, planning.Wish(appeal="harbour", rule=ALL))
    assert "untracked-donation" in [each.code for each in planned.findings]
    assert not {each.code for each in planned.findings} & {"http-link", "tracking-conflict", "nearly-same-link"}


def test_plan_refuses_what_check_calls_an_error(project: Project) -> None:
    """The versions that were composed are examined before the mailing can be sent; nothing of it stays behind."""
    write(project, HEAD + "{% if supporter.salutation %}\nSee [our work](ftp://harbour.example/work).\n{% endif %}\n")
    with pytest.raises(LetterError, match="found an error; nothing was planned") as caught:
        planning.plan(project, planning.Wish(appeal="harbour", rule=ALL))
    [finding] = caught.value.findings
    assert isinstance(finding, Finding)
    assert (finding.code, finding.file, finding.line) == ("bad-link", "appeals/harbour/letter.md", 6)
    with project.store.reading() as connection:
        left = [connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (messages, mailings_table)]
    assert left == [0, 0]


def test_plan_passes_over_warnings_and_hands_them_on(project: Project) -> None:
    """A warning stops nothing; who planned is told of it."""
    write(project, HEAD + "See [our work](http://harbour.example/work).\n")
    planned = planning.plan(project, planning.Wish(appeal="harbour", rule=ALL))
    assert planned.mailing.planned == CROWD
    assert [finding.code for finding in planned.findings if finding.level is Level.WARNING] == ["http-link"]


def test_a_warning_is_silenced_with_its_reason(project: Project) -> None:
    """[check] ignore in appeal.toml leaves it out, counted; an error it cannot."""
    write(project, HEAD + "See [our work](http://harbour.example/work) and [more](ftp://harbour.example/).\n",
          '[check]\nignore = { http-link = "They have no certificate yet.", bad-link = "We know." }\n')
    checked = check(project, "harbour")
    assert checked.silenced == 1
    assert {finding.code for finding in checked.findings} >= {"bad-link", "ignore-error"}
    assert "http-link" not in {finding.code for finding in checked.findings}
    assert checked.to_json()["silenced"] == 1


def test_a_reason_is_wanted(project: Project) -> None:
    """Silencing without saying why is a fault of appeal.toml, at its line."""
    write(project, HEAD, '[check]\nignore = { http-link = "" }\n')
    finding = found(check(project, "harbour"), "bad-setting")
    assert (finding.file, finding.line) == ("appeals/harbour/appeal.toml", 5)


def test_many_faults_are_counted(project: Project) -> None:
    """One fault of many copies is told once, with the first supporter and the number of the others."""
    write(project, HEAD + "{{ supporter.town }}\n")
    give(project, "town", "Harbour")
    checked = check(project, "harbour", ALL)
    assert [finding.code for finding in checked.findings].count("undefined-name") == 1
    assert f"supporter1@example.org and {CROWD - 2} more" in found(checked, "undefined-name").message
    assert not checked.ok


def test_a_fault_of_each_copy_s_own_is_bounded(project: Project) -> None:
    """Faults that all differ are told twenty times at most; the rest is a number."""
    lose_names(project, 0)
    rows = "".join(f"{{% if supporter.place == {number} %}}\n\n{{{{ supporter.place.none{number} }}}}\n\n"
                   "{% endif %}\n" for number in range(25))
    write(project, HEAD + rows)
    with project.store.writing() as connection:
        for number, row in enumerate(connection.execute(select(supporters.c.id)).scalars().all()):
            connection.execute(supporters.update().where(supporters.c.id == row).values(
                fields={"place": number}))
    checked = check(project, "harbour", ALL)
    assert [finding.code for finding in checked.findings].count("undefined-name") == 20
    assert found(checked, "more-faults").message.startswith("5 more copies")


BAD: dict[str, tuple[str, str]] = {
    "script": (HEAD + "<script>alert(1)</script>\n", "script"),
    "javascript link": (HEAD + "[Press](javascript:alert(1))\n", ""),
    "include that climbs out": (HEAD + "{% include '../../pillarbox.key' %}\n", "path-outside"),
    "include from the root": (HEAD + "{% include '/etc/hostname' %}\n", "path-outside"),
    "include of itself": (HEAD + "{% include 'letter.html' %}\n", "circular-template"),
    "endless macro": (HEAD + "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}\n", "over-budget"),
    "endless loop": (HEAD + "{% for a in range(1000000) %}{{ a }}{% endfor %}\n", "over-budget"),
    "nul": (HEAD + "\0", "nul-character"),
    "huge": ("a" * 5_000_000, "too-big"),
    "deep brackets": (HEAD + "{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}\n", "too-deep"),
    "deep quotes": (HEAD + "> " * 3_000 + "a\n", ""),
    "many megabytes printed": (HEAD + "{% for a in range(900) %}{{ 'a' * 10000 }}{% endfor %}\n", "over-budget"),
    "nothing": ("", "empty-letter"),
    "comment alone": ("{# nothing #}\n", "empty-letter"),
    "broken tag": (HEAD + "{{ supporter.\n", "template-syntax"),
    "sandbox": (HEAD + "{{ supporter.__class__.__mro__ }}\n", "unsafe"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_hostile_letter_is_a_finding(name: str, project: Project) -> None:
    """Whatever the letter holds, check answers with findings that name its file, and never with a traceback."""
    letter, code = BAD[name]
    write(project, letter)
    checked = check(project, "harbour")
    assert all(finding.file.startswith(("appeals/harbour/", "templates/")) for finding in checked.findings)
    if code:
        finding = found(checked, code)
        assert checked.ok == (finding.level is not Level.ERROR)
        assert finding.line or code in ("too-big", "over-budget")
    if not checked.ok:
        with pytest.raises(LetterError):
            planning.plan(project, planning.Wish(appeal="harbour", rule=ALL))


def test_html_that_is_no_letter(project: Project) -> None:
    """Scripts in letter.html stop a plan; torn tags and depths of them are taken without a traceback."""
    folder = project.folder / "appeals" / "harbour"
    (folder / "letter.md").unlink()
    (folder / "letter.txt").write_text("Hello\n", "utf-8")
    for html, code in (("<p", ""), ("<<<>>>", ""), ("<script>alert(1)</script>", "script"),
                       ("<a href='javascript:alert(1)'>x</a>", "script-link"), ("<div>" * 5_000, ""),
                       ("<style>" + "{" * 5_000, ""), ("<!--", ""), (f"<p style='{'a:b;' * 5_000}'>x</p>", "")):
        (folder / "letter.html").write_text(html, "utf-8")
        codes = {finding.code for finding in check(project, "harbour").findings}
        assert "check-failed" not in codes, html[:20]
        assert not code or code in codes


def test_a_folder_that_cannot_be_read(project: Project) -> None:
    """A folder without settings, a letter that is a folder, a link that leads out: findings with their file."""
    folder = project.folder / "appeals" / "harbour"
    (folder / "letter.md").unlink()
    (folder / "letter.md").mkdir()
    assert not check(project, "harbour").ok
    (folder / "letter.md").rmdir()
    (folder / "letter.md").symlink_to(Path("/etc/hostname"))
    assert found(check(project, "harbour"), "path-outside").file == "appeals/harbour/letter.md"
    (folder / "appeal.toml").unlink()
    assert found(check(project, "harbour"), "missing-file").file == "appeals/harbour/appeal.toml"
    assert found(check(project, "nobody"), "no-appeal").level is Level.ERROR
    assert found(check(project, "../../etc"), "bad-name").level is Level.ERROR


def test_a_lists_own_blank_field_is_told_once_with_a_mend_that_works(project: Project) -> None:
    """The mend that the finding names is followed, and nothing is left to find."""
    give(project, "harbourside", "the pier")
    write(project, HEAD + "Come to {{ supporter.harbourside }}!\n")
    told = [each for each in check(project, "harbour", ALL).findings if "harbourside" in each.message]
    assert [each.code for each in told] == ["undefined-name"]
    assert "{{ supporter.harbourside or 'something that fits everybody' }}" in told[0].message
    assert "--list" not in told[0].message
    write(project, HEAD + "Come to {{ supporter.harbourside or 'something that fits everybody' }}!\n")
    assert not [each for each in check(project, "harbour", ALL).findings if "harbourside" in each.message]


def test_without_a_list_a_missing_field_says_how_to_name_one(project: Project) -> None:
    """Made-up supporters have no fields of a list's own."""
    write(project, HEAD + "Come to {{ supporter.harbourside }}!\n")
    assert "--list NAME" in found(check(project, "harbour"), "undefined-name").message
