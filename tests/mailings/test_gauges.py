"""The numbers for Prometheus: this process's own, and what the ledger knows."""

from __future__ import annotations

import urllib.request
from datetime import timedelta

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from pillarbox.ground import clock, logs, metrics
from pillarbox.ground.errors import Refused
from pillarbox.mailings import gauges
from pillarbox.mailings.submit import submit
from pillarbox.model.states import SuppressionReason, Verdict
from pillarbox.store import events, notices, schema, suppressions
from pillarbox.store.project import Project
from tests.mailings.conftest import CROWD, Scripted, dispatch, planned, saying

Numbers = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scraped(project: Project) -> Numbers:
    """Name and labels → number."""
    text = generate_latest(gauges.registry(project.store, project.settings)).decode()
    return read(text)


def read(text: str) -> Numbers:
    """The same of a page."""
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text) for sample in family.samples}


def one(numbers: Numbers, name: str, **labels: str) -> float | None:
    """One number; None when it is not there."""
    return numbers.get((name, tuple(sorted(labels.items()))))


def test_a_batch_is_counted_and_timed(project: Project) -> None:
    """By verdict; its claim, act and settling each; and what the ledger says of the mailing."""
    mailing = planned(project)
    before = scraped(project)
    transport = Scripted(answer=saying(Verdict.UNKNOWN))
    assert submit(dispatch(project, mailing, transport)) is not None
    after = scraped(project)

    def grown(name: str, **labels: str) -> float:
        return (one(after, name, **labels) or 0) - (one(before, name, **labels) or 0)

    sent = CROWD - _untouched(after, mailing.name)
    assert grown("pillarbox_messages_total", verdict="unknown", practice="yes") == sent > 0
    assert grown("pillarbox_batches_total", transport="files", practice="yes") == 1
    for step in ("claim", "post", "settle"):
        assert grown("pillarbox_submit_seconds_count", step=step) == 1
    doubt = one(after, "pillarbox_in_doubt", mailing=mailing.name, practice="yes")
    assert doubt == sent
    assert one(after, "pillarbox_mailing_open", mailing=mailing.name, practice="yes", state="sending") == 1


def _untouched(numbers: Numbers, name: str) -> float:
    return one(numbers, "pillarbox_mailing_messages", mailing=name, practice="yes", state="planned") or 0


def test_what_the_ledger_knows(project: Project) -> None:
    """Suppressions by reason, workers, notices, what was heard, the newest backup; absent where there is none."""
    empty = scraped(project)
    assert one(empty, "pillarbox_ledger_up") == 1
    for name in ("pillarbox_backup_seconds", "pillarbox_worker_seen_seconds", "pillarbox_oldest_untold_notice_seconds"):
        assert one(empty, name) is None
    moment = clock.now()
    with project.store.writing() as connection:
        suppressions.add(connection, address_hash="x" * 32, address=None, reason=SuppressionReason.BOUNCED,
                         source="test", since=moment)
        connection.execute(insert(schema.workers).values(
            [{"id": "a", "kind": "worker", "started_at": moment, "seen_at": moment - timedelta(seconds=10)},
             {"id": "b", "kind": "worker", "started_at": moment, "seen_at": moment - timedelta(minutes=9)}]))
        notices.add(connection, kind="late", words="Late.")
        events.mark(connection, "events-heard:sendgrid", moment - timedelta(minutes=2))
    made = moment - timedelta(hours=1)
    kept = project.folder / project.settings.backup.folder / f"pillarbox-{project.id}-{made:%Y%m%d-%H%M%S}-staff.backup"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"x")
    for name in (f".{kept.name}.part", f"pillarbox-zzzzzzzz-{moment:%Y%m%d-%H%M%S}-staff.backup"):
        (kept.parent / name).write_bytes(b"another's, or half of one")
    full = scraped(project)
    assert one(full, "pillarbox_suppressions", reason="bounced") == 1
    assert one(full, "pillarbox_workers", kind="worker") == 1
    assert one(full, "pillarbox_notices_untold") == 1
    assert one(full, "pillarbox_worker_seen_seconds") == pytest.approx(10, abs=30)
    assert one(full, "pillarbox_events_heard_seconds", provider="sendgrid") == pytest.approx(120, abs=30)
    assert one(full, "pillarbox_backup_seconds") == pytest.approx(3_600, abs=60)


def test_the_worker_answers_on_this_machine_alone(project: Project) -> None:
    """`--metrics-port`: 127.0.0.1, and a port that is taken is a sentence."""
    with gauges.serve_metrics(0, project.store, project.settings) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert one(read(answer.read().decode()), "pillarbox_ledger_up") == 1
        with pytest.raises(Refused, match="metrics-port"), gauges.serve_metrics(port, project.store, project.settings):
            pass


def test_a_database_that_is_away_is_a_number(project: Project) -> None:
    """The scrape still answers, with this process's own numbers."""
    if not project.store.is_sqlite:
        pytest.skip("the file is taken away")
    project.store.close()
    (project.folder / "var" / "pillarbox.db").write_bytes(b"no database" * 1_000)
    numbers = scraped(project)
    assert one(numbers, "pillarbox_ledger_up") == 0
    assert one(numbers, "pillarbox_webhook_seconds_count") is not None


def test_scrapes_ask_the_ledger_rarely(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often somebody scrapes: once in some seconds."""
    asked = []
    real = gauges._mailings
    monkeypatch.setattr(gauges, "_mailings", lambda connection: asked.append(1) or real(connection))
    both = gauges.registry(project.store, project.settings)
    for _ in range(5):
        generate_latest(both)
    assert len(asked) == 1


def test_labels_hold_words_of_ours_alone() -> None:
    """No address, no key, nothing of a person can be a label of what a process counts."""
    for family in metrics.REGISTRY.collect():
        for sample in family.samples:
            for value in sample.labels.values():
                assert logs.scrubbed(value) == value
