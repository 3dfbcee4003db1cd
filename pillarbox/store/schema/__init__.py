"""The tables. One vocabulary; UTC times; the ledger's guarantees as constraints."""

from pillarbox.store.schema.base import Moment, metadata
from pillarbox.store.schema.mail import (
    UNREACHED,
    attempts,
    bundles,
    editions,
    mailings,
    message_values,
    messages,
    shapes,
)
from pillarbox.store.schema.people import (
    consent_changes,
    consents,
    imports,
    list_members,
    lists,
    supporters,
    suppressions,
)
from pillarbox.store.schema.returns import (
    donations,
    events,
    hook_events,
    hook_keys,
    pledges,
    refunds,
)
from pillarbox.store.schema.service import SERVICE_STATES, service_letters
from pillarbox.store.schema.work import (
    audit,
    marks,
    notices,
    occurrences,
    project,
    quotas,
    schedules,
    throttles,
    workers,
)

__all__ = [
    "SERVICE_STATES",
    "UNREACHED",
    "Moment",
    "attempts",
    "audit",
    "bundles",
    "consent_changes",
    "consents",
    "donations",
    "editions",
    "events",
    "hook_events",
    "hook_keys",
    "imports",
    "list_members",
    "lists",
    "mailings",
    "marks",
    "message_values",
    "messages",
    "metadata",
    "notices",
    "occurrences",
    "pledges",
    "project",
    "quotas",
    "refunds",
    "schedules",
    "service_letters",
    "shapes",
    "supporters",
    "suppressions",
    "throttles",
    "workers",
]
