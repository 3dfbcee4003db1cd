"""Who stands for a mailing: [approval]."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from pillarbox.model.sections.base import Section

_NAME_AND_EMAIL = re.compile(r"(.*?)\s*<([^<>\s]+@[^<>\s]+)>")

Approver = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]


class ApprovalSettings(Section):
    """[approval]: who may, how many must, and when an approval still holds for a plan that was made again."""

    who: tuple[Approver, ...] = ()
    """``Amina Yusuf``, ``amina@your-charity.org`` or ``Amina Yusuf <amina@your-charity.org>``; empty: anybody."""
    needed: int = Field(default=1, ge=1, le=2)
    """So many different people. With two, whoever planned the mailing is none of them."""
    four_eyes: bool = False
    """Whether whoever planned a mailing may not approve it, also where one is enough."""
    growth: float = Field(default=0.05, ge=0, le=1)
    """By as large a share an audience may have grown since it was approved; beyond that it is asked for again."""

    @field_validator("who", mode="after")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        forms = [form for entry in value for form in forms_of(entry)]
        if twice := sorted({form for form in forms if forms.count(form) > 1}):
            raise ValueError(f"{twice[0]!r} stands there twice")
        return value

    @model_validator(mode="after")
    def _enough_people(self) -> Self:
        if self.who and len(self.who) < self.needed:
            raise ValueError(f"{self.needed} people must approve, and [approval] who names {len(self.who)}")
        return self

    @property
    def other_than_planner(self) -> bool:
        """Whether whoever planned a mailing does not count among those who approve it."""
        return self.four_eyes or self.needed > 1


def forms_of(entry: str) -> frozenset[str]:
    """The ways in which somebody named in ``who`` may be called, without regard to letter case and spaces."""
    both = _NAME_AND_EMAIL.fullmatch(entry.strip())
    forms = both.groups() if both else (entry,)
    return frozenset(" ".join(form.casefold().split()) for form in forms if form.strip())
