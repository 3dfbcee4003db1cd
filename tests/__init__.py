"""Tests; a package by name, so that no library that ships a folder called tests can stand in its place."""
