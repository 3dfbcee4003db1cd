"""Flow: a normalised event changes a message, a supporter, a count."""
