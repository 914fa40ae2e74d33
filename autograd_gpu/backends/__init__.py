"""Switches of the libraries that compute, by PyTorch's names: `backends.cuda`, `backends.cudnn`."""

from . import cuda, cudnn, mps

__all__ = ["cuda", "cudnn", "mps"]
