"""The harbour appeal: a small letter, its settings, made-up supporters; for the lab, the benchmarks and the tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

MAILING = "harbour"
APPEAL = """
title = "A letter about the harbour"
subject = "The harbour needs you, {{ supporter.salutation }}"
kind = "appeal"
"""
LETTER = """# The harbour needs you

{{ supporter.salutation }},

Please help us keep the lamp burning. It has burned since 1862.

{% if supporter.first_name %}
Every gift counts, {{ supporter.first_name }}.
{% endif %}

::: donate
Give now
:::
"""
_SENDER = """[sender]
name = "The Harbour Trust"
email = "letters@harbour.example"
[links]
donate = "https://give.harbour.example/now"
"""


def settings(transport: str = "sendgrid", *, database: str = "", nightly: bool = True, **sendgrid: object) -> str:
    """The text of a ``pillarbox.toml``.

    Args:
        transport: ``files``, ``smtp`` or ``sendgrid``.
        database: its URL; empty: what Pillarbox takes by itself.
        nightly: whether backups are made at night.
        sendgrid: settings of the section ``[sendgrid]``.
    """
    project = {"transport": transport, **({"database": database} if database else {})}
    text = f"{_section('project', project)}{_SENDER}"
    if sendgrid:
        text += _section("sendgrid", sendgrid)
    return text if nightly else text + _section("backup", {"nightly": False})


def _section(name: str, values: Mapping[str, object]) -> str:
    # JSON's strings, numbers and booleans are TOML's too.
    return "".join([f"[{name}]\n", *(f"{key} = {json.dumps(value)}\n" for key, value in values.items())])


def write(folder: Path, *, appeal: str = APPEAL, letter: str | None = LETTER) -> None:
    """Put the appeal and a key for these purposes only into a project's folder; without a letter if it is None."""
    home = folder / "appeals" / MAILING
    home.mkdir(parents=True)
    (home / "appeal.toml").write_text(appeal, "utf-8")
    if letter is not None:
        (home / "letter.md").write_text(letter, "utf-8")
    (folder / "pillarbox.key").write_text("a key for tests only, thirty-two bytes at least\n", "utf-8")


def crowd(count: int) -> list[dict[str, str]]:
    """Plainly made-up supporters; every third agreed to tracking, every fifth has no name."""
    return [{"email": f"supporter{number}@example.org", "first_name": f"Name{number}" if number % 5 else "",
             "last_name": f"Surname{number}" if number % 5 else "", "tracking": "no" if number % 3 else "yes"}
            for number in range(count)]


def write_list(path: Path, people: Sequence[Mapping[str, str]]) -> Path:
    """Write a list file with these columns and rows."""
    columns = list(people[0])
    lines = [",".join(columns), *(",".join(person[column] for column in columns) for person in people)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
