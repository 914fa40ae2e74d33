"""Second names of ops, as PyTorch has them: `multiply` for `mul`. In the package, on Tensor, and in
place.
"""

from typing import Any

from .._core.tensor import Tensor
from .declare import PUBLIC, REGISTRY

__all__ = ["ALIASES", "add_alias"]

ALIASES = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "clip": "clamp",
    "divide": "div",
    "fix": "trunc",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "multiply": "mul",
    "negative": "neg",
    "not_equal": "ne",
    "subtract": "sub",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "true_divide": "div",
}
"""name -> the op's name. A chapter of ops may add its own with `add_alias`."""

SPECIAL = {
    "expit": "sigmoid",
    "gammaln": "lgamma",
    "multigammaln": "mvlgamma",
    "psi": "digamma",
    "exp2": "exp2",
    "expm1": "expm1",
    "log1p": "log1p",
    "round": "round",
    "logsumexp": "logsumexp",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
}
"""What `autograd_gpu.special` shows of ops that have their home elsewhere."""


def add_alias(name: str, op_name: str) -> None:
    """Show an op under one more name, wherever it is shown."""
    function = REGISTRY[op_name].function
    for names in PUBLIC.values():
        if names.get(op_name) is function:
            names[name] = function
    for suffix in ("", "_"):
        method: Any = getattr(Tensor, op_name + suffix, None)
        if method is not None:
            setattr(Tensor, name + suffix, method)


for _name, _op in ALIASES.items():
    add_alias(_name, _op)
for _name, _op in SPECIAL.items():
    if _op in PUBLIC[""] or _op in PUBLIC["nn.functional"]:
        PUBLIC["special"][_name] = PUBLIC[""].get(_op) or PUBLIC["nn.functional"][_op]
