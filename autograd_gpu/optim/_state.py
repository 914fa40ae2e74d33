"""Parameter groups and state dicts of an optimizer: everything is checked before it changes."""

from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

import numpy as np

from .._core.device import at, cpu, device_of, library, move
from .._core.dtype import get_default_dtype
from .._core.tensor import Tensor, make

__all__ = ["REQUIRED", "add_group", "filled_like", "pack", "step_tensor", "unpack"]


COUNTERS = ("step", "mu_product")  # 0-d tensors whose dtype is not the parameter's


def add_group(optimizer: Any, group: Any) -> None:
    """Check a parameter group, fill in the defaults and append it."""
    if not isinstance(group, dict):
        raise TypeError(f"param_group must be a dict, but got {type(group)}")
    params = group["params"]
    if isinstance(params, Tensor):
        params = [params]
    elif isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering "
            "of tensors in sets will change between runs. Please use a list instead."
        )
    names, params = _split_names(list(params))
    _check_params(params)
    for other in optimizer.param_groups:
        if ("param_names" in other) != (names is not None):
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{'without' if names is None else 'with'} names to the optimizer"
            )
    taken = {id(p) for other in optimizer.param_groups for p in other["params"]}
    if any(id(p) in taken for p in params):
        raise ValueError("some parameters appear in more than one parameter group")
    for key, value in optimizer.defaults.items():
        if value is REQUIRED and key not in group:
            raise ValueError(f"parameter group didn't specify a value of required {key!r}")
    group["params"] = params
    if names is not None:
        group["param_names"] = names
    for key, value in optimizer.defaults.items():
        group.setdefault(key, value)
    optimizer.param_groups.append(group)


def step_tensor(value: float = 0.0) -> Tensor:
    """A counter as PyTorch keeps it: a 0-d tensor of the default dtype or float32."""
    wide = get_default_dtype().name == "float64"
    return make(np.array(value, np.float64 if wide else np.float32))


def filled_like(p: Tensor, value: Any = 0) -> Tensor:
    """A state of a parameter before the first step."""
    array = p._array
    with at(device_of(array)):
        return make(library(array).full_like(array, value))


class _Required:
    """Stands for an option that every group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


REQUIRED = _Required()


def _split_names(params: list[Any]) -> tuple[list[str] | None, list[Any]]:
    named = [isinstance(p, tuple) for p in params]
    if not any(named):
        return None, params
    if not all(named):
        raise ValueError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    return [p[0] for p in params], [p[1] for p in params]


def _check_params(params: list[Any]) -> None:
    for p in params:
        if not isinstance(p, Tensor):
            raise TypeError(
                f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}"
            )
        if not (p.is_leaf or getattr(p, "retains_grad", False)):
            raise ValueError("can't optimize a non-leaf Tensor")
    if len({id(p) for p in params}) != len(params):
        raise ValueError(
            "optimizer contains a parameter group with duplicate parameters: "
            "each must be given once, or it would be updated twice in a step"
        )


def pack(optimizer: Any) -> dict[str, Any]:
    """The state dict: parameters replaced by their number."""
    index = {id(p): i for i, p in enumerate(_all(optimizer.param_groups))}
    groups = []
    for group in optimizer.param_groups:
        packed = {key: value for key, value in group.items() if key != "params"}
        packed["params"] = [index[id(p)] for p in group["params"]]
        groups.append(packed)
    state = {index[id(k)] if isinstance(k, Tensor) else k: v for k, v in optimizer.state.items()}
    return {"state": state, "param_groups": groups}


def unpack(optimizer: Any, state_dict: dict[str, Any]) -> dict[str, Any]:
    """State and groups for the optimizer from a state dict, which stays as it is."""
    groups, saved = optimizer.param_groups, deepcopy(state_dict["param_groups"])
    if len(groups) != len(saved):
        raise ValueError(
            "loaded state dict has a different number of parameter groups: "
            f"{len(saved)}, and the optimizer has {len(groups)}"
        )
    for old, new in zip(groups, saved, strict=True):
        if len(old["params"]) != len(new["params"]):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                f"optimizer's group: {len(new['params'])} and {len(old['params'])} parameters"
            )
    parameter = dict(zip(_all(saved), _all(groups), strict=True))
    state: defaultdict[Any, Any] = defaultdict(dict)
    for key, value in state_dict["state"].items():
        if key in parameter:
            p = parameter[key]
            _check_shapes(optimizer, key, p, value)
            state[p] = _adopt(p, value)
            if "step" in state[p] and not isinstance(state[p]["step"], Tensor):
                state[p]["step"] = step_tensor(state[p]["step"])
        else:
            state[key] = value
    for old, new in zip(groups, saved, strict=True):
        new["params"] = old["params"]
        if "param_names" in old:
            new.setdefault("param_names", old["param_names"])
        for name, default in optimizer.defaults.items():
            new.setdefault(name, default)
    return {"state": state, "param_groups": saved}


def _check_shapes(optimizer: Any, key: Any, p: Tensor, entries: Any) -> None:
    for name in optimizer._param_shaped:
        value = entries.get(name)
        if isinstance(value, Tensor) and value._array.shape != p._array.shape:
            raise ValueError(
                f"loaded state dict has {name!r} of shape {list(value._array.shape)} for "
                f"parameter {key}, whose shape is {list(p._array.shape)}"
            )


def _adopt(p: Tensor, value: Any, key: Any = None) -> Any:
    """A copy with tensors in the parameter's dtype and on its device, but for counters, which stay
    on the CPU."""
    if isinstance(value, Tensor):
        place = cpu if key in COUNTERS else device_of(p._array)
        array = move(value._array, place)
        with at(place):
            if key not in COUNTERS and p.is_floating_point():
                return make(array.astype(p._array.dtype))
            return make(array.copy(order="K"))
    if isinstance(value, dict):
        return {k: _adopt(p, v, k) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_adopt(p, v) for v in value)
    return value


def _all(groups: Iterable[dict[str, Any]]) -> Iterable[Any]:
    return chain.from_iterable(group["params"] for group in groups)
