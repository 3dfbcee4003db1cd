"""The list of codes is whole, true, and the one that the docs show."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from pillarbox.checking.codes import known, with_list

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "pillarbox" / "content").rglob("*.py"), *(ROOT / "pillarbox" / "compose").rglob("*.py"),
           *(ROOT / "pillarbox" / "checking").rglob("*.py"), ROOT / "pillarbox" / "mailings" / "check.py"]
CODE = re.compile(r"[a-z]+(?:-[a-z0-9]+)*")


def codes_of(tree: ast.Module) -> set[str]:
    """The codes that a module gives to findings: ``code=``, ``fault("…")``, and pairs of a code and a sentence."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "code":
            found |= constants(node.value)
        elif isinstance(node, ast.Call) and node.args and getattr(node.func, "attr", "") == "fault":
            found |= constants(node.args[0])
        elif isinstance(node, ast.Tuple) and len(node.elts) in (2, 3) and isinstance(node.ctx, ast.Load):
            sentence = node.elts[-1]
            words = sentence.value if isinstance(sentence, ast.Constant) else "" if not isinstance(
                sentence, ast.JoinedStr) else ". "
            if isinstance(words, str) and (" " in words):
                found |= {code for code in constants(node.elts[0]) if "-" in code}
    return found


def constants(node: ast.expr) -> set[str]:
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)
            and CODE.fullmatch(each.value)}


def test_every_code_is_listed() -> None:
    """A finding whose code no list explains would leave staff alone with it."""
    given = {code: path.name for path in SOURCES for code in codes_of(ast.parse(path.read_text("utf-8")))}
    assert {code: file for code, file in given.items() if code not in known()} == {}


def test_every_listed_code_exists() -> None:
    """The list names no code that nothing gives."""
    sources = "\n".join(path.read_text("utf-8") for path in SOURCES if path.name != "codes.py")
    assert [code for code in known() if sources.count(f'"{code}"') < 1] == []


def test_the_docs_show_the_list() -> None:
    """docs/checking.md holds the list as it is (`python -m pillarbox.checking.codes` writes it)."""
    page = (ROOT / "docs" / "checking.md").read_text("utf-8")
    assert with_list(page) == page
