"""Twilio SendGrid: what is sent (payload, client, transport, verdicts) and what comes back (signature, events)."""
