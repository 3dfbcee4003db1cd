"""Days and years that do not hold on the day that the letter is for.

Read as supporters read them, branch taken and values printed: ``{% if mailing.date.day == 10 %}Today, …`` is right by
itself. What is said is compared with the mailing's day (``--for DATE``), or with the letter's own date where
appeal.toml gives it one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import islice

from pillarbox.checking.matter import Matter
from pillarbox.checking.prose import MOST, NEAR, VALUE, Part, folded, hypertext, without_hints, written
from pillarbox.compose.environment import long_date, ordinal
from pillarbox.model.records import Finding, Level, Shape

CODES: Mapping[str, str] = {
    "other-day": "“Today” or “tomorrow” stands beside the date or the weekday of another day.",
    "weekday": "A weekday does not match its date.",
    "no-such-day": "There is no such day: 31 November.",
    "past-day": "Readers are invited for a day that lies before the letter's.",
    "stale-year": "A year that is over is called next, or stands in the subject or the title.",
    "anniversary": "An anniversary is miscounted for the letter's year.",
    "date-comma": "A date has a comma before its year.",
    "old-date": "The letter carries an old date of its own, and says “next year”.",
}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SEASONS = "spring|summer|autumn|winter|Christmas|Easter"
_MONTH = r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|" \
         r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
_DATE = rf"(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: day)?(?: of)? {_MONTH}(?:,? (?P<year>(?:19|20)\d\d)\b)?"
_ABROAD = rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>(?:19|20)\d\d)\b)?(?![\d:])"
_WEEKDAY = rf"\b(?P<weekday>{'|'.join(_DAYS)})"
_NEAR_DAYS = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}

_WITH_WEEKDAY = tuple(re.compile(rf"{_WEEKDAY},? (?:on )?{form}") for form in (_DATE, _ABROAD))
_WITH_NEAR_DAY = tuple(
    re.compile(rf"\b(?P<near>{'|'.join(_NEAR_DAYS)})(?: is|’s|'s)?,? (?:(?:on )?(?:{'|'.join(_DAYS)}),? )?{form}",
               re.IGNORECASE) for form in (_DATE, _ABROAD))
_NEAR_WEEKDAY = re.compile(r"\b(?P<near>today|tonight|tomorrow)(?: is|’s|'s)?(?:,? | \()"
                           rf"(?P<weekday>{'|'.join(_DAYS)})\b"
                           rf"(?!,? (?:the )?\d|,? (?:{'|'.join(_MONTHS)}))", re.IGNORECASE)
_ANY_DATE = tuple(re.compile(rf"(?<![\d.,-]){form}") for form in (_DATE, rf"\b{_ABROAD}"))
_COMMA = re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)? {_MONTH}, (?:19|20)\d\d\b")
_COMING_YEAR = re.compile(
    rf"\b(?P<which>next|coming|upcoming|forthcoming|this)(?: (?:year|month|{_SEASONS}|{'|'.join(_MONTHS)}))?"
    rf"(?:’s|'s)?,? (?:(?<=month, )(?:in )?(?:{'|'.join(_MONTHS)}) )?"
    r"\(?(?:in )?(?P<year>20\d\d)\b", re.IGNORECASE)
_YEAR_ALONE = re.compile(r"(?<![\w£$€.,/-])(?P<year>20[0-4]\d)(?![\w/-]|[.,]\d|–\d|%)")
_YEAR = re.compile(r"\b(?:1\d|20)\d\d\b")
_LOOKING_BACK = re.compile(
    rf"\b(?:in|since|of|from|during|after|until|between|by|and|to|–|{'|'.join(_MONTHS)}) $", re.IGNORECASE)
_ANNIVERSARY = re.compile(
    r"\b(?P<number>\d{1,3})(?:st|nd|rd|th) anniversary\b[^.?!]{0,160}?\b(?:in|of|from) "
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)? )?(?:(?:{'|'.join(_MONTHS)}) )?(?P<year>(?:1\d|20)\d\d)\b")
_INVITES = re.compile(
    r"\b(?:join us|come along|come to|rsvp|register|book (?:your|a|now|by|before)|sign up|apply|donate|give|reply|"
    r"respond|order|write to us|save the date|see you|meet us|deadline|closing date|closes|takes? place|"
    r"be held|will (?:be|meet|gather|march|hold|host|open|close|launch|start|begin|end))\b[^.?!]{0,70}$", re.IGNORECASE)
_A_LETTERS_LIFE = 5
"""Years in which a letter may be taken out again with its old “Today, 10 December 2024”."""
_LONG_AGO = timedelta(days=300)
_RELATIVE = re.compile(rf"\b(?:(?:next|this|last) (?:year|month|week|{_SEASONS})|tomorrow|yesterday)\b", re.IGNORECASE)
_SHAPES = 20
"""Versions of the letter that are read: the others repeat their words."""


def look(matter: Matter) -> Iterator[Finding]:
    """Every day and year that does not hold."""
    told = matter.bundle.appeal.date or matter.day
    places = _Places(matter)
    seen: dict[str, None] = {}
    yield from islice(_told(matter, places, told, seen), MOST)
    yield from _own_date(matter, places, seen)


def _told(matter: Matter, places: _Places, told: date, seen: dict[str, None]) -> Iterator[Finding]:
    for part, text in _read(matter):
        if text in seen:
            continue
        seen[text] = None
        for code, phrase, message in _faults(text, part, told, matter.day):
            level = Level.ADVICE if code == "date-comma" else Level.WARNING
            yield places.finding(code, phrase, part, message, level)


def _faults(text: str, part: Part, told: date, day: date) -> Iterator[tuple[str, str, str]]:
    """Code, the words in question, and a sentence, for each fault of a stretch of words."""
    near = {found.span("month"): found for pattern in _WITH_NEAR_DAY for found in pattern.finditer(text)}
    for found in near.values():
        yield from _near_day(found, day)
    for found in _NEAR_WEEKDAY.finditer(text):
        yield from _near_weekday(found, day)
    for pattern in _WITH_WEEKDAY:
        for found in pattern.finditer(text):
            yield from _weekday(found, told)
    for pattern in _ANY_DATE:
        for found in pattern.finditer(text):
            yield from _impossible(found)
            if found.span("month") not in near and part is Part.WORDS:
                yield from _past(found, told)
    for found in _COMMA.finditer(text):
        yield ("date-comma", found[0], f"“{found[0]}”: a British date has no comma before the year.")
    for found in _COMING_YEAR.finditer(text):
        year = int(found["year"])
        if year < told.year or (found["which"].lower() == "this" and year != told.year):
            yield ("stale-year", found[0], f"“{found[0]}”: the letter is for {told.year}. Is it last year’s text?")
    if part in (Part.SUBJECT, Part.TITLE):
        for found in _YEAR_ALONE.finditer(text):
            before = text[max(0, found.start() - 20) : found.start()]
            if int(found["year"]) < told.year and not _LOOKING_BACK.search(before):
                yield ("stale-year", found[0], f"The {part.value} says {found[0]}, and the letter is for {told.year}: "
                                               "is it last year’s?")
    for found in _ANNIVERSARY.finditer(text):
        number, years = int(found["number"]), told.year - int(found["year"])
        if years * 2 < number:
            continue  # the year in which it is kept: “the 80th anniversary of VE Day was in May 2025”
        if number not in (years, years + 1 if told.month > 9 else years):
            yield ("anniversary", found[0], f"The {ordinal(number)} anniversary of {found['year']} is in "
                   f"{int(found['year']) + number}, and the letter is for {told.year}: is it the {ordinal(years)}? "
                   f"{{{{ (mailing.date.year - {found['year']}) | ordinal }}}} counts by itself.")


def _near_day(found: re.Match[str], day: date) -> Iterator[tuple[str, str, str]]:
    """“Today, 10th December” on another day than that."""
    wanted = day + timedelta(days=_NEAR_DAYS[found["near"].lower()])
    said = _day(found, wanted)
    if said is None or abs(said.year - wanted.year) > _A_LETTERS_LIFE:
        return  # no such day is told elsewhere; “today, 10 December 1948” is a quotation
    if said != wanted:
        meant = said - timedelta(days=_NEAR_DAYS[found["near"].lower()])
        yield ("other-day", found[0], f"“{found[0]}” would be read on {_long(day)}: check and plan the letter with "
               f"--for {meant}, or take “{found['near']}” out.")


def _near_weekday(found: re.Match[str], day: date) -> Iterator[tuple[str, str, str]]:
    """“Today, Friday” in a letter for a Thursday."""
    meant = day + timedelta(days=_NEAR_DAYS[found["near"].lower()])
    if _DAYS[meant.weekday()].lower() != found["weekday"].lower():
        yield ("other-day", found[0], f"“{found['near']}”, “{found['weekday']}” would be read on {_long(day)}: check "
               f"and plan the letter with --for a day of which it is true, or take “{found['near']}” out.")


def _weekday(found: re.Match[str], told: date) -> Iterator[tuple[str, str, str]]:
    said = _day(found, told)
    if said is None:
        return
    around = _YEAR.finditer(found.string, max(0, found.start() - NEAR), found.end() + NEAR)
    told_of = set() if found["year"] else {int(year[0]) for year in around}
    right = _DAYS[said.weekday()]
    others = (_made(year, said.month, said.day) for year in told_of)
    if right != found["weekday"] and not any(each and _DAYS[each.weekday()] == found["weekday"] for each in others):
        before = _made(said.year - 1, said.month, said.day)
        old = not found["year"] and before is not None and _DAYS[before.weekday()] == found["weekday"]
        why = f"Is it last year’s text? It was a {found['weekday']} then." if old else "One of the two is wrong."
        yield ("weekday", found[0], f"“{found[0]}”: {long_date(said)} is a {right}. {why}")


def _impossible(found: re.Match[str]) -> Iterator[tuple[str, str, str]]:
    number = _month(found)
    most = 29 if number == 2 else 30 if number in (4, 6, 9, 11) else 31
    if not 1 <= int(found["day"]) <= most:
        yield ("no-such-day", found[0], f"There is no {found[0].strip(' .')}: {_MONTHS[number - 1]} has {most} days.")
    elif number == 2 and int(found["day"]) == 29 and found["year"] and _made(int(found["year"]), 2, 29) is None:
        yield ("no-such-day", found[0], f"There is no {found[0].strip(' .')}: February has 28 days in {found['year']}.")


def _past(found: re.Match[str], told: date) -> Iterator[tuple[str, str, str]]:
    """A day that supporters are invited for, gone by when they read of it."""
    if not _INVITES.search(found.string[max(0, found.start() - NEAR) : found.start()]):
        return
    said = _day(found, told)
    if said is not None and said < told:
        yield ("past-day", found[0], f"“{found[0].strip()}” lies before the day that the letter is for "
                                     f"({_long(told)}): is the day right, or is it an old text?")


def _own_date(matter: Matter, places: _Places, texts: Iterable[str]) -> Iterator[Finding]:
    """A letter that keeps an old date of its own, and speaks of next year."""
    own = matter.bundle.appeal.date
    if own is None or matter.day - own < _LONG_AGO:
        return
    for text in texts:
        if found := _RELATIVE.search(text):
            yield places.finding("old-date", found[0], Part.WORDS,
                                 f"“{found[0]}” is said by a letter of {long_date(own)} (date in appeal.toml), which "
                                 f"is for {long_date(matter.day)}: see that readers understand it so.", Level.ADVICE)
            return


# ---------------------------------------------------------------------------------------------- what is read, and where


def _read(matter: Matter) -> Iterator[tuple[Part, str]]:
    """Every stretch of words of every version, as supporters read it."""
    appeal = matter.bundle.appeal
    yield Part.TITLE, appeal.title
    for shape in matter.shapes[:_SHAPES]:
        yield Part.SUBJECT, _shown(shape, shape.subject)
        for paragraph in re.split(r"\n\s*\n", _shown(shape, shape.text)):
            yield Part.WORDS, folded(paragraph)
        if not appeal.is_markdown:
            for passage in hypertext(_shown(shape, shape.html), "", appeal.language):
                yield Part.WORDS, folded(passage.text)


def _shown(shape: Shape, text: str) -> str:
    for token in shape.tokens:
        text = text.replace(token.mark, VALUE)
    return without_hints(text)


class _Places:
    """Where words that supporters read stand in what staff wrote."""

    def __init__(self, matter: Matter) -> None:
        self._passages = written(matter.bundle.appeal)
        self._appeal = matter.bundle.appeal

    def finding(self, code: str, phrase: str, part: Part, message: str, level: Level = Level.WARNING) -> Finding:
        wanted = re.compile(r"\s+".join(map(re.escape, phrase.split())))
        bare = re.compile(r"\W+".join(map(re.escape, re.findall(r"[^\W\d_]{3,}", phrase))) or "$^")
        for pattern in (wanted, bare):
            for passage in self._passages:
                if (passage.part is part or part is Part.WORDS) and (found := pattern.search(passage.text)):
                    return passage.finding(level, code, found.start(), message)
        where = self._appeal.file if part in (Part.SUBJECT, Part.TITLE) else self._appeal.letter.file
        line = {Part.SUBJECT: self._appeal.subject_line, Part.TITLE: self._appeal.title_line}.get(part)
        return Finding(level=level, code=code, file=where, line=line, message=message)


def _day(found: re.Match[str], near: date) -> date | None:
    """The day that is said: of the year that is said, or the nearest of that name. None when there is none."""
    years = (int(found["year"]),) if found["year"] else (near.year - 1, near.year, near.year + 1)
    days = [made for year in years if (made := _made(year, _month(found), int(found["day"])))]
    return min(days, key=lambda each: abs((each - near).days), default=None)


def _month(found: re.Match[str]) -> int:
    """1 to 12."""
    return next(number for number, name in enumerate(_MONTHS, 1) if name.startswith(found["month"][:3].title()))


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _long(day: date) -> str:
    return f"{_DAYS[day.weekday()]} {long_date(day)}"
