"""Problem: what a user can put right, told in one line."""

__all__ = ["Problem", "one_line"]


class Problem(Exception):
    """A bad argument or file; the command prints the message and ends with status 2."""


def one_line(error: BaseException) -> str:
    """An exception's message without line breaks, its type where there is no message."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
