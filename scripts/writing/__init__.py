"""The facade's part of an additive change, written into its source.

Read in this order: `source` (a module's text, and insertions at places that its syntax tree names) -> `keywords` (a new
parameter or body field becomes a keyword of every method that calls the operation) -> `resources` (a new operation
becomes a method) -> `sandbox` (what the sandbox checks of both).
"""
