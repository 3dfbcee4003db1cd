"""A provider's words, freed of personal data and cut to a line."""

from __future__ import annotations

import re

from pillarbox.deliver.headers import one_line

LONGEST = 300
"""Characters of a provider's sentence that are kept."""

_READ = 2_000
"""Characters of it that are looked at: a server far away may say as much as it likes."""
_ADDRESS = re.compile(r"[^\s<>\[\]()\"',;:=]*@[^\s<>\[\]()\"',;:=]*")


def plain(words: str, *private: str) -> str:
    """``words`` on one line, with addresses and every one of ``private`` (names) taken out.

    Args:
        words: what the provider said.
        private: further personal data that must not remain; those under three characters are left alone.
    """
    told = _ADDRESS.sub("(address)", one_line(words[:_READ]))
    for name in sorted(private, key=len, reverse=True):
        if len(name) > 2:
            told = told.replace(name, "(name)")
    return told[:LONGEST]
