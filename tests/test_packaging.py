"""What staff install is whole: the wheel works outside the checkout, and help is instant."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from pillarbox.cli.main import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the repository."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(ROOT)],
                   check=True)
    return next(out.glob("*.whl"))


def test_the_wheel_carries_layouts_letters_and_pages(wheel: Path) -> None:
    """Everything that the program reads at run time is inside."""
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in ("pillarbox/share/templates/theme.toml", "pillarbox/share/appeals/uyghur-freedom/letter.md",
                   "pillarbox/share/lists/sample-supporters.csv", "pillarbox/py.typed",
                   "pillarbox/share/templates/words.txt", "pillarbox/checking/dictionaries/en_GB.dic",
                   "pillarbox/checking/dictionaries/LICENCE-en_GB.txt"):
        assert wanted in names
    assert any(name.startswith("pillarbox/web/pages/") for name in names)
    assert any(name.startswith("pillarbox/store/migrations/versions/") for name in names)


def test_the_wheel_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """``init`` makes a project whose letter is checked with the engine's own layouts."""
    venv.create(tmp_path / "v", with_pip=False, system_site_packages=False)
    python = tmp_path / "v" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    site = next((tmp_path / "v").glob("lib/*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    # The libraries are borrowed from the environment that runs the tests; Pillarbox itself is the wheel's.
    (site / "borrowed.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")))

    def run(*arguments: str) -> str:
        done = subprocess.run([str(python), "-I", "-m", "pillarbox", *arguments], cwd=tmp_path, text=True,
                              capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = subprocess.run([str(python), "-I", "-c", "import pillarbox; print(pillarbox.__file__)"], text=True,
                           capture_output=True, check=True, cwd=tmp_path).stdout
    assert where.startswith(str(site))
    run("init", "my-charity")
    assert not (tmp_path / "my-charity" / "templates" / "layouts").exists()
    assert '"ok": true' in run("-C", "my-charity", "check", "uyghur-freedom", "--json")


def test_help_names_every_command_in_its_own_words() -> None:
    """The table that keeps --help instant says what each command says of itself."""
    import click

    for name, (_, words) in COMMANDS.items():
        command = main.get_command(click.Context(main), name)
        assert command is not None
        assert command.get_short_help_str(200).rstrip(".") == words.split(". ")[0].rstrip("."), name


def test_help_imports_nothing_heavy() -> None:
    """``pillarbox --help`` answers without pandas, SQLAlchemy, Rich and the like."""
    code = ("import sys; from pillarbox.cli.main import main; main(['--help'], standalone_mode=False); "
            "print(sorted({m.partition('.')[0] for m in sys.modules} & {'pandas', 'sqlalchemy', 'rich', 'alembic', "
            "'premailer', 'jinja2', 'pydantic', 'sendgrid', 'vl_convert', 'starlette', 'cryptography'}))")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
    assert done.stdout.rstrip().endswith("[]")
