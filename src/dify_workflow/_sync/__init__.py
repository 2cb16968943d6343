"""The sync half, made from the async half in `_sync` by `make generate`. Do not edit it here."""
