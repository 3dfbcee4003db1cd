"""Supporters with whom a letter is looked at: made-up ones, one who is named, or some of a list, picked to differ."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import select

from pillarbox.compose.finish import SlowPath
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.compose.message import Composer
from pillarbox.ground import address, clock
from pillarbox.ground.errors import Refused
from pillarbox.mailings import envelopes, letters
from pillarbox.people import audience, names
from pillarbox.people.audience import Candidate, Rule
from pillarbox.store.project import Project
from pillarbox.store.schema import supporters

MOST_VERSIONS = 8
"""Versions of a letter that are looked at; those that most supporters get."""
_ROWS_AT_ONCE = 5_000
_RIGHT_TO_LEFT = ("R", "AL")
"""Unicode's bidirectional classes of letters that are written from the right (UAX #9, table 4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One supporter, and why just this one."""

    who: str
    note: str
    """What is peculiar: ``longest name``; may be empty."""
    says: Mapping[str, Any]
    """What a letter may say of them."""
    supporter_id: int | None = None
    """None: made up."""


def _made_up(who: str, note: str, **says: str) -> Sample:
    nobody = dict.fromkeys(letters.NAMES, "") | {"salutation": "Dear Supporter"}
    return Sample(who=who, note=note, says=nobody | says)


MADE_UP: tuple[Sample, ...] = (
    _made_up("Ms Ada Sample", "every name", title="Ms", first_name="Ada", last_name="Sample", name="Ms Ada Sample",
             salutation="Dear Ms Sample", language="en", country="GB"),
    _made_up("Nobody in particular", "no name"),
    _made_up("Professor Wilhelmina-Alexandrina Examplethwaite-Featherstonehaugh", "a very long name", title="Professor",
             first_name="Wilhelmina-Alexandrina", last_name="Examplethwaite-Featherstonehaugh",
             name="Professor Wilhelmina-Alexandrina Examplethwaite-Featherstonehaugh",
             salutation="Dear Professor Examplethwaite-Featherstonehaugh", language="en", country="GB"),
    _made_up("ئايگۈل ئۆرنەك", "right to left", first_name="ئايگۈل", last_name="ئۆرنەك", name="ئايگۈل ئۆرنەك",
             salutation="Dear ئايگۈل", language="ug", country="GB"),
    _made_up("Seán D’Example & Zoë O'Sample", "marks and accents", first_name="Seán & Zoë", last_name="O'Sample",
             name="Seán D’Example & Zoë O'Sample", salutation="Dear Seán & Zoë", language="en", country="IE"),
)
"""Plainly made-up supporters, picked to differ, for when nobody is named."""


def of_address(project: Project, email: str) -> Sample:
    """The supporter with this address.

    Raises:
        Refused: it is no address, or nobody's that is known.
    """
    try:
        wanted = address.keyed_hash(address.normalise(email), project.secret)
    except ValueError as fault:
        raise Refused(f"{email!r} is not an address: {fault}") from None
    with project.store.reading() as connection:
        row = connection.execute(select(supporters).where(supporters.c.address_hash == wanted)).one_or_none()
    if row is None or row.address is None:
        raise Refused("Nobody with that address is known.",
                      todo="`pillarbox lists import` brings supporters in; without --as a made-up one is taken.")
    name = names.to_name(title=row.title, first_name=row.first_name, last_name=row.last_name)
    says = {**row.fields, "title": row.title, "first_name": row.first_name, "last_name": row.last_name, "name": name,
            "salutation": names.salutation(title=row.title, first_name=row.first_name, last_name=row.last_name,
                                           said=row.salutation),
            "language": row.language, "country": row.country}
    return Sample(who=row.address, note=name, says=says, supporter_id=row.id)


def of_rule(project: Project, slug: str, rule: Rule) -> tuple[Sample, ...]:
    """Supporters of lists and segments, picked to differ: one for each version of the letter, the longest name, a
    missing one, one written from the right.

    Raises:
        Refused: an unknown list or segment, or nobody on them may be written to.
        LetterError: faults in the letter.
    """
    source = letters.read(project, slug)
    letter = letters.letter(source, day=clock.today(project.settings.project.zone), name="preview")
    composer = Composer(letter, finisher(PremailerInliner()))
    links = envelopes.link_maker(project.settings, source.bundle, "PREVIEW").inert()
    picked = _Picked()
    for person in _people(project, rule):
        picked.look_at(person, _version(composer, {"supporter": letters.supporter(person), "links": links}))
    if not picked.seen:
        raise Refused("Nobody on these lists may be written to, so there is nobody to look at the letter with.",
                      todo="Leave --list out to see it with made-up supporters.")
    return picked.samples()


def _people(project: Project, rule: Rule) -> Iterator[Candidate]:
    with project.store.reading() as connection:
        known = letters.read_segments(project)
        audience.check(connection, rule, known)
        stream = audience.candidates(connection, rule, known)
        while chunk := tuple(islice(stream, _ROWS_AT_ONCE)):
            yield from chunk


def _version(composer: Composer, context: Mapping[str, Any]) -> object:
    """What tells the versions of a letter apart; None where it cannot be told without composing."""
    try:
        [(key, _)] = composer.values([context])
    except SlowPath:
        return None
    except Exception as fault:  # noqa: BLE001 - whatever a template raises for a supporter: their copy has a fault
        return type(fault)
    return key


@dataclass(kw_only=True, slots=True)
class _Picked:
    """The supporters picked so far."""

    seen: int = 0
    versions: dict[object, tuple[Candidate, int]] = field(default_factory=dict)
    """Version → the first who gets it, and how many do."""
    longest: Candidate | None = None
    nameless: Candidate | None = None
    from_the_right: Candidate | None = None

    def look_at(self, person: Candidate, version: object) -> None:
        self.seen += 1
        first, count = self.versions.get(version, (person, 0))
        self.versions[version] = (first, count + 1)
        if self.longest is None or len(person.to_name) > len(self.longest.to_name):
            self.longest = person
        if self.nameless is None and not (person.first_name or person.last_name):
            self.nameless = person
        if self.from_the_right is None and is_right_to_left(person.to_name):
            self.from_the_right = person

    def samples(self) -> tuple[Sample, ...]:
        notes: dict[int, tuple[Candidate, list[str]]] = {}

        def note(person: Candidate | None, words: str) -> None:
            if person is not None:
                notes.setdefault(person.supporter_id, (person, []))[1].append(words)

        # A version that is a fault comes first: those copies cannot be composed.
        ordered = sorted(self.versions.items(), key=lambda item: (not isinstance(item[0], type), -item[1][1]))
        number, several = 0, sum(not isinstance(version, type) for version in self.versions) > 1
        for version, (person, count) in ordered[:MOST_VERSIONS]:
            one = f"{count:,} of {self.seen:,} supporters"
            number += not isinstance(version, type)
            note(person, f"version {number}: {one}" if several and not isinstance(version, type) else one)
        note(self.nameless, "no name")
        note(self.longest, "longest name")
        note(self.from_the_right, "right to left")
        return tuple(Sample(who=person.to_name or person.address, note=", ".join(words), says=letters.supporter(person),
                            supporter_id=person.supporter_id) for person, words in notes.values())


def is_right_to_left(text: str) -> bool:
    """Whether some letter of a text is written from the right."""
    return not text.isascii() and any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text)


def choose(project: Project, slug: str, *, email: str | None = None, rule: Rule | None = None) -> tuple[Sample, ...]:
    """The supporter with an address, some of a rule's, or made-up ones.

    Raises:
        Refused: nobody of these is known.
        LetterError: faults in the letter, when it is to be tried with a rule's supporters.
    """
    if email:
        return (of_address(project, email),)
    return of_rule(project, slug, rule) if rule else MADE_UP

