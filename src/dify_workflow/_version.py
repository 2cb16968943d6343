"""The version of this distribution: written here once, read by the build and by the User-Agent."""

__version__ = "0.1.0"
