"""How kernels are launched: one module a family. Imported when the first CUDA array is."""

from . import elementwise, softmax

__all__ = ["elementwise", "softmax"]
