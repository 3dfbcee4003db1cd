"""GoCardless: what it posts, and what must be asked of its API."""
