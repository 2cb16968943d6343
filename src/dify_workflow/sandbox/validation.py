"""The words in which the server's type checks refuse a request.

The server checks types with pydantic and puts that library's text into its response.
"""

from dataclasses import dataclass

from .errors import ApiError, invalid_param

__all__ = ["Problem", "refusal"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One value that the server does not take.

    Attributes:
        name: Where it stands; names and positions are joined by dots.
        type: What pydantic calls the problem.
        value: The value, or what lacks it.
    """

    name: str
    type: str
    message: str
    value: object


def refusal(model: str, problems: list[Problem], pydantic: str) -> ApiError:
    """Make the 400 for these problems.

    Args:
        model: The server's name for what the problems were found in.
        problems: At least one.
        pydantic: The pydantic release that the server uses, which its text names.
    """
    plural = "" if len(problems) == 1 else "s"
    lines = [f"{len(problems)} validation error{plural} for {model}"]
    for problem in problems:
        value = f"input_value={_shortened(repr(problem.value))}, input_type={type(problem.value).__name__}"
        lines += [
            problem.name,
            f"  {problem.message} [type={problem.type}, {value}]",
            f"    For further information visit https://errors.pydantic.dev/{pydantic}/v/{problem.type}",
        ]
    return invalid_param("\n".join(lines))


def _shortened(text: str, longest: int = 50) -> str:
    """Cut the middle out of a long text, counting in bytes and keeping characters whole, as pydantic does."""
    data = text.encode(errors="replace")
    if len(data) <= longest:
        return text
    head, tail = data[: longest // 2], data[-(longest // 2 - 1) :]
    return f"{head.decode(errors='ignore')}...{tail.decode(errors='ignore')}"
