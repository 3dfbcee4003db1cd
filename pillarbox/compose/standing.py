"""What a letter is made of, as one hash: the same until anything that somebody would read is changed."""

from __future__ import annotations

import hashlib
import json

from pillarbox.compose.environment import SUBJECT
from pillarbox.compose.syntax import named_by, tree_of
from pillarbox.model.records import Letter


def fingerprint(letter: Letter) -> str:
    """32 hex digits over the letter's words, the templates that it uses and the values that are the same for everyone.

    The day is left out: it changes by itself. So are templates that the letter does not use: a new newsletter layout
    is no change of it.
    """
    sources = {**letter.templates, SUBJECT: letter.subject}
    used: dict[str, str] = {}
    todo = [letter.html, letter.text, SUBJECT]
    while todo:
        name = todo.pop()
        if name not in used and name in sources:
            used[name] = sources[name]
            todo += [other for other in named_by(tree_of(sources[name], name)) if other]
    constants = {name: value for name, value in letter.constants.items() if name != "mailing"}
    constants["appeal"] = {name: value for name, value in constants["appeal"].items() if name != "date"}
    whole = json.dumps([used, constants], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()[:32]
