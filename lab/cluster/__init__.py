"""``python -m lab.cluster``: three hosts send one mailing; one is lost, one is cut off for a while. Needs root.

Five network namespaces on a bridge: a database, a provider that counts, and the hosts a, b and c with two workers each.
The real commands run on them, with host names and addresses of their own. What the provider counted and what the ledger
says are heard against each other by ``lab.judge``.
"""
