"""What the tests of the web door share: a project's settings, its site, and a look into its tables."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy import select

from pillarbox.model.config import Settings
from pillarbox.model.sections import ProjectSettings, SenderSettings, SendgridSettings
from pillarbox.store.connect import Store
from tests import builders
from tests.signing import Signer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette prefers a newer httpx, and says so at import
    from starlette.testclient import TestClient

PROJECT = "testproj"
__all__ = ["PROJECT", "Site", "TestClient", "rows", "settings_for"]


@dataclass(frozen=True, kw_only=True)
class Site:
    """The application, its key pair, and Alice's letter."""

    client: TestClient
    store: Store
    settings: Settings
    signer: Signer
    message_id: int
    key: str


def settings_for(signer: Signer | None) -> Settings:
    """A project's settings; without a signer no webhook key is set."""
    return Settings(
        project=ProjectSettings(secret_key=SecretStr(builders.SECRET.decode())),
        sender=SenderSettings(name="René Cassin", email="letters@example.org", reply_to="hello@example.org"),
        sendgrid=SendgridSettings(webhook_key=SecretStr(signer.public if signer else "")))


def rows(store: Store, *columns: object) -> list[tuple[object, ...]]:
    """What stands in these columns."""
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(select(*columns))]  # type: ignore[call-overload]
