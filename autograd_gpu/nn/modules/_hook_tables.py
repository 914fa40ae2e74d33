"""Where hooks on modules live: tables made on demand, and the hooks on every module."""
from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ...autograd.hooks import RemovableHandle

Hook = Callable[..., Any]
Table = OrderedDict[int, Any]


class HookTable:
    """An attribute that is an ordered dict {id: hook}, made when it is first asked for.

    Most modules never have a hook. Their class attribute `slot` stays None, which is one test in
    a call; the tables share one dict in the instance once any of them is touched, and from then
    on a call looks into them. So a table may be changed in any way a dict can.
    """

    def __init__(self, slot: str, default: Callable[[], Any] = OrderedDict) -> None:
        self.slot = slot
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, module: Any, owner: type | None = None) -> Any:
        if module is None:
            return self
        tables = self._tables(module)
        if self.name not in tables:
            tables[self.name] = self.default()
        return tables[self.name]

    def __set__(self, module: Any, value: Any) -> None:
        self._tables(module)[self.name] = value

    def _tables(self, module: Any) -> dict[str, Any]:
        tables: dict[str, Any] | None = module.__dict__.get(self.slot)
        if tables is None:
            tables = module.__dict__[self.slot] = {}
        return tables


next_id = itertools.count().__next__


class FlaggedHandle(RemovableHandle):
    """A handle whose hook's id is also marked in other tables: `remove()` takes it out of all."""

    def __init__(self, table: Table, key: int, flags: tuple[Table, ...]) -> None:
        super().__init__(table, key)
        self.flags = flags

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        for table in (self.table, *self.flags):
            table.pop(self.id, None)


def add_hook(
    table: Table, hook: Any, *, flags: tuple[Table, ...] = (), prepend: bool = False
) -> RemovableHandle:
    """Put a hook into a table, its id into each of `flags`; the handle takes all of them out."""
    key = next_id()
    table[key] = hook
    for flag in flags:
        flag[key] = True
    if prepend:
        table.move_to_end(key, last=False)
    return FlaggedHandle(table, key, flags)


# Hooks on every module. `everywhere` has the id of each of them that runs in a call: while it is
# empty a call need not look at the tables.
everywhere: Table = OrderedDict()
forward_pre_hooks: Table = OrderedDict()
forward_hooks: Table = OrderedDict()
forward_hooks_with_kwargs: Table = OrderedDict()
forward_hooks_always_called: Table = OrderedDict()
backward_pre_hooks: Table = OrderedDict()
backward_hooks: Table = OrderedDict()
last_node_hooks: Table = OrderedDict()
registrations: dict[str, Table] = {
    "parameter": OrderedDict(), "buffer": OrderedDict(), "module": OrderedDict()
}


def registration_hooks(kind: str, module: Any, name: str, value: Any) -> Any:
    """Let the global registration hooks replace a value that a module is about to register."""
    for hook in registrations[kind].values():
        result = hook(module, name, value)
        if result is not None:
            value = result
    return value


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, name, parameter)` when any module registers a parameter.

    What the hook returns, unless None, is registered in its place.
    """
    return add_hook(registrations["parameter"], hook)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, name, buffer)` when any module registers a buffer.

    What the hook returns, unless None, is registered in its place.
    """
    return add_hook(registrations["buffer"], hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, name, submodule)` when any module registers a submodule.

    What the hook returns, unless None, is registered in its place.
    """
    return add_hook(registrations["module"], hook)


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, args)` before the forward of every module; it may return new args."""
    return add_hook(forward_pre_hooks, hook, flags=(everywhere,))


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call `hook(module, args, output)` after the forward of every module.

    It may return a new output. With `with_kwargs` it is called as `hook(module, args, kwargs,
    output)`; with `always_call` also when the forward raised.
    """
    flags = [everywhere]
    if with_kwargs:
        flags.append(forward_hooks_with_kwargs)
    if always_call:
        flags.append(forward_hooks_always_called)
    return add_hook(forward_hooks, hook, flags=tuple(flags))


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, grad_output)` when the gradients of any module's outputs are known."""
    return add_hook(backward_pre_hooks, hook, flags=(everywhere,))


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` when any module's gradients are known.

    RuntimeError while there are global hooks of the old form.
    """
    _choose_global(full=True)
    return add_hook(backward_hooks, hook, flags=(everywhere,))


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` at the last node of every module's forward.

    The old form: see `Module.register_backward_hook`. RuntimeError once there was a global hook of
    the full form.
    """
    _choose_global(full=False)
    return add_hook(last_node_hooks, hook, flags=(everywhere,))


_global_kind: list[bool] = []  # which form of global backward hooks was ever registered


def _choose_global(full: bool) -> None:
    if _global_kind and _global_kind[0] is not full:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module "
            "hook. Please use only one of them."
        )
    _global_kind[:] = [full]
