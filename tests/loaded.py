"""What commands would read, import and compile anew each time: imported, it is there."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

from pillarbox.checking.dictionary import english
from pillarbox.mailings import check, planning
from pillarbox.model.states import Basis
from pillarbox.people.audience import Rule
from pillarbox.people.intake import import_list
from pillarbox.store.project import open_project
from tests import compiled, projects


def _once_through() -> None:
    """A letter to two supporters, checked and planned: nothing of it stays but what was compiled on the way."""
    with tempfile.TemporaryDirectory() as folder:
        made = projects.make(Path(folder) / "project")
        people = projects.write_list(Path(folder) / "list.csv", projects.crowd(2))
        project = open_project(made.folder)
        import_list(project.store, secret=project.secret, path=people, list_name="all", format="auto", mapping={},
                    basis=Basis.CONSENT, source="test", obtained=None, tracking=None, dry_run=False)
        check.check(project, "harbour")
        planning.plan(project, planning.Wish(appeal="harbour", rule=Rule(lists=("all",))))
        project.close()


compiled.share()
english()
_once_through()
gc.freeze()  # the copies need not look through all this for what is no longer used
