"""Launches every kernel of the manifest with small inputs: `python bench/_every_kernel.py
[--dtypes float32,float16] [--dry-run] [--ops tanh ...]`, to be run under compute-sanitizer.

Elementwise kernels by their launching functions, in every form and in both layouts; the others
through the ops that they belong to, forward and backward. Every array is an allocation of its own.
A dry run is on the stand-in, with every access watched.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from _stages import device  # noqa: E402

import autograd_gpu as ag  # noqa: E402
from autograd_gpu._core.library import LAUNCHERS  # noqa: E402
from autograd_gpu._core.manifest import KERNELS  # noqa: E402
from autograd_gpu._ops.samples import Maker, samples_of  # noqa: E402
from autograd_gpu._ops.table import REGISTRY  # noqa: E402
from autograd_gpu.testing.parity import moved_to_device  # noqa: E402


def elementwise(xp: Any, dtypes: list[str], only: list[str] | None) -> int:
    """Every form of every elementwise kernel; how many launches there were."""
    import numpy as np

    from tests.kernels.cases import ELEMENTWISE, B, S, fill, normal, patterns

    many = 0
    for name in ELEMENTWISE:
        for dtype in set(dtypes) & set(KERNELS[name].dtypes) if not only or name in only else ():
            for pattern in patterns(name, dtype):
                for shape, turned in (((1100,), 0), ((1,), 0), ((), 0), ((5, 3, 7), 1)):

                    def make(k: int, kind: str, shape=shape, turned=turned, dtype=dtype) -> Any:
                        of = "bool" if kind == B else dtype
                        array = xp.from_host(np.asarray(normal(() if kind == S else shape, of, k)))
                        return array.transpose(2, 0, 1) if turned and array.ndim else array

                    LAUNCHERS[name](xp, *fill(pattern, make))
                    many += 1
    return many


def ops(dtypes: list[str], only: list[str] | None) -> int:
    """Every op that has samples, and its gradients; how many calls there were."""
    many = 0
    for name, entry in sorted(REGISTRY.items()):
        for dtype in dtypes if not only or name in only else ():
            kind = ag.zeros(0, dtype=getattr(ag, dtype)).dtype.numpy
            try:
                calls = samples_of(entry, Maker(kind))
            except (TypeError, RuntimeError, NotImplementedError):  # none in this dtype
                continue
            for args, kwargs in calls:
                many += _call(entry, args, kwargs)
    return many


def _call(entry: Any, args: tuple, kwargs: dict) -> int:
    moved = [moved_to_device(a) for a in args]
    options = {k: moved_to_device(v) for k, v in kwargs.items()}
    try:
        results = list(_tensors(entry.function(*moved, **options)))
    except (RuntimeError, TypeError, NotImplementedError):  # not in this dtype
        return 0
    inputs = [t for t in _tensors([moved, options]) if t.requires_grad]
    roots = [r for r in results if r.requires_grad]
    if roots and inputs:
        seeds = [ag.ones_like(r) for r in roots]
        ag.autograd.grad(roots, inputs, seeds, allow_unused=True)
    return 1


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, ag.Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from _tensors(v)


FILLS = ("uniform_", "normal_", "exponential_", "bernoulli_", "cauchy_", "log_normal_")


def nets(dtype: Any) -> None:
    """Sizes that need a second launch, a block for a row, or columns."""
    nn = ag.nn
    for shape, norm in (
        ((600, 5), nn.BatchNorm1d(5)), ((4, 3, 40, 41), nn.BatchNorm2d(3)),
        ((3, 64, 2), nn.BatchNorm1d(64)), ((700, 33), nn.LayerNorm(33)),
        ((40, 2000), nn.LayerNorm(2000)), ((700, 33), nn.RMSNorm(33)),
        ((3, 8, 9), nn.GroupNorm(2, 8)),
    ):  # fmt: skip
        x = ag.ones(shape, dtype=dtype, device="cuda", requires_grad=True)
        norm.to(dtype).to("cuda")(x).sum().backward()
    scores = ag.ones(3000, 7, dtype=dtype, device="cuda", requires_grad=True)
    classes = ag.arange(3000, device="cuda") % 7
    nn.functional.cross_entropy(scores, classes).backward()
    nn.functional.nll_loss(scores, classes).backward()
    rows = ag.ones(3000, 40, dtype=dtype, device="cuda")
    for source in (rows, rows[:, :1], rows[:, :3]):
        target = ag.zeros(7, source.shape[1], dtype=dtype, device="cuda")
        for determined in (False, True):
            ag.use_deterministic_algorithms(determined)
            target.index_add(0, classes, source)
        ag.use_deterministic_algorithms(False)
        for how in ("amax", "amin", "prod"):
            target.index_reduce(0, classes, source, how)


def steps(dtypes: list[str]) -> None:
    """What is launched by no op: optimizers, clipping, random numbers."""
    o = ag.optim
    makers = [
        lambda p: o.SGD(p, 0.1, momentum=0.9, nesterov=True), lambda p: o.Adam(p, amsgrad=True),
        lambda p: o.AdamW(p), lambda p: o.RMSprop(p, centered=True, momentum=0.9),
    ]  # fmt: skip
    for dtype in (getattr(ag, d) for d in dtypes):
        for make in makers:
            options = {"dtype": dtype, "device": "cuda", "requires_grad": True}
            parameters = [ag.ones(shape, **options) for shape in [(5,), (40, 41), ()]]
            optimizer = make(parameters)
            for _ in range(2):
                for p in parameters:
                    p.grad = ag.ones_like(p)
                for kind in (1.0, 2.0, 3.0, float("inf")):
                    ag.nn.utils.clip_grad_norm_(parameters, 0.5, kind)
                ag.nn.utils.clip_grad_value_(parameters, 0.2)
                optimizer.step()
        x = ag.empty(1001, dtype=dtype, device="cuda")
        for fill in FILLS:
            getattr(x, fill)()
        ag.nn.functional.dropout(x, 0.3)
        nets(dtype)
    for n in (1, 7, 5000):
        ag.randperm(n, device="cuda")
        ag.randint(100, (n,), device="cuda")


def main() -> int:
    parser = argparse.ArgumentParser(description="Launch every kernel.")
    parser.add_argument("--dtypes", default="float32,float16")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--ops", nargs="+")
    options = parser.parse_args()
    dtypes = options.dtypes.split(",")
    with ExitStack() as stack:
        xp = stack.enter_context(device(options.dry_run))
        if options.dry_run:
            stack.enter_context(xp.module.running(checked=True, guarded=True))
        else:
            xp.module.cuda.set_allocator(None)  # so that a step beyond an array is seen
        launches = elementwise(xp, [*dtypes, "int64", "bool"], options.ops)
        called = ops(dtypes, options.ops)
        if not options.ops:
            steps(dtypes)
        ag.cuda.synchronize()
        used = {key[0] for key in xp.instances if key[0] in KERNELS}
    missing = sorted(set(KERNELS) - used)
    print(
        f"launched {len(used)} of {len(KERNELS)} kernels, by {launches} calls of their own and "
        f"{called} of ops" + (f"; not {', '.join(missing)}" if missing and not options.ops else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
