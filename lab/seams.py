"""A sender with a seam: `send` as it is, but for a change named on the command line, in this process alone.

``python -m lab.seams '{"widen": 0.1}' -C DIR send …``. The changes:

- ``widen``: so many seconds at most are slept between claim and act, and between act and record. What a kill must
  hit by luck in nature, it hits often here.
- ``forget_intent``: claims are rolled back, so that no record of intent exists when the letters leave. A lab that does
  not find duplicates then is blind.
- ``assume_unsent``: what a dead sender held is planned again on a guess. The same.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

from pillarbox.cli.main import main
from pillarbox.mailings import submit
from pillarbox.model.states import MessageState, Verdict
from pillarbox.store import claims
from pillarbox.store.schema import messages as table


def widen(seconds: float) -> None:
    """Sleep a little after each claim and before each record."""
    claim, settle = submit.claim, submit._settle

    def slow_claim(dispatch: Any) -> Any:
        found = claim(dispatch)
        time.sleep(random.uniform(0, seconds))
        return found

    def slow_settle(*given: Any) -> None:
        time.sleep(random.uniform(0, seconds))
        settle(*given)

    vars(submit).update(claim=slow_claim, _settle=slow_settle)


def forget_intent(_: float) -> None:
    """Claim without a trace, as a naive sender does: mark as sent what was sent, afterwards."""
    claim = submit.claim

    def traceless(dispatch: Any) -> Any:
        found = claim(dispatch)
        if found[0] is not None:
            with dispatch.project.store.writing() as connection:
                claims.bury(connection, dispatch.mailing.id, found[0].attempt_id, state=MessageState.PLANNED,
                              detail="")
        return found

    def mark(dispatch: Any, _unit: Any, _turn: Any, result: Any) -> None:
        with dispatch.project.store.writing() as connection:
            for receipt in result.receipts:
                connection.execute(table.update().where(table.c.id == receipt.message_id).values(
                    state=claims.STATE_OF[receipt.verdict], provider_id=receipt.provider_id))

    vars(submit).update(claim=traceless, _settle=mark)


def assume_unsent(_: float) -> None:
    """Whatever is not known is taken as unsent, and sent again."""
    bury = claims.bury

    def guess(connection: Any, mailing_id: int, attempt_id: int, **_given: Any) -> int:
        return bury(connection, mailing_id, attempt_id, state=MessageState.PLANNED, detail="")

    vars(claims).update(bury=guess)
    claims.STATE_OF[Verdict.UNKNOWN] = MessageState.PLANNED


SEAMS = {"widen": widen, "forget_intent": forget_intent, "assume_unsent": assume_unsent}

if __name__ == "__main__":
    for name, value in json.loads(sys.argv.pop(1)).items():
        SEAMS[name](value)
    main()
