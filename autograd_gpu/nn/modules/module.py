"""Module: the base class of layers and nets, put together from its five parts."""
from __future__ import annotations

from ._hook_tables import (
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from ._state import State

__all__ = [
    "Module",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]


class Module(State):
    """A piece of a net: parameters, buffers and submodules, and a `forward` that uses them.

    A subclass calls `super().__init__()` first, then assigns its parts as attributes, and defines
    `forward`. Calling the module runs `forward` and the hooks around it.

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.hidden = nn.Linear(2, 16)
                self.out = nn.Linear(16, 1)

            def forward(self, x):
                return self.out(self.hidden(x).tanh())

    The code, from the bottom up: `_attributes` (what is stored, and what assignment means),
    `_calling` (calls and their hooks), `_tree` (walking, modes, printing), `_conversions` (dtype
    and device), `_state` (saving and loading).
    """
