"""Pillarbox: a charity's appeal letters and newsletters, sent exactly once, and what they raised."""

__version__ = "0.1.0"
