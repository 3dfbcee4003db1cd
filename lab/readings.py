"""What the ledger's tables say, read without any code of Pillarbox."""

from __future__ import annotations

from sqlalchemy import Engine, text

# A sender that records the end of its own attempt, long after it began it: the answer did not come in its time.
_LATE = """SELECT count(DISTINCT attempts.id) FROM attempts JOIN messages ON messages.attempt_id = attempts.id
WHERE messages.state = 'in_doubt' AND messages.detail NOT LIKE 'the sender died%' AND {seconds} >= :limit"""
_SECONDS = {"sqlite": "(julianday(finished_at) - julianday(attempts.started_at)) * 86400",
            "postgresql": "extract(epoch FROM finished_at - attempts.started_at)"}
_LEASES = "SELECT {seconds} FROM attempts WHERE finished_at IS NULL"
_EPOCH = {"sqlite": "CAST(strftime('%s', lease_until) AS INTEGER)", "postgresql": "extract(epoch FROM lease_until)"}


def leases(engine: Engine) -> list[float]:
    """When the leases of the units that are held end, as Unix seconds, rounded up."""
    with engine.connect() as connection:
        return [float(row[0]) + 1 for row in connection.execute(
            text(_LEASES.format(seconds=_EPOCH[engine.dialect.name])))]


def largest_batch(engine: Engine) -> int:
    """Messages of the largest unit that was ever claimed."""
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT coalesce(max(size), 0) FROM attempts")).scalar_one())


def late(engine: Engine, limit_seconds: float) -> int:
    """Units in doubt because their sender waited for the answer as long as it may, and none came."""
    with engine.connect() as connection:
        return int(connection.execute(text(_LATE.format(seconds=_SECONDS[engine.dialect.name])),
                                      {"limit": limit_seconds}).scalar_one())
