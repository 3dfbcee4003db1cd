"""Variants on the terminal: who gets which is said at the plan, in the status and in the report."""

from __future__ import annotations

from pathlib import Path

from tests import projects

APPEAL = ('title = "A letter about the harbour"\nsubject = "The harbour needs you, {{ supporter.salutation }}"\n'
          'subject.b = "A [bold]storm[/] is coming"\n')


def test_a_mailing_with_variants_from_plan_to_report(tmp_path: Path) -> None:
    """Plan, send and report in practice: each says what each variant is, and how many got it."""
    project = projects.make(tmp_path / "project", appeal=APPEAL)
    people = projects.write_list(tmp_path / "list.csv", projects.crowd(40))
    project.run("lists", "import", str(people), "--list", "all", "--basis", "consent", "--source", "test")
    told = project.run("plan", "harbour", "--list", "all").stdout
    assert "Variants, given out by lot:" in told
    assert "b  20  “A [bold]storm[/] is coming”" in told
    mailing = project.json("status")["mailing"]
    project.run("send", mailing, "--yes", "--now")
    assert "b  20  “A [bold]storm[/] is coming”: 20 written to files" in project.run("status").stdout
    assert project.json("status")["variants"]["b"]["accepted"] == 20
    assert "Variants of the letter, given out by lot" in project.run("report", mailing).stdout
    assert project.json("report", mailing)["variants"]["b"]["planned"] == 20
