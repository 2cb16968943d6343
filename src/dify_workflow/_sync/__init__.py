"""The sync half, made from the async half in `_async` by `make generate`. Do not edit it here."""
