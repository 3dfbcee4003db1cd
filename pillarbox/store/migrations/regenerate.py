"""Write the first migration anew from the schema: only while no released database exists (docs/decisions/0009).

    python -m pillarbox.store.migrations.regenerate
"""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import UpgradeOps
from sqlalchemy import create_engine

from pillarbox.store.schema import Moment, metadata

FILE = Path(__file__).parent / "versions" / "v0001_first_tables.py"
_HEAD = '''"""The first tables."""

# ruff: noqa: E501 - a constraint stands on one line, as the database keeps it

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make every table."""
    '''
_SHORTER = {
    "sa.BigInteger().with_variant(sa.Integer(), 'sqlite')": "ID",
    "sa.DateTime(timezone=True)": "MOMENT",
    "sa.text('(false)')": "sa.text('false')",
}


def render() -> str:
    """The first migration's source, as the schema stands."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
        upgrade = produce_migrations(context, metadata).upgrade_ops
        assert isinstance(upgrade, UpgradeOps)
        body = render_python_code(upgrade, render_item=lambda kind, item, _context: (
            "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False),
            migration_context=context)
    engine.dispose()
    lines = [line.strip() for line in body.splitlines() if line.strip() and not line.strip().startswith("#")]
    source = "\n    ".join("    " + line if line.startswith(("sa.", "sqlite_auto")) else line for line in lines)
    for long, short in _SHORTER.items():
        source = source.replace(long, short)
    # A line that holds double quotes already is SQL with quotes of its own.
    return _HEAD + "\n".join(line if '"' in line else line.replace("'", '"') for line in source.splitlines()) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), "utf-8")
    print(f"Wrote {FILE.name}; run the tests of migrations on both engines.")
