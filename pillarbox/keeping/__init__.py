"""Room: the project kept safe: backups, restoring, moving to another database, and the journal of launches."""
