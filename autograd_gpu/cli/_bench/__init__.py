"""`autograd-gpu bench`: the CPU against the GPU, and against PyTorch where it is installed."""

from .run import bench

__all__ = ["bench"]
