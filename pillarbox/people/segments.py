"""Segments: saved rules in lists/segments.toml, read whole (every fault at once) and compiled to SQL."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true

from pillarbox.ground.errors import ListError
from pillarbox.model.states import Basis, Channel
from pillarbox.store.donations import STANDS
from pillarbox.store.schema import consents, donations, list_members, lists, supporters

FILE = "segments.toml"
# A day in a rule begins at midnight where the charity is.
ZONE = ZoneInfo("Europe/London")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FIELD = re.compile(r"[a-z][a-z0-9_]*")


class Segment(BaseModel):
    """A saved rule: a supporter belongs when every part that is given holds. Staff write a single word or a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lists: tuple[str, ...] = ()
    """On at least one of these lists now."""
    not_lists: tuple[str, ...] = ()
    """On none of these lists now."""
    country: tuple[str, ...] = ()
    """ISO 3166 two-letter codes."""
    language: tuple[str, ...] = ()
    """Language tags; ``en`` also takes ``en-GB``."""
    fields: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Field name → the values that fit, letter case aside."""
    joined_before: date | None = None
    """Joined (one of ``lists``, or any list) before this day began."""
    joined_after: date | None = None
    """Joined after this day was over."""
    tracking: bool | None = None
    """Whether tracking was agreed to."""
    gave: bool = False
    """Has given at least once."""
    never_gave: bool = False
    """Has never given."""
    gave_since: date | None = None
    """Gave on this day or later."""
    not_gave_since: date | None = None
    """Gave nothing on this day or later."""

    @field_validator("lists", "not_lists", "country", "language", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("fields", mode="before")
    @classmethod
    def _fields(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        if odd := [name for name in value if not _FIELD.fullmatch(str(name))]:
            raise ValueError(f"{odd[0]!r} is no field's name: use small letters, digits and _")
        return {name: (said,) if isinstance(said, str) else said for name, said in value.items()}

    @field_validator("country")
    @classmethod
    def _country(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if odd := [code for code in value if not re.fullmatch(r"[A-Za-z]{2}", code)]:
            raise ValueError(f"{odd[0]!r} is no two-letter country code (GB, IL, DE …)")
        return tuple(code.upper() for code in value)

    @model_validator(mode="after")
    def _sensible(self) -> Segment:
        if not self.to_json():
            raise ValueError("an empty segment would be everybody: say at least one thing")
        if self.never_gave and (self.gave or self.gave_since):
            raise ValueError("never_gave cannot hold together with gave or gave_since")
        return self

    def to_json(self) -> dict[str, Any]:
        """As segments.toml says it, with ISO dates: what a bundle keeps."""
        return self.model_dump(mode="json", exclude_defaults=True)


Segments = Mapping[str, Segment]
"""Every saved segment by its name."""


def read(path: Path) -> dict[str, Segment]:
    """Read segments.toml; no file means no segments.

    Raises:
        ListError: listing every fault, each with its line.
    """
    if not path.exists():
        return {}
    try:
        source = path.read_text("utf-8-sig")
        return from_json(tomllib.loads(source), where=path.name, source=source)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ListError(f"The segments are not valid TOML: {fault}.", where=path.name) from None


def from_json(data: Mapping[str, Any], *, where: str = FILE, source: str = "") -> dict[str, Segment]:
    """Segments from segments.toml's content, or from what a bundle kept.

    Args:
        data: segment name → rule.
        where: file name for faults.
        source: the file's text, to find lines in.

    Raises:
        ListError: listing every fault, each with its line.
    """
    found: dict[str, Segment] = {}
    faults: list[str] = []
    for name, rule in data.items():
        if not isinstance(rule, Mapping) or not _NAME.fullmatch(name):
            faults.append(f"line {_line(source, name)}: {name!r} should be a table such as [lapsed-donors], "
                          "its name in small letters, digits and hyphens")
            continue
        try:
            found[name] = Segment.model_validate(dict(rule))
        except ValidationError as fault:
            faults += [_said(name, source, dict(error)) for error in fault.errors(include_input=False)]
    if faults:
        raise ListError(f"The segments have faults: {'; '.join(faults)}.", where=where)
    return found


def _said(name: str, source: str, error: dict[str, Any]) -> str:
    key = str(error["loc"][0]) if error["loc"] else ""
    words = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        words = f"not known; known are {', '.join(Segment.model_fields)}"
    return f"line {_line(source, name, key)}: [{name}] {f'{key}: ' if key else ''}{words}"


def _line(source: str, name: str, key: str = "") -> int:
    """The line of a table's key, or of the table's head; 1 when it cannot be found."""
    head = 1
    inside = False
    for number, line in enumerate(source.splitlines(), start=1):
        if table := re.match(r"\s*\[\s*[\"']?([^\]\"'.]+)", line):
            inside = table.group(1).strip() == name
            if inside and (head == 1 or not key):
                head = number
            if inside and key and re.search(rf"\.\s*{re.escape(key)}\s*\]", line):
                return number
        elif (inside or not key) and re.match(rf"\s*[\"']?{re.escape(key or name)}[\"']?\s*[.=]", line):
            return number
    return head


def lists_named(segment: Segment) -> tuple[str, ...]:
    """The lists that a segment leans on: they must exist."""
    return segment.lists + segment.not_lists


def list_ids(names: Iterable[str]) -> Any:
    """The ids of the lists so named, as a subquery that an engine runs once."""
    return select(lists.c.id).where(lists.c.name.in_(tuple(names))).scalar_subquery()


def there_is(rows: Select[Any]) -> ColumnElement[bool]:
    """Whether the correlated query finds anything.

    Not EXISTS: PostgreSQL may answer that by hashing a whole table, 100 ms where a thousand look-ups take 5.
    """
    return rows.limit(1).scalar_subquery().is_not(None)


def on_lists(names: tuple[str, ...], *further: ColumnElement[bool], current: bool = True) -> ColumnElement[bool]:
    """Whether the supporter at hand is on one of the lists (any list when none is named).

    Args:
        names: the lists.
        further: what must also hold of that membership.
        current: False counts those who have left as well.
    """
    where = [list_members.c.supporter_id == supporters.c.id, *further]
    if names:
        where.append(list_members.c.list_id.in_(list_ids(names)))
    if current:
        where.append(list_members.c.left_at.is_(None))
    return there_is(select(list_members.c.supporter_id).where(*where).correlate(supporters))


def tracking_agreed() -> ColumnElement[bool]:
    """Whether the supporter at hand agreed to open and click tracking (a consent of its own: ICO, April 2026)."""
    return has_consent(Channel.TRACKING, (Basis.CONSENT,))


def has_consent(channel: Channel, bases: tuple[Basis, ...]) -> ColumnElement[bool]:
    """Whether the supporter at hand may be reached by ``channel`` on one of the ``bases``."""
    return there_is(select(consents.c.supporter_id).where(
        consents.c.supporter_id == supporters.c.id, consents.c.channel == channel, consents.c.basis.in_(bases),
    ).correlate(supporters))


def predicate(segment: Segment) -> ColumnElement[bool]:
    """The segment as one SQL condition on ``supporters``."""
    parts: list[ColumnElement[bool]] = []
    if segment.lists:
        parts.append(on_lists(segment.lists))
    if segment.not_lists:
        parts.append(~on_lists(segment.not_lists))
    if segment.country:
        parts.append(supporters.c.country.in_(segment.country))
    if segment.language:
        parts.append(or_(*(_speaks(tag) for tag in segment.language)))
    parts += [_has_value(name, values) for name, values in segment.fields.items()]
    if segment.joined_before:
        parts.append(on_lists(segment.lists, list_members.c.joined_at < _midnight(segment.joined_before)))
    if segment.joined_after:
        next_day = _midnight(segment.joined_after + timedelta(days=1))
        parts.append(on_lists(segment.lists, list_members.c.joined_at >= next_day))
    if segment.tracking is not None:
        parts.append(tracking_agreed() if segment.tracking else ~tracking_agreed())
    if segment.gave:
        parts.append(_gave())
    if segment.never_gave:
        parts.append(~_gave())
    if segment.gave_since:
        parts.append(_gave(donations.c.received_at >= _midnight(segment.gave_since)))
    if segment.not_gave_since:
        parts.append(~_gave(donations.c.received_at >= _midnight(segment.not_gave_since)))
    return and_(true(), *parts)


def _gave(*further: ColumnElement[bool]) -> ColumnElement[bool]:
    return there_is(select(donations.c.id).where(
        donations.c.supporter_id == supporters.c.id, STANDS, *further).correlate(supporters))


def _speaks(tag: str) -> ColumnElement[bool]:
    spoken = func.lower(supporters.c.language)
    return or_(spoken == tag.lower(), spoken.startswith(tag.lower() + "-", autoescape=True))


def _has_value(name: str, values: tuple[str, ...]) -> ColumnElement[bool]:
    said = supporters.c.fields[name].as_string()
    # SQLite folds the case of ASCII letters only: other scripts are compared as they stand.
    plain = [value.lower() for value in values if value.isascii()]
    return or_(func.lower(said).in_(plain), said.in_([value for value in values if not value.isascii()]))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, ZONE).astimezone(UTC)
