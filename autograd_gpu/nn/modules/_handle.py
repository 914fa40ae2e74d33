"""The handle that a registration gives back: it takes the hook out again."""
from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

__all__ = ["RemovableHandle"]

next_id = itertools.count().__next__


class RemovableHandle:
    """Removes a hook from the ordered dict it was put in, by `remove()` or at the end of `with`.

    hooks_dict: where the hook lives, under the handle's `id`. extra_dict: further dicts that
    mark this id. All are held weakly: a handle keeps no module alive.
    """

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.id = next_id()
        extra: Iterable[Any] = () if extra_dict is None else extra_dict
        if isinstance(extra_dict, OrderedDict):
            extra = (extra_dict,)
        self._dicts = [weakref.ref(table) for table in (hooks_dict, *extra)]

    def remove(self) -> None:
        """Take the hook out; a second call does nothing."""
        for reference in self._dicts:
            table = reference()
            if table is not None:
                table.pop(self.id, None)

    def __getstate__(self) -> tuple[int, list[Any]]:
        return self.id, [reference() for reference in self._dicts]

    def __setstate__(self, state: tuple[int, list[Any]]) -> None:
        self.id, tables = state
        self._dicts = [weakref.ref(OrderedDict() if t is None else t) for t in tables]

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()
