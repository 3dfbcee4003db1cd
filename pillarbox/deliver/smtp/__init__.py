"""Any SMTP server."""
