"""Door: a module per command group: parse, call, print."""
