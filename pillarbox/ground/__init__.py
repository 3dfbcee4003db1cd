"""Storey 0: errors, time, money, addresses, keys, and where shipped files lie. Imports nothing of ours."""
