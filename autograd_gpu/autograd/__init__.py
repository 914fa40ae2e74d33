"""Floor 2: the engine, and autograd's public face. Knows nodes, edges and gradients; no
operation.
"""

from .._core import convert as _convert  # noqa: F401  (binds item, numpy, repr ...)
from .._core import memory as _memory  # noqa: F401  (binds stride, data_ptr, is_contiguous ...)
from .._core.tensor import Tensor as Variable
from . import attributes as _attributes  # noqa: F401  (binds requires_grad, backward ...)
from . import function, functional, graph
from .api import backward, grad
from .function import Function
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .mode import enable_grad, no_grad, set_grad_enabled

__all__ = [
    "Function", "GradcheckError", "Variable", "backward", "enable_grad", "function", "functional",
    "grad", "gradcheck", "gradgradcheck", "graph", "no_grad", "set_grad_enabled",
]  # fmt: skip
