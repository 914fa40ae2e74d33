"""One `load_state_dict`: what is found wrong, and what is to be written when nothing is."""
from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from ..._core.tensor import Tensor
from ...autograd.grad_mode import no_grad
from ..parameter import Parameter

__all__ = ["IncompatibleKeys", "Loading", "current", "mismatch"]

active = threading.local()


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` returns: the keys the module misses and those it does not know."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"_IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


class Loading:
    """The walk over the modules, and its two ways of writing.

    A value is checked when its module is visited and written when the whole walk has found
    nothing wrong, so that a failed load changes nothing and costs no memory. Some modules cannot
    wait: a class that overrides `_load_from_state_dict` may read what `super()` has loaded, and a
    post-hook sees its module loaded (and may forgive missing keys, so it must run before the
    verdict). For these the value is written at once, and the old one kept to be put back.
    """

    def __init__(self, metadata: dict[str, Any], assign: bool) -> None:
        self.metadata, self.assign = metadata, assign
        self.keys = IncompatibleKeys([], [])
        self.error_msgs: list[str] = []
        self.later: list[Callable[[], None]] = []
        self.undo: list[Callable[[], None]] = []
        self.at_once = False

    def __enter__(self) -> Self:
        self.outer = getattr(active, "loading", None)
        active.loading = self
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        active.loading = self.outer
        if error is None:
            for write in self.later:
                write()
        else:
            for restore in reversed(self.undo):
                restore()

    def visit(self, module: Any, state: dict[str, Any], prefix: str) -> None:
        """Check and load one module's part of the state, then that of those below it."""
        metadata = dict(self.metadata.get(prefix[:-1], {}))
        if self.assign:
            metadata["assign_to_params_buffers"] = True
        outside = self.at_once
        has_hooks = bool(module._state_hooks) and bool(module._load_state_dict_post_hooks)
        waits = getattr(module._load_from_state_dict, "writes_nothing_itself", False)
        self.at_once = outside or has_hooks or not waits
        module._load_from_state_dict(
            state, prefix, metadata, True, *self.keys, self.error_msgs
        )
        self.at_once = outside or has_hooks
        for name, child in module._modules.items():
            if child is not None:
                path = f"{prefix}{name}."
                part = {key: value for key, value in state.items() if key.startswith(path)}
                self.visit(child, part, path)
        self.at_once = outside
        for hook in module._load_state_dict_post_hooks.values() if has_hooks else ():
            if hook(module, self.keys) is not None:
                raise AssertionError(
                    "a hook registered with register_load_state_dict_post_hook must not return "
                    "new values: change the lists of incompatible_keys in place"
                )

    def write(self, module: Any, name: str, target: Tensor, value: Any, assign: bool) -> None:
        """Write a checked value into a parameter or buffer: at once, or when all is checked."""
        if not self.at_once:
            self.later.append(lambda: put(module, name, target, value, assign))
            return
        if assign:
            self.undo.append(lambda: setattr(module, name, target))
        else:
            old = target.detach().clone()
            self.undo.append(lambda: copy(target, old))
        put(module, name, target, value, assign)

    def call(self, module: Any, function: Callable[[Any], None], argument: Any) -> None:
        """Call a setter: at once, or when all is checked."""
        if self.at_once:
            function(argument)
        else:
            self.later.append(lambda: function(argument))

    def require(self, name: str, strict: bool) -> None:
        """Raise the RuntimeError that lists everything found wrong, if anything was."""
        errors = list(self.error_msgs)
        for title, keys in (("Unexpected", self.keys.unexpected_keys),
                            ("Missing", self.keys.missing_keys)):
            if strict and keys:
                listed = ", ".join(f'"{key}"' for key in keys)
                errors.insert(0, f"{title} key(s) in state_dict: {listed}. ")
        if errors:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {name}:\n\t" + "\n\t".join(errors)
            )


class Direct(Loading):
    """For a `_load_from_state_dict` that is called outside `load_state_dict`: writes at once."""

    def write(self, module: Any, name: str, target: Tensor, value: Any, assign: bool) -> None:
        put(module, name, target, value, assign)

    def call(self, module: Any, function: Callable[[Any], None], argument: Any) -> None:
        function(argument)


def current() -> Loading:
    """The load that is going on in this thread."""
    return getattr(active, "loading", None) or Direct({}, False)


def put(module: Any, name: str, target: Tensor, value: Any, assign: bool) -> None:
    """Copy a value into a parameter or buffer, or with `assign` register it in its place."""
    if not assign:
        copy(target, value)
        return
    if isinstance(target, Parameter):
        if isinstance(value, Parameter):
            value.requires_grad_(target.requires_grad)
        else:
            value = Parameter(value, requires_grad=target.requires_grad)
    setattr(module, name, value)


def copy(target: Any, value: Any) -> None:
    """Write the values in place: identity, dtype and device of the target stay."""
    with no_grad():
        target.copy_(value)


def mismatch(key: str, target: Tensor, value: Any, assign: bool) -> tuple[Any, str]:
    """The value as it is to be written, and what is wrong with it ("" if nothing)."""
    if not isinstance(value, Tensor):
        return value, (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
            f"object from checkpoint but received {type(value)}"
        )
    if target.ndim == 0 and tuple(value.shape) == (1,):
        value = value.reshape(())            # files from before there were 0-d tensors
    if tuple(value.shape) != tuple(target.shape):
        return value, (
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
            f"the shape in current model is {target.shape}."
        )
    trained = isinstance(target, Parameter) and target.requires_grad
    if assign and trained and not (value.is_floating_point() or value.is_complex()):
        return value, (
            f'While copying the parameter named "{key}", whose dimensions in the model are '
            f"{target.shape} and whose dimensions in the checkpoint are {value.shape}, an "
            "exception occurred : ('Only Tensors of floating point and complex dtype can "
            "require gradients',)."
        )
    return value, ""
