"""Floor 2: the engine, and autograd's public face. Knows nodes, edges and gradients; no
operation.
"""

import importlib as _importlib
from typing import Any as _Any

from .._core import convert as _convert  # noqa: F401  (binds item, numpy, repr ...)
from .._core import memory as _memory  # noqa: F401  (binds stride, data_ptr, is_contiguous ...)
from . import anomaly_mode, function, functional, grad_mode, graph
from . import attributes as _attributes  # noqa: F401  (binds requires_grad, backward ...)
from .anomaly_mode import detect_anomaly, set_detect_anomaly
from .api import backward, grad
from .function import Function
from .grad_mode import (
    enable_grad,
    inference_mode,
    is_multithreading_enabled,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)  # fmt: skip
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .layout_policy import enforce_grad_layout_policy
from .variable import Variable
from .view_modes import (  # noqa: F401  (the private ones are called so in PyTorch)
    _force_original_view_tracking,
    _unsafe_preserve_version_counter,
    is_view_replay_enabled,
    set_view_replay_enabled,
)  # fmt: skip

__all__ = [
    "Function", "GradcheckError", "Variable", "anomaly_mode", "backward", "detect_anomaly",
    "enable_grad", "enforce_grad_layout_policy", "function", "functional", "grad", "grad_mode",
    "gradcheck", "gradgradcheck", "graph", "inference_mode", "is_multithreading_enabled",
    "is_view_replay_enabled", "no_grad", "profiler", "set_detect_anomaly", "set_grad_enabled",
    "set_multithreading_enabled", "set_view_replay_enabled",
]  # fmt: skip


def __getattr__(name: str) -> _Any:
    """The profiler is loaded when it is first named."""
    if name == "profiler":
        return _importlib.import_module(".profiler", __name__)
    raise AttributeError(
        f"module '{__name__}' has no attribute '{name}' (if PyTorch has it, this version does not: "
        "see 'What is covered' in README)"
    )
