"""Room: transports; one folder for each outside service."""
