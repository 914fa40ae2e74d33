"""Optimizer: parameter groups, the step with its hooks, and what every optimizer shares."""

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from .._core.state import modes, tick
from .._core.tensor import Tensor
from .._ops import observe
from ..autograd.hooks import RemovableHandle
from ..autograd.mutation import record_write
from ..autograd.node import AccumulateGrad
from ..autograd.saving import before_write, before_writes
from . import _state
from ._sweep import Scratch

__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
    "required",
]

required = _state.REQUIRED
"""The default of an option that every parameter group must give."""

_global_pre: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_post: OrderedDict[int, Callable[..., Any]] = OrderedDict()


def _register(hooks: OrderedDict[int, Any], hook: Any, prepend: bool = False) -> RemovableHandle:
    key = tick()
    hooks[key] = hook
    if prepend:
        hooks.move_to_end(key, last=False)
    return RemovableHandle(hooks, key)


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` before every step of every optimizer."""
    return _register(_global_pre, hook)


def register_optimizer_step_post_hook(hook: Callable[..., None]) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` after every step of every optimizer."""
    return _register(_global_post, hook)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """The step with the hooks around it, and the note that a scheduler looks for."""

    @functools.wraps(step)
    def hooked(self: "Optimizer", *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        pre, post = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
        if not (pre or post or _global_pre or _global_post):
            return step(self, *args, **kwargs)
        args = (self, *args)
        for hook in [*_global_pre.values(), *pre.values()]:
            changed = hook(self, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(
                    f"{step} must return None or a tuple of (new_args, new_kwargs), "
                    f"but got {changed}."
                )
            args, kwargs = changed
        out = step(*args, **kwargs)
        for hook in [*post.values(), *_global_post.values()]:
            hook(self, args, kwargs)
        return out

    return hooked


def _titled(what: str) -> Callable[[tuple], str]:
    """What a profile calls a step."""
    return lambda args: f"Optimizer.{what}#{type(args[0]).__name__}.{what}"


def _a_parameter(args: tuple) -> tuple:
    return tuple(p for group in args[0].param_groups[:1] for p in group["params"][:1])


class Optimizer:
    """Base of all optimizers: holds parameters in groups, each group with its own options.

    `params`: Tensors, `(name, Tensor)` pairs, or dicts with the key "params" and options that
    differ from `defaults`. `state` maps a parameter to what the method remembers of it.

    Raises TypeError for what is not an ordered collection of Tensors, ValueError for no
    parameter, a non-leaf, or one that is given twice.
    """

    defaults: dict[str, Any]
    state: defaultdict[Any, Any]
    param_groups: list[dict[str, Any]]
    _param_shaped: tuple[str, ...] = ()  # state entries that have the parameter's shape

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]
            observe.offer(cls.step, _titled("step"), place=_a_parameter)

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or "
                f"dicts, but got {type(params).__name__} of dtype {params.dtype}"
            )
        self.defaults = defaults
        self.state = defaultdict(dict)
        self.param_groups = []
        self._prepare()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _prepare(self) -> None:
        """What is made anew in each process: hooks and scratch memory are not pickled."""
        self._optimizer_step_pre_hooks: OrderedDict[int, Any] = OrderedDict()
        self._optimizer_step_post_hooks: OrderedDict[int, Any] = OrderedDict()
        self._optimizer_state_dict_pre_hooks: OrderedDict[int, Any] = OrderedDict()
        self._optimizer_state_dict_post_hooks: OrderedDict[int, Any] = OrderedDict()
        self._optimizer_load_state_dict_pre_hooks: OrderedDict[int, Any] = OrderedDict()
        self._optimizer_load_state_dict_post_hooks: OrderedDict[int, Any] = OrderedDict()
        self._scratch = Scratch()
        self._opt_called = False

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_scratch" not in self.__dict__:
            self._prepare()
        self.__dict__.update(state)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join(lines) + "\n)"

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with the defaults for the options that the dict does not give.

        Raises TypeError or ValueError as the constructor does; nothing has changed then.
        """
        _state.add_group(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: `p.grad = None`, or fill them with zeros in place."""
        for group in self.param_groups:
            for p in group["params"]:
                edge = p._edge
                if set_to_none and isinstance(edge, AccumulateGrad):
                    edge.grad = None  # what the property does, without its cost
                elif set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    if modes:
                        before_write(p.grad)
                    p.grad._edge = None  # detached in place: `p.grad` stays the same object
                    p.grad._array[...] = 0
                    record_write(p.grad._array)

    def _before_step(self, group: dict[str, Any]) -> None:
        """Called where a rare mode is in force: the parameters of a group, and what belongs to
        them, are about to be written."""
        for p in group["params"]:
            if p.grad is not None:
                state = self.state.get(p, {}).values()
                before_writes([p, *(v for v in state if isinstance(v, Tensor))])

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once; `closure` computes loss and gradients anew."""
        raise NotImplementedError(f"{type(self).__name__} does not define step()")

    def state_dict(self) -> dict[str, Any]:
        """`{"state": {index: {...}}, "param_groups": [...]}`, parameters by their number."""
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        result = _state.pack(self)
        for hook in self._optimizer_state_dict_post_hooks.values():
            result = _or(hook(self, result), result)
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave (PyTorch's too); copies the tensors.

        Raises ValueError where groups or shapes differ; nothing has changed then.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            state_dict = _or(hook(self, state_dict), state_dict)
        self.__setstate__(_state.unpack(self, state_dict))
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before a step; it may return both anew."""
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after a step."""
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict()`."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` after `state_dict()`; it may return another one."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` before loading; it may return another one."""
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., None], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(optimizer)` after loading."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


observe.offer(Optimizer.zero_grad, _titled("zero_grad"), place=_a_parameter)
