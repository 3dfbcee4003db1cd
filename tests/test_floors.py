"""The storeys hold: imports only go down."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STOREYS = [
    {"ground"},
    {"model"},
    {"content", "store", "shape", "standin", "tables"},
    {"people", "compose", "deliver", "money", "keeping", "staff"},
    {"events", "giving", "checking"},
    {"mailings", "reports"},
    {"runner", "doctor", "seeing"},
    {"rehearsal"},
    {"web"},
    {"cli"},
]
STOREY_OF = {room: number for number, rooms in enumerate(STOREYS) for room in rooms}
MODULES = sorted(p for p in (ROOT / "pillarbox").rglob("*.py") if p.parent != ROOT / "pillarbox")


def rooms_imported(path: Path) -> set[str]:
    """Rooms of ours that a module imports anywhere in its body."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [node.module or ""]
            if node.module == "pillarbox":
                names = [f"pillarbox.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("pillarbox.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_only_go_down(path: Path) -> None:
    """A module imports its own room and lower storeys, nothing beside or above."""
    room = path.relative_to(ROOT / "pillarbox").parts[0].removesuffix(".py")
    assert room in STOREY_OF, f"{room} has no storey"
    for other in rooms_imported(path) - {room, "__version__"}:
        assert STOREY_OF[other] < STOREY_OF[room], f"{path.relative_to(ROOT)} imports {other}, which is not below it"
        assert room != "standin" or other == "ground", "the stand-in knows only the ground"


def test_every_room_is_known() -> None:
    """No folder of the package stands outside the plan."""
    rooms = {p.name for p in (ROOT / "pillarbox").iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    assert rooms == set(STOREY_OF)
