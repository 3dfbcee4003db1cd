"""Flow: one module a question; plots; pages."""
