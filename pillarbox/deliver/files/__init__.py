"""Mail to a folder: practice, where every message can be opened and nobody is mailed."""
