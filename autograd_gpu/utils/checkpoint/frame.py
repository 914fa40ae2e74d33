"""One checkpointed call: what stands for its saved tensors, and how they are computed again."""

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from ..._core.device import device_of
from ..._core.dtype import of
from ..._core.size import Size
from ..._core.tensor import Tensor, make
from ...autograd.hooks import call
from ...autograd.mutation import version
from ...autograd.passes import notes_of_pass
from ...autograd.saved_hooks import saved_tensors_hooks
from .arguments import Argument, unchanged
from .log import Log
from .settings import group
from .surroundings import Surroundings

__all__ = ["CheckpointError", "Frame"]

_TIP = (
    "To see which operations ran in the forward and in the recomputation, pass `debug=True` to "
    "`checkpoint`, or run it within `set_checkpoint_debug_enabled(True)`."
)


class CheckpointError(RuntimeError):
    """A recomputation did not save what the forward saved, or is asked for a tensor twice."""


class _Holder:
    """What a node holds instead of a tensor: its number among those that the forward saved."""

    __slots__ = ("__weakref__", "index")

    def __init__(self, index: int) -> None:
        self.index = index


class _Enough(BaseException):
    """All that is needed was computed again. No Exception: the function must not catch it."""

    def __init__(self, run: "_Run") -> None:
        self.run = run


class _Run:
    """One recomputation: how many tensors it has saved, and those that nobody fetched yet, each
    with its number of writes."""

    __slots__ = ("count", "values")

    def __init__(self) -> None:
        self.count = 0
        self.values: dict[int, tuple[Any, int]] = {}


class Frame:
    """Where the forward saved a tensor, its node holds a `_Holder` and the frame's `unpack`; the
    frame knows the holders weakly, so it goes when the last node that needs it has run.

    A recomputation serves one pass. Its arrays lie in the notes of that pass, not here, so that
    nothing outlives it.
    """

    __slots__ = (
        "__weakref__", "arguments", "around", "complete", "context", "early_stop", "forms",
        "function", "holders", "kwargs", "log", "unsure",
    )  # fmt: skip

    function: Callable
    arguments: list
    kwargs: dict
    around: Surroundings
    context: Any

    def __init__(self) -> None:
        self.holders: list[weakref.ref[_Holder]] = []
        self.forms: list | None = None  # of each saved tensor; None: they are not compared
        self.log: Log | None = None
        self.early_stop, self.complete, self.unsure = True, False, False

    def hold(self, function: Callable, args: tuple, kwargs: dict, around: Surroundings) -> None:
        """What is to be called, and all that it depends on."""
        self.function, self.kwargs, self.around = function, kwargs, around
        self.arguments = [Argument(a) if isinstance(a, Tensor) else a for a in args]

    def hooks(self) -> saved_tensors_hooks:
        """The context of the forward."""
        return saved_tensors_hooks(self.pack, self.unpack)

    def pack(self, t: Tensor) -> _Holder:
        """The forward saves a tensor: only its number and its form are kept."""
        holder = _Holder(len(self.holders))
        self.holders.append(weakref.ref(holder))
        if self.forms is not None:
            self.forms.append(_form(t._array))
        return holder

    def unpack(self, holder: _Holder) -> Tensor:
        """Backward needs a tensor: the first one of a pass has all of them computed."""
        # As few Python frames as can be: nested checkpoints come through here within each other.
        runs = _runs_now()
        run = None if runs is None else runs.get(self)
        try:
            if run is None:
                run = self._recompute()
                if runs is not None:
                    runs[self] = run
            if holder.index not in run.values:
                raise CheckpointError(
                    "torch.utils.checkpoint: Unpack is being triggered for a tensor that was "
                    "already unpacked once. It was freed then: read ctx.saved_tensors only once in "
                    "a backward, and keep what it gives."
                )
        except CheckpointError as error:
            if self.log is None:
                raise
            raise CheckpointError(f"{error}\n{self.log.text()}") from error
        array, count = run.values.pop(holder.index)
        unchanged(array, count, "which a checkpointed function had saved before it wrote there")
        return make(array)

    def _recompute(self) -> _Run:
        """Call the function again, and keep what it saves. Every mode and generator is as before
        when it ends, also by an error."""
        run = _Run()
        args = [a.again() if isinstance(a, Argument) else a for a in self.arguments]
        try:
            with self._keeping(run), self.around.restored(), self.context:
                call(partial(self.function, *args, **self.kwargs), True)
        except _Enough as enough:
            if enough.run is not run:
                raise
        self._compare(run)
        return run

    def _keeping(self, run: _Run) -> saved_tensors_hooks:
        def pack(t: Tensor) -> Tensor:
            index, array = run.count, t._array
            run.count += 1
            if index < len(self.holders):
                # A node that went in the meantime (a pass within the forward) needs nothing.
                if self.holders[index]() is not None:
                    run.values[index] = array, version(array)
                if self.early_stop and run.count == len(self.holders):
                    raise _Enough(run)
            elif self.complete:
                raise CheckpointError(
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than "
                    f"during the original forward pass, which saved {len(self.holders)}.\n{_TIP}"
                )
            else:
                # A pass within the forward, which has saved only a part as yet.
                self.unsure = True
            return make(array)

        return saved_tensors_hooks(pack, _same)

    def _compare(self, run: _Run) -> None:
        """CheckpointError where the recomputation saved other tensors than the forward."""
        if self.unsure:
            return
        if run.count != len(self.holders):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the "
                "original forward and recomputation.\n"
                f"Number of tensors saved during forward: {len(self.holders)}\n"
                f"Number of tensors saved during recomputation: {run.count}\n{_TIP}"
            )
        if self.forms is None:
            return
        differing = [
            f"tensor at position {i}:\nsaved metadata: {_words(self.forms[i])}\n"
            f"recomputed metadata: {_words(_form(array))}\n"
            for i, (array, _) in run.values.items()
            if _form(array) != self.forms[i]
        ]
        if differing:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                f"different metadata than during the forward pass.\n{''.join(differing)}{_TIP}"
            )


def _runs_now() -> Any:
    """Where recomputations of this moment are kept: frame -> _Run. None outside of passes."""
    if group.current is not None:
        return group.current.runs
    notes = notes_of_pass()
    if notes is None:
        return None
    return notes.kept.setdefault(Frame, weakref.WeakKeyDictionary())


def _same(value: Tensor) -> Tensor:
    return value


def _form(array: Any) -> tuple:
    return array.shape, array.dtype, device_of(array)


def _words(form: tuple) -> dict[str, Any]:
    return {"shape": Size(form[0]), "dtype": of(form[1]), "device": form[2]}
