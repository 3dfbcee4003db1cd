"""Part: a shape and columns of values become bodies, or a provider's substitutions, with each place's escaping."""
