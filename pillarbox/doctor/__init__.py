"""Flow: what is wrong with a project, in plain words, and what to do about it."""
