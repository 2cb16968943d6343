"""Which app a request's key opens."""

from collections.abc import Callable

from .errors import ApiError, unauthorized
from .records import AppRow

__all__ = ["authorize"]


def authorize(header: str | None, find_app: Callable[[str], AppRow | None]) -> AppRow:
    """Give the app that the `Authorization` header opens.

    Args:
        header: The header's value, or None when there is none.
        find_app: Gives the app of a key.

    Raises:
        ApiError: 401 or 403; the message says why.
    """
    if header is None or " " not in header:
        raise unauthorized("Authorization header must be provided and start with 'Bearer'")
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer":  # the server takes any case, and any number of spaces after it
        raise unauthorized("Authorization scheme must be 'Bearer'")
    app = find_app(key.strip())
    if app is None:
        raise unauthorized("Access token is invalid")
    match app.state:
        case "open":
            return app
        case "disabled":
            raise ApiError.of(403, "forbidden", "The app's API service has been disabled.")
        case "archived":
            raise ApiError.of(403, "forbidden", "The workspace's status is archived.")
        case "ownerless":
            raise unauthorized("Tenant owner account not found or tenant is not active.")
