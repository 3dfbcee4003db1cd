"""Reading Jinja: each text once, however many look at its tree."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, nodes
from jinja2.meta import find_referenced_templates

_JINJA = Environment()  # noqa: S701 - it only parses; nothing is rendered
_KEPT = 64
"""Texts: a letter has a dozen templates, each of which is looked at some ten times before anybody's copy is made."""


@lru_cache(maxsize=_KEPT)
def tree_of(source: str, name: str | None = None) -> nodes.Template:
    """A template's tree, to look at: who changes it takes a copy (``copied``).

    Raises:
        TemplateSyntaxError: it cannot be read.
        RecursionError: it is nested too deep.
    """
    return _JINJA.parse(source, name)


@lru_cache(maxsize=_KEPT)
def named_by(tree: nodes.Template) -> tuple[str | None, ...]:
    """The templates that one uses, by name; None for each that a value chooses. Of what ``tree_of`` gives."""
    return tuple(find_referenced_templates(tree))


def copied(node: Any, environment: Environment | None = None) -> Any:
    """A tree of its own, or a list of trees; with another environment where one is given."""
    if isinstance(node, list):
        return [copied(item, environment) for item in node]
    if isinstance(node, tuple):
        return tuple([copied(item, environment) for item in node])
    if not isinstance(node, nodes.Node):
        return node
    twin = object.__new__(type(node))
    values = twin.__dict__
    values.update(node.__dict__)
    for field in node.fields:
        value = values[field]
        if isinstance(value, nodes.Node | list | tuple):
            values[field] = copied(value, environment)
    if environment is not None:
        values["environment"] = environment
    return twin
