"""Flow: check, plan, approve, submit, reconcile: the life of a mailing."""
