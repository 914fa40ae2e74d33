"""Selective checkpoints: a policy says of which operations the results are kept, and not computed
again."""

import enum
from collections.abc import Callable
from typing import Any

from ..._ops.again import again
from ..._ops.declare import Op
from ..._ops.observe import Gate
from ..._ops.registry import REGISTRY
from .results import Step
from .surroundings import Surroundings
from .watching import Watching

__all__ = [
    "CheckpointPolicy", "SelectiveCheckpointContext", "create_selective_checkpoint_contexts",
]  # fmt: skip


class CheckpointPolicy(enum.Enum):
    """What becomes of an operation's result: it is kept, computed again, or kept in host memory.

    MUST and PREFER differ for compilers only, of which there is none here.
    """

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_SAVE = (CheckpointPolicy.MUST_SAVE, CheckpointPolicy.PREFER_SAVE)
_OFFLOAD = (CheckpointPolicy.MUST_CPU_OFFLOAD, CheckpointPolicy.PREFER_CPU_OFFLOAD)


class SelectiveCheckpointContext:
    """What a policy is told besides the call: `op_output`, its result; `is_recompute` is False,
    since only the forward asks."""

    def __init__(self, *, is_recompute: bool, op_output: Any = None) -> None:
        self.is_recompute, self.op_output = is_recompute, op_output


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Callable | list, allow_cache_entry_mutation: bool = False
) -> tuple[Any, Any]:
    """The contexts of a checkpoint that keeps the results of some operations, such as expensive
    products, for its recomputation.

        context = functools.partial(create_selective_checkpoint_contexts, [nn.functional.linear])
        y = checkpoint(block, x, use_reentrant=False, context_fn=context)

    Args:
        policy_fn_or_list: the functions whose results are to be kept, such as `matmul`. Or
            `policy(ctx, op, *args, **kwargs)`, called after each operation with a
            SelectiveCheckpointContext and the function; it returns a CheckpointPolicy, or True for
            MUST_SAVE, False for PREFER_RECOMPUTE. An operation that is made of others is asked for
            after these, and keeps all of them.
        allow_cache_entry_mutation: do not look whether what was kept has been written in place.

    Views, and what draws random numbers, are always computed again. In backward, RuntimeError for
    the second pass through what was kept; where it was written in place; and where the
    recomputation calls other operations than the forward.

    Raises:
        ValueError: a list that holds anything else.
        TypeError: neither a function nor a list.
    """
    policy: Any = policy_fn_or_list
    if isinstance(policy_fn_or_list, list):
        for function in policy_fn_or_list:
            if REGISTRY.get(getattr(getattr(function, "op", None), "name", "")) is None:
                raise ValueError(
                    "create_selective_checkpoint_contexts(): expected a list of operations, such "
                    f"as autograd_gpu.matmul, but it holds {function!r}"
                )
        chosen = frozenset(policy_fn_or_list)

        def policy(ctx: Any, op: Any, *args: Any, **kwargs: Any) -> bool:
            return op in chosen

    elif not callable(policy_fn_or_list):
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    steps: list[Step] = []
    return _Forward(policy, steps), _Recomputation(steps, allow_cache_entry_mutation)


class _Forward(Watching):
    """The context of the forward: holds what primitive operations give until the policy was asked
    about them and all that they are part of."""

    def __init__(self, policy: Callable, steps: list[Step]) -> None:
        super().__init__(steps)
        self.policy, self.depth, self.asked = policy, 0, 0

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._drop()

    def other(self, gate: Gate, call: Callable, args: tuple, kwargs: dict) -> Any:
        """Its parts come by on their own."""
        first = len(self.steps)
        self.depth += 1
        try:
            result = call(*args, **kwargs)
        finally:
            self.depth -= 1
        return self._ask(gate, args, kwargs, result, first)

    def primitive(self, op: Op, values: tuple, call: Callable, args: tuple, kwargs: dict) -> Any:
        """Do it. What draws random numbers is not held: the generators must move on."""
        before = Surroundings().states
        step = Step(op)
        self.steps.append(step)  # it counts also where it refuses, and something else is tried
        result, known = again(op, values)
        if Surroundings().states == before:
            step.known = known
        return result

    def done(self, gate: Gate, args: tuple, kwargs: dict, result: Any) -> Any:
        """Ask about it alone."""
        return self._ask(gate, args, kwargs, result, len(self.steps) - 1)

    def _ask(self, gate: Gate, args: tuple, kwargs: dict, result: Any, first: int) -> Any:
        choice = None if gate.entry is None else self._choice(gate.entry, args, kwargs, result)
        if choice is True or choice in _SAVE or choice in _OFFLOAD:
            for step in self.steps[first:]:
                step.keep(choice in _OFFLOAD)
        if not self.depth:
            self._drop()
        return result

    def _choice(self, entry: Any, args: tuple, kwargs: dict, result: Any) -> Any:
        """What the policy says; what it computes itself does not come by."""
        context = SelectiveCheckpointContext(is_recompute=False, op_output=result)
        self.inside = True
        try:
            return self.policy(context, entry.function, *args, **kwargs)
        finally:
            self.inside = False

    def _drop(self) -> None:
        """Everybody was asked: what nobody keeps goes."""
        for step in self.steps[self.asked :]:
            if not step.kept:
                step.known = None
        self.asked = len(self.steps)


class _Recomputation(Watching):
    """The context of a recomputation: gives what was kept."""

    def __init__(self, steps: list[Step], mutable: bool) -> None:
        super().__init__(steps)
        self.mutable, self.place = mutable, 0

    def __enter__(self) -> None:
        super().__enter__()
        self.place = 0

    def primitive(self, op: Op, values: tuple, call: Callable, args: tuple, kwargs: dict) -> Any:
        """What it gave in the forward, recorded as the call's result; or the call."""
        step = self.steps[self.place] if self.place < len(self.steps) else None
        if step is None or step.op is not op:
            raise RuntimeError(
                f"{op.name} encountered during backward but not found in storage: operation "
                f"{self.place} of the forward was {step.op.name if step else 'not there'}. The "
                "function must call the same operations both times."
            )
        self.place += 1
        if step.taken:
            raise RuntimeError(
                "Trying to backward an extra time. You are only allowed to backward once on any "
                "region computed under selective activation checkpoint."
            )
        if not step.kept:
            return call(*args, **kwargs)
        return again(op, values, step.take(self.mutable))[0]
