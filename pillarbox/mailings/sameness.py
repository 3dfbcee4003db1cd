"""Whether a letter is the one that people already have: what is unchanged since the last edition is not sent again."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import Connection

from pillarbox.content import bundle as bundles
from pillarbox.content.bundle import Bundle
from pillarbox.mailings import recurrence
from pillarbox.model.states import Kind, MessageState
from pillarbox.store import mailings, messages
from pillarbox.store.mailings import Mailing

_MAY_HAVE_IT = (MessageState.ACCEPTED, MessageState.IN_DOUBT, MessageState.SUBMITTING)


def print_of(bundle: Bundle) -> str:
    """A fingerprint of what a letter says: its words, facts and images.

    Not of its title, subject, date and layout: a copied folder with a new subject still holds last month's letter.
    """
    appeal = bundle.appeal
    versions = [appeal.as_variant(label) for label in appeal.labels or ("",)]
    words = [" ".join(part.content.split()) for each in versions for part in (each.letter, each.text) if part]
    images = {name: hashlib.sha256(data).hexdigest() for name, data in appeal.images.items()}
    said = json.dumps([words, dict(appeal.facts), images], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def last_edition(connection: Connection, pattern: str, *, practice: bool, but: int | None = None) -> Mailing | None:
    """The mailing that last reached anybody from one of the folders that a pattern may name.

    Args:
        connection: to read with.
        pattern: ``newsletter-{yyyy}-{mm}``.
        practice: among practice mailings, or among live ones.
        but: id of a mailing that does not count.
    """
    found = [mailing for mailing in mailings.all_of(connection, practice=practice)
             if mailing.started_at and mailing.id != but and mailing.kind is not Kind.PROOF
             and mailing.corrects_id is None and recurrence.fits(pattern, mailing.appeal)]
    for mailing in sorted(found, key=lambda mailing: (mailing.started_at, mailing.id), reverse=True):
        standing = messages.states(connection, mailing.id)
        if any(standing.get(state) for state in _MAY_HAVE_IT):
            return mailing
    return None


def same_as_last(connection: Connection, bundle: Bundle, pattern: str, *, practice: bool,
                 but: int | None = None) -> Mailing | None:
    """The last edition, when its letter says the same; else None."""
    last = last_edition(connection, pattern, practice=practice, but=but)
    if last and print_of(kept(connection, last)) == print_of(bundle):
        return last
    return None


def kept(connection: Connection, mailing: Mailing) -> Bundle:
    """The bundle that a mailing was planned from."""
    return bundles.unpack(mailings.bundle(connection, mailing.bundle_id))
