"""Checks of a document: `checks` is the standard's validator with the project's own `rules` around it."""
