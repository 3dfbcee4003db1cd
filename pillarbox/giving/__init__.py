"""Flow: a donation finds its supporter and the mailing that raised it."""
