"""Floor 2: the engine, and autograd's public face. Knows nodes, edges and gradients; no
operation.
"""

from .._core import convert as _convert  # noqa: F401  (binds item, numpy, repr ...)
from .._core import memory as _memory  # noqa: F401  (binds stride, data_ptr, is_contiguous ...)
from .._core.tensor import Tensor as Variable
from . import anomaly_mode, function, functional, grad_mode, graph
from . import attributes as _attributes  # noqa: F401  (binds requires_grad, backward ...)
from .anomaly_mode import detect_anomaly, set_detect_anomaly
from .api import backward, grad
from .function import Function
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .gradcheck import GradcheckError, gradcheck, gradgradcheck

__all__ = [
    "Function", "GradcheckError", "Variable", "anomaly_mode", "backward", "detect_anomaly",
    "enable_grad", "function", "functional", "grad", "grad_mode", "gradcheck", "gradgradcheck",
    "graph", "inference_mode", "no_grad", "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip
