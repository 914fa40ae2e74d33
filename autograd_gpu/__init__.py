"""Tensors with PyTorch's eager autograd, on NumPy and CuPy. The public face: filled from the table;
computes nothing."""

import importlib as _importlib
import math as _math
from typing import Any as _Any

from . import _ops, autograd
from ._core import dtype as _dtype
from ._core import pinned as _pinned
from ._core.determinism import (
    are_deterministic_algorithms_enabled,
    is_deterministic_algorithms_warn_only_enabled,
    use_deterministic_algorithms,
)
from ._core.device import device
from ._core.dtype import (
    can_cast,
    dtype,
    finfo,
    get_default_dtype,
    iinfo,
    promote_types,
    set_default_dtype,
)
from ._core.errors import OutOfMemoryError
from ._core.memory import UntypedStorage, layout, strided
from ._core.memory_format import (
    channels_last,
    contiguous_format,
    memory_format,
    preserve_format,
)
from ._core.precision import get_float32_matmul_precision, set_float32_matmul_precision
from ._core.printing import get_printoptions, printoptions, set_printoptions
from ._core.size import Size
from ._core.tensor import Tensor
from ._core.threads import get_num_threads, set_num_threads
from ._core.version import __version__
from ._ops import table as _table
from .autograd.anomaly_mode import is_anomaly_check_nan_enabled, is_anomaly_enabled
from .autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)

inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e

globals().update(_dtype.BY_NAME)
globals().update({alias: _dtype.BY_NAME[name] for alias, name in _dtype.ALIASES.items()})
globals().update(_table.PUBLIC[""])

_LAZY = {
    "backends": None, "cuda": None, "datasets": None, "linalg": None, "nn": None, "optim": None,
    "profiler": None, "random": None,
    "return_types": None, "serialization": None, "special": None, "testing": None,
    "utils": None, "viz": None,
    "load": "serialization", "save": "serialization",
    "get_default_device": "_core.device", "set_default_device": "_core.device",
    "Generator": "random", "default_generator": "random", "get_rng_state": "random",
    "initial_seed": "random",
    "manual_seed": "random", "seed": "random", "set_rng_state": "random",
}  # fmt: skip


def __getattr__(name: str) -> _Any:
    """Modules that an import need not pay for are loaded when they are first named; bfloat16 needs
    ml_dtypes."""
    if name in _LAZY:
        home = _LAZY[name]
        module = _importlib.import_module(f".{home or name}", __name__)
        value = module if home is None else getattr(module, name)
    elif name == "bfloat16":
        try:
            value = _dtype.bfloat16()
        except ImportError as error:  # an AttributeError, so that `hasattr` and `dir` tools work
            raise AttributeError(str(error)) from None
    else:
        raise AttributeError(
            f"module '{__name__}' has no attribute '{name}' (if PyTorch has it, this version does "
            "not: see 'What is covered' in README)"
        )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, "bfloat16"})
