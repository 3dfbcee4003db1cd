"""Part: a local server that behaves like SendGrid; for the demo, rehearsals and tests."""
