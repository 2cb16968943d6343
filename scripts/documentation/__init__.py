"""The documentation site: what the pages of `docs/` are completed with when Sphinx builds them."""
