"""Room: list files, intake, names, consent, segments, audience."""
