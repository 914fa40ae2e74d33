"""A module's state as a dict of tensors: saving, and loading that checks before it writes."""
from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from ...autograd.hooks import RemovableHandle
from ._conversions import Conversions
from ._hook_tables import Hook, HookTable, add_hook
from ._loading import IncompatibleKeys, Loading, current, mismatch

EXTRA_STATE = "_extra_state"


class ModuleHook:
    """A pre-hook of loading that is also given its module."""

    def __init__(self, hook: Hook) -> None:
        self.hook = hook

    def __call__(self, module: Any, *args: Any) -> Any:
        return self.hook(module, *args)


class PublicHook:
    """A post-hook of `state_dict` in the public form: it changes the dict and returns None."""

    def __init__(self, hook: Hook) -> None:
        self.hook = hook

    def __call__(self, *args: Any) -> None:
        if self.hook(*args) is not None:
            raise RuntimeError("state_dict post-hook must return None")


class State(Conversions):
    """The part of `Module` that saves and loads."""

    _version: int = 1
    _state_hooks: dict[str, Any] | None = None
    _state_dict_hooks = HookTable("_state_hooks")
    _state_dict_pre_hooks = HookTable("_state_hooks")
    _load_state_dict_pre_hooks = HookTable("_state_hooks")
    _load_state_dict_post_hooks = HookTable("_state_hooks")

    # Saving -------------------------------------------------------------------------------------

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """An ordered dict {dotted path: tensor} of all parameters and persistent buffers.

        The tensors share memory with the module and are detached, unless `keep_vars`. Entries are
        added to `destination`, where given, with `prefix` before each path. Its attribute
        `_metadata` has a version for each module.
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead: "
                "state_dict(destination=..., prefix=..., keep_vars=...)",
                FutureWarning,
                stacklevel=2,
            )
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and not keep_vars else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            replaced = hook(self, destination, prefix, metadata)
            destination = destination if replaced is None else replaced
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own state into `destination`; subclasses may do more or other."""
        for name, tensor in self._own_state():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not State.get_extra_state:
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    def _own_state(self) -> Iterator[tuple[str, Any]]:
        yield from ((name, p) for name, p in self._parameters.items() if p is not None)
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                yield name, buffer

    def get_extra_state(self) -> Any:
        """What else belongs into the state dict; a class that defines this is asked for it."""
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called: "
            "a class that has extra state defines get_extra_state() and set_extra_state()."
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave; called by `load_state_dict`."""
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called: "
            "a class that has extra state defines get_extra_state() and set_extra_state()."
        )

    # Loading ------------------------------------------------------------------------------------

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy the values of a state dict into this module's parameters and buffers.

        strict: keys must match exactly (RuntimeError otherwise). assign: take over the tensors
        themselves, with their dtype and device, where else their values are copied.
        Returns the missing and the unexpected keys.

        Everything is checked before anything is written: after an error (RuntimeError that lists
        all that does not fit, TypeError for what is no mapping) the module is as it was.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None)
        state: Any = OrderedDict(state_dict)
        if metadata is not None:
            state._metadata = metadata
        with Loading(metadata or {}, assign) as loading:
            loading.visit(self, state, "")
            loading.require(type(self).__name__, strict)
        return loading.keys

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Check this module's own part of a state dict, and write it or have it written.

        What does not fit is appended to the three lists. Subclasses may override this; see
        `Loading` for when the values are written.
        """
        known = (state_dict, prefix, local_metadata, strict)
        for hook in self._load_state_dict_pre_hooks.values():
            own = (self,) if isinstance(hook, ModuleHook) else ()
            hook(*own, *known, missing_keys, unexpected_keys, error_msgs)
        assign = local_metadata.get("assign_to_params_buffers", False)
        own_state = dict(self._own_state())
        for name, target in own_state.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            value, problem = mismatch(key, target, state_dict[key], assign)
            if problem:
                error_msgs.append(problem)
            else:
                current().write(self, name, target, value, assign)
        self._load_extra_state(state_dict, prefix + EXTRA_STATE, strict, missing_keys)
        if strict:
            unexpected_keys.extend(self._unexpected(state_dict, prefix, own_state))

    _load_from_state_dict.writes_nothing_itself = True  # type: ignore[attr-defined]

    def _load_extra_state(
        self, state_dict: dict[str, Any], key: str, strict: bool, missing_keys: list[str]
    ) -> None:
        if type(self).set_extra_state is State.set_extra_state:
            return
        if key in state_dict:
            current().call(self, self.set_extra_state, state_dict[key])
        elif strict:
            missing_keys.append(key)

    def _unexpected(
        self, state_dict: dict[str, Any], prefix: str, own: dict[str, Any]
    ) -> Iterator[str]:
        takes_extra = type(self).set_extra_state is not State.set_extra_state
        for key in state_dict:
            if not key.startswith(prefix):
                continue
            name, dot, _ = key[len(prefix):].partition(".")
            if dot:
                known = name in self._modules
            else:
                known = name in own or (takes_extra and name == EXTRA_STATE)
            if not known:
                yield key

    # Hooks --------------------------------------------------------------------------------------

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` collects."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict`.

        It changes the dict in place and returns None (RuntimeError otherwise).
        """
        return add_hook(self._state_dict_hooks, PublicHook(hook))

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        """The older form of `register_state_dict_post_hook`: the hook may return another dict."""
        if isinstance(hook, PublicHook):
            raise RuntimeError(
                "Cannot register the same function both as a public and as a private hook"
            )
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call a hook before this module's part of a state dict is loaded.

        `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
        error_msgs)` may change the dict (it is a copy) and append to the lists.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(
        self, hook: Hook, with_module: bool = False
    ) -> RemovableHandle:
        """The older form of `register_load_state_dict_pre_hook`: without the module."""
        entry = ModuleHook(hook) if with_module else hook
        return add_hook(self._load_state_dict_pre_hooks, entry)

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` when this module and all below it are loaded.

        It may change the two lists in place, so as to forgive what is missing or unexpected.
        """
        return add_hook(self._load_state_dict_post_hooks, hook)

