"""The table of images: what letters show, by the name that their addresses have. Nothing in it is about a supporter."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, String, Table

from pillarbox.store.schema.base import Moment, metadata

images = Table(
    "images", metadata,
    # A hash of the content, and its ending: the same image of two mailings is kept once.
    Column("name", String(36), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("made_at", Moment, nullable=False),
)
