"""What every door of the web application stands on: the project, and how its pages look."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import Request

from pillarbox.model.config import Settings
from pillarbox.store.connect import Store
from pillarbox.store.project import Project
from pillarbox.web.render import Pages
from pillarbox.web.theme import Theme

# As ground.keys makes them; whatever else stands in the path never reaches the database.
_KEY = re.compile(r"[a-z2-7]{30}")

PATIENCE_SECONDS = 5.0
"""For the database, of who waits for a page: at Pillarbox's own work it is held for a fraction of a second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """One project's web application."""

    project: Project
    theme: Theme
    pages: Pages
    """Supporters' pages."""
    root: str = ""
    """What stands before every path of ours in a page or header, for a browser; without a trailing slash."""

    @property
    def store(self) -> Store:
        """The project's open database."""
        return self.project.store

    @property
    def visitors(self) -> Store:
        """The same for who sits before a page: what another program holds up for longer is said, not waited for."""
        return self.store.hurried(PATIENCE_SECONDS)

    @property
    def settings(self) -> Settings:
        """The project's settings."""
        return self.project.settings


def key_of(request: Request) -> str:
    """The key in a request's path, in small letters; empty when it cannot be one."""
    key = str(request.path_params["key"]).lower()
    return key if _KEY.fullmatch(key) else ""
