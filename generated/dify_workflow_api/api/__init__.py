"""The API's operations: a package for each tag, in it a module for each operation."""
