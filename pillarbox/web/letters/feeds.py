"""The archive as RSS and Atom."""

from __future__ import annotations

from collections.abc import Sequence

from pillarbox.mailings.publishing import HOME
from pillarbox.store.public_letters import PublicLetter

MOST = 50


def feed(letters: Sequence[PublicLetter], *, kind: str, charity: str, base_url: str) -> bytes:
    """The newest letters as a feed.

    Args:
        letters: newest first.
        kind: ``rss`` or ``atom``.
        charity: the charity's name; may be empty.
        base_url: where the public reaches us.
    """
    from feedgen.feed import FeedGenerator  # brings lxml

    home = f"{base_url}{HOME}"
    made = FeedGenerator()
    made.id(home)
    made.title(f"{charity}: letters" if charity else "Letters")
    made.link(href=f"{home}/feed.{kind}", rel="self")
    made.link(href=home, rel="alternate")  # the last is what RSS calls the channel's link
    made.description(f"Letters of {charity} to its supporters." if charity else "Letters to our supporters.")
    made.author(name=charity or "The charity")
    made.generator("Pillarbox")
    if letters:
        made.updated(max(letter.updated_at for letter in letters))
    for letter in letters[:MOST]:
        entry = made.add_entry(order="append")
        entry.id(f"{home}/{letter.slug}")
        entry.guid(f"{home}/{letter.slug}", permalink=True)
        entry.title(letter.title)
        entry.link(href=f"{home}/{letter.slug}")
        entry.summary(letter.summary or letter.title)
        entry.published(letter.published_at)
        entry.updated(letter.updated_at)
    return bytes(made.rss_str(pretty=True) if kind == "rss" else made.atom_str(pretty=True))
