"""The async half, written by hand. The sync half in `_sync` is made from it: `make generate`."""
