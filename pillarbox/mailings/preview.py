"""A letter as supporters will see it, with links that lead nowhere in particular.

Rendered the plain way, one supporter at a time: what is composed for a whole list is equal to that, byte for byte, and
one look needs no proof of it.
"""

from __future__ import annotations

import base64
import html as html_
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from jinja2.bccache import Bucket, BytecodeCache

from pillarbox.compose import letter as composing
from pillarbox.compose.environment import SUBJECT, LetterEnvironment, plain_environment
from pillarbox.compose.faults import finding_of
from pillarbox.compose.finish import Finish
from pillarbox.compose.finishing import finisher
from pillarbox.compose.inline import PremailerInliner
from pillarbox.content import images
from pillarbox.content.bundle import Bundle
from pillarbox.ground import clock
from pillarbox.ground.errors import LetterError
from pillarbox.mailings import envelopes, letters
from pillarbox.mailings.samples import MADE_UP, Sample, of_address
from pillarbox.model.records import Finding, Letter
from pillarbox.people import values
from pillarbox.shape.bodies import body
from pillarbox.store.project import Project

IMAGES = "https://images.preview.invalid/"
"""Stands in a look for the public address of the appeal's images, which need not be there yet (RFC 2606)."""


class _Compiled(BytecodeCache):
    """Templates as they were compiled last: from one look to the next most of them stay the same."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])  # believed only for the very same source

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_compiled = _Compiled()


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One supporter's letter."""

    name: str
    """For a file's name; no personal data."""
    who: str
    subject: str
    html: str
    text: str
    variant: str = ""
    """Of the letter; empty where there is only one."""
    note: str = ""
    """Why it is shown for just this supporter; may be empty."""
    preheader: str = ""
    """The words that an inbox shows after the subject."""
    fault: Finding | None = None
    """Why this copy cannot be composed; the letter's parts are then empty."""


@dataclass(frozen=True, kw_only=True)
class InHand:
    """An appeal as it lies in its folder now, ready to be looked at."""

    project: Project
    source: letters.Source

    @property
    def bundle(self) -> Bundle:
        """What it is made from."""
        return self.source.bundle

    @cached_property
    def images(self) -> Mapping[str, str]:
        """Address in the letter → the image itself, as a ``data:`` address."""
        return {images.address(IMAGES, data): f"data:{images.media_type(data)};base64,{base64.b64encode(data).decode()}"
                for data in self.bundle.appeal.images.values()}

    @property
    def variants(self) -> tuple[str, ...]:
        """The labels of its variants; one empty label when there are none."""
        return self.source.appeal.labels or ("",)

    def page(self, number: int, sample: Sample, variant: str = "") -> Page:
        """One supporter's copy of a variant, or why it cannot be composed."""
        letter, environment, part = self._letters[variant], self._environments[variant], composing.PREHEADER
        context = {"supporter": sample.says, "links": self._links}
        name = f"{variant}-{number}" if variant else str(number)
        note = ", ".join(filter(None, (f"variant {variant}" if variant else "", sample.note)))
        try:
            preheader = values.one_line(html_.unescape(environment.rendered(part, context)))
            rendered = {}
            for part in (SUBJECT, letter.html, letter.text):
                rendered[part] = environment.rendered(part, context)
            shape = self._finish(subject=rendered[SUBJECT], html=rendered[letter.html], text=rendered[letter.text],
                                 marks={}, private=True)
        except Exception as fault:  # noqa: BLE001 - whatever a template raises is the letter's fault, told with its place
            return Page(name=name, who=sample.who, note=note, variant=variant, subject="", html="", text="",
                        fault=finding_of(fault, letter, part))
        whole = body(shape, ())
        return Page(name=name, who=sample.who, note=note, variant=variant, subject=whole.subject, html=whole.html,
                    text=whole.text, preheader=preheader)

    @cached_property
    def _letters(self) -> Mapping[str, Letter]:
        day = clock.today(self.project.settings.project.zone)
        return {label: composing.build(self.bundle.as_variant(label), date=day,
                                       mailing={"name": "preview", "images": IMAGES}) for label in self.variants}

    @cached_property
    def _environments(self) -> Mapping[str, LetterEnvironment]:
        found = {label: plain_environment(letter) for label, letter in self._letters.items()}
        for environment in found.values():
            environment.bytecode_cache = _compiled
        return found

    @cached_property
    def _links(self) -> Mapping[str, str]:
        return envelopes.link_maker(self.project.settings, self.bundle, "PREVIEW").inert()

    @cached_property
    def _finish(self) -> Finish:
        return finisher(PremailerInliner())


def take(project: Project, slug: str) -> InHand:
    """An appeal, read and built.

    Raises:
        LetterError: with every fault found.
    """
    found = InHand(project=project, source=letters.read(project, slug))
    found._letters  # noqa: B018 - its faults are told now, not at the first look
    return found


def preview(project: Project, slug: str, *, email: str | None = None,
            samples: Sequence[Sample] | None = None) -> list[Page]:
    """The letter for one supporter, for some, or for made-up ones.

    Raises:
        LetterError: faults in the letter, or in every copy of it.
        Refused: nobody with that address.
    """
    letter = take(project, slug)
    chosen = (of_address(project, email),) if email else samples or MADE_UP
    pages = [letter.page(number, sample, variant) for variant in letter.variants
             for number, sample in enumerate(chosen, 1)]
    faults = tuple(dict.fromkeys(page.fault for page in pages if page.fault))
    if len([page for page in pages if page.fault]) == len(pages):
        raise LetterError("The letter cannot be composed.", findings=faults)
    return pages
