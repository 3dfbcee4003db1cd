"""Storey 1: frozen records, enumerations, settings. Imports the ground alone."""
