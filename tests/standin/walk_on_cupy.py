"""The walk over the table of ops on CuPy itself, whose driver does nothing: what raises is printed.

Kernels do not run, so results are zeros, and nothing can be said of values. Everything else is
CuPy's own: its functions, its arrays, its `Function` that packs our kernels' arguments.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

from .null_driver import null_cupy


def failures(dtype: str) -> Iterator[str]:
    """"op: error" of every sample, forward and backward, that works on the CPU and not on CuPy."""
    import autograd_gpu as ag
    from autograd_gpu._ops.samples import Maker, samples_of
    from autograd_gpu._ops.table import REGISTRY
    from autograd_gpu.testing.parity import moved_to_device

    def run(entry: Any, args: Any, kwargs: Any) -> None:
        results = entry.function(*args, **kwargs)
        results = results if isinstance(results, (list, tuple)) else [results]
        outs = [r for r in results if isinstance(r, ag.Tensor) and r.requires_grad]
        leaves = [a for a in args if isinstance(a, ag.Tensor) and a.requires_grad]
        if outs and leaves:
            seeds = [ag.ones_like(o) for o in outs]
            ag.autograd.grad(outs, leaves, seeds, allow_unused=True)

    for entry in REGISTRY.values():
        try:
            samples = list(samples_of(entry, Maker(dtype)))
            for args, kwargs in samples:
                run(entry, args, kwargs)
        except Exception:
            continue  # not of this type
        for args, kwargs in samples:
            moved = moved_to_device(list(args)), {k: moved_to_device(v) for k, v in kwargs.items()}
            try:
                run(entry, tuple(moved[0]), moved[1])
            except Exception as error:
                text = str(error).splitlines()[0] if str(error) else ""
                yield f"{entry.name}: {type(error).__name__}: {text}"


if __name__ == "__main__":
    cupy = null_cupy()
    from autograd_gpu._core import library

    library.install(cupy).check_indices = False  # the answer would be a zero, read back
    for line in failures(sys.argv[1]):
        print(line)
    print("done", flush=True)
    os._exit(0)  # CuPy's destructors would meet libraries that are no more
