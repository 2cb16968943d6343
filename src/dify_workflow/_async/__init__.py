"""The async client, written by hand. The sync client in `_sync` is made from it: `make generate`."""
