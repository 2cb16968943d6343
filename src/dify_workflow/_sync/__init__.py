"""The sync client, made from the async client in `_async` by `make generate`. Do not edit it here."""
