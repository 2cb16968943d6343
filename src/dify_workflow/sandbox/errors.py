"""What the sandbox responds when it refuses a request."""

from collections.abc import Mapping

__all__ = ["ApiError", "internal_server_error", "invalid_param", "nul_character", "unauthorized", "unknown_error"]


class ApiError(Exception):
    """A refusal, with everything that the response needs.

    Attributes:
        status: HTTP status.
        body: The JSON object of the response, its keys in the server's order.
        headers: Headers that come with this refusal only.
    """

    def __init__(self, status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('message')}")
        self.status = status
        self.body = body
        self.headers = headers or {}

    @classmethod
    def of(cls, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> "ApiError":
        """Make a refusal with the usual body."""
        return cls(status, {"code": code, "message": message, "status": status}, headers)


def invalid_param(message: str) -> ApiError:
    """A parameter that the server does not take: 400."""
    return ApiError.of(400, "invalid_param", message)


def nul_character() -> ApiError:
    """A NUL character in text that the server gives to its database: 400."""
    return invalid_param("A string literal cannot contain NUL (0x00) characters.")


def internal_server_error() -> ApiError:
    """An exception that the server caught in a run: 500."""
    return ApiError.of(
        500,
        "internal_server_error",
        "The server encountered an internal error and was unable to complete your request. Either the server is "
        "overloaded or there is an error in the application.",
    )


def unauthorized(message: str) -> ApiError:
    """A request without a key that opens an app: 401, with the challenge that HTTP asks for."""
    return ApiError.of(401, "unauthorized", message, {"WWW-Authenticate": 'Bearer realm="api"'})


def unknown_error() -> ApiError:
    """The response to what the server did not foresee: 500. Here, and only here, `message` comes before `code`."""
    return ApiError(500, {"message": "Internal Server Error", "code": "unknown", "status": 500})
