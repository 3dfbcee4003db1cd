"""/metrics is for who shows the token; for all others it is not there."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from pillarbox.model.sections import MetricsSettings
from pillarbox.web.app import create
from tests.web.site import PROJECT, Site, TestClient

TOKEN = "a-long-token-for-tests"


def client(site: Site, token: str) -> TestClient:
    """The site with this token in its settings."""
    settings = site.settings.model_copy(update={"metrics": MetricsSettings(token=SecretStr(token))})
    return TestClient(create(site.store, settings, PROJECT))


@pytest.mark.parametrize("shown", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \u00e9"])
def test_without_the_token_there_is_no_such_page(site: Site, shown: str) -> None:
    """The same page as for any path that does not exist; nothing says that there are numbers."""
    answer = client(site, TOKEN).get("/metrics", headers={"Authorization": shown.encode()} if shown else {})
    assert answer.status_code == 404
    assert "pillarbox_" not in answer.text


def test_with_the_token_there_are_numbers(site: Site) -> None:
    """This process's own, and the ledger's; the scheme in any case."""
    for scheme in ("Bearer", "bearer"):
        answer = client(site, TOKEN).get("/metrics", headers={"Authorization": f"{scheme} {TOKEN}"})
        assert answer.status_code == 200
        assert "pillarbox_ledger_up 1.0" in answer.text
        assert "pillarbox_webhook_seconds_count" in answer.text
        assert answer.headers["content-type"].startswith("text/plain")


def test_without_a_token_in_the_settings_nobody_gets_in(site: Site) -> None:
    """Not even with an empty one: the proxy speaks to us from this machine, for the whole world."""
    assert client(site, "").get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    assert client(site, "").get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
