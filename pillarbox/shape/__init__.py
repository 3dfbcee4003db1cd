"""Part: a message as shape and values: tokens, the escaping of each place, whole columns at a time."""
