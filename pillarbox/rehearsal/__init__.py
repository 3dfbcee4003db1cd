"""Flow: a whole mailing sent to a SendGrid of this machine's own, from a copy that is thrown away."""
