"""Room: where donations come from, and what one is."""
