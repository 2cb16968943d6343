"""Bytes: what is sent, how, and what comes back. Nothing here knows the resources of Dify."""
