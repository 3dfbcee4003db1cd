"""The crash lab: real senders, a real server that counts, and everything that can go wrong, at random moments.

It is no part of the product. It drives the commands that staff use, against ledgers of made-up supporters, and judges
by two witnesses that know nothing of each other: what the server accepted, and what the ledger says.
"""
