"""Flow: who calls submit, on one host."""
