"""The exceptions that are ours; all others are Python's and PyTorch's types.

    RuntimeError
    +-- OutOfMemoryError (also a MemoryError)
    +-- GradcheckError     in autograd.gradcheck
    +-- FileError          in serialization
"""

__all__ = ["OutOfMemoryError"]


class OutOfMemoryError(RuntimeError, MemoryError):
    """There is not enough memory for an array. The message says for which op and how large."""
