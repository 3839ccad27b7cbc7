"""Primitives that every slice stands on: no business rule lives here."""
