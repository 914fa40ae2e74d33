"""The handle that registering a hook returns, under PyTorch's name for its home."""

from ..autograd.hooks import RemovableHandle

__all__ = ["RemovableHandle"]
