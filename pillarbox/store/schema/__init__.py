"""The tables. One vocabulary; UTC times; the ledger's guarantees as constraints."""

from pillarbox.store.schema.api import api_tokens
from pillarbox.store.schema.approving import approvals, plannings
from pillarbox.store.schema.base import Moment, metadata
from pillarbox.store.schema.images import images
from pillarbox.store.schema.joining import sign_ups
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
from pillarbox.store.schema.publishing import public_letters
from pillarbox.store.schema.returns import (
    BAD_NEWS,
    OURSELVES,
    TELLING,
    donations,
    events,
    hook_events,
    hook_keys,
    pledges,
    refunds,
)
from pillarbox.store.schema.service import SERVICE_STATES, service_approvals, service_letters
from pillarbox.store.schema.staff import staff_sessions, staff_users
from pillarbox.store.schema.tallies import responses, tallies
from pillarbox.store.schema.wishes import former_addresses, passes, wish_changes, wishes
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
    "BAD_NEWS",
    "OURSELVES",
    "SERVICE_STATES",
    "TELLING",
    "UNREACHED",
    "Moment",
    "api_tokens",
    "approvals",
    "attempts",
    "audit",
    "bundles",
    "consent_changes",
    "consents",
    "donations",
    "editions",
    "events",
    "former_addresses",
    "hook_events",
    "hook_keys",
    "images",
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
    "passes",
    "plannings",
    "pledges",
    "project",
    "public_letters",
    "quotas",
    "refunds",
    "responses",
    "schedules",
    "service_approvals",
    "service_letters",
    "shapes",
    "sign_ups",
    "staff_sessions",
    "staff_users",
    "supporters",
    "suppressions",
    "tallies",
    "throttles",
    "wish_changes",
    "wishes",
    "workers",
]
