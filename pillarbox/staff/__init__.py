"""Room: who works in the dashboard, how they prove it, and for how long."""
