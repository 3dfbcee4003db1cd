"""Part: a folder under git becomes an Appeal; every fault at once, with file and line."""
