"""What an op costs the host, from its call to the driver: `python bench/launch.py [--rounds N]
[--only NAME ...] [--profile NAME]`.

The arrays are CuPy's, the driver does nothing (tests/standin/null_driver.py), so no GPU is needed
and none would change the numbers much: a small net on a GPU waits for exactly this. Beside each op:
CuPy's own function for it, and PyTorch's op on the CPU on the same 4 elements, which is a dispatch
and little else. One thread, process CPU time, interleaved; medians of rounds, in microseconds.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from _null import quiet_cupy  # noqa: E402

Call = Callable[[], Any]
COLUMNS = ("autograd_gpu", "CuPy", "PyTorch CPU")
GOAL = 3.0


def leaves(lib: Any, device: str, *shapes: tuple[int, ...]) -> list[Any]:
    return [lib.ones(*shape, device=device) for shape in shapes]


def chain(lib: Any, device: str) -> Call:
    """The backward pass of 20 elementwise ops, each with its node."""
    x = lib.ones(4, device=device, requires_grad=True)
    seed = lib.ones(4, device=device)
    y = x
    for _ in range(5):
        y = lib.tanh(y * x + x) - x

    def run() -> None:
        x.grad = None
        y.backward(seed, retain_graph=True)

    return run


def adam(lib: Any, device: str) -> Call:
    parameters = [lib.ones(4, device=device, requires_grad=True) for _ in range(10)]
    for p in parameters:
        p.grad = lib.ones(4, device=device)
    return lib.optim.Adam(parameters, 1e-3).step


def of_arrays(make: Callable[..., Call], *shapes: tuple[int, ...]) -> Any:
    """A case from a function of the library and arrays."""
    return lambda lib, device: make(lib, *leaves(lib, device, *shapes))


CASES: dict[str, tuple[Any, Any]] = {
    "tanh": (of_arrays(lambda lib, x: lambda: lib.tanh(x), (4,)),
             lambda cp, a, m: lambda: cp.tanh(a)),
    "add": (of_arrays(lambda lib, x, y: lambda: x + y, (4,), (4,)),
            lambda cp, a, m: lambda: a + a),
    "mul by a number": (of_arrays(lambda lib, x: lambda: x * 0.5, (4,)),
                        lambda cp, a, m: lambda: a * 0.5),
    "add, broadcast": (of_arrays(lambda lib, x, y: lambda: x + y, (4, 4), (4,)),
                       lambda cp, a, m: lambda: m + a),
    "relu_backward": (of_arrays(lambda lib, x, y: lambda: relu_backward(lib, x, y), (4,), (4,)),
                      lambda cp, a, m: lambda: a * (a > 0)),
    "sum": (of_arrays(lambda lib, x: lambda: x.sum(), (4,)), lambda cp, a, m: lambda: a.sum()),
    "softmax": (of_arrays(lambda lib, x: lambda: lib.softmax(x, -1), (4, 4)), None),
    "layer_norm": (of_arrays(
        lambda lib, x, w: lambda: lib.nn.functional.layer_norm(x, (4,), w, w), (4, 4), (4,)), None),
    "matmul": (of_arrays(lambda lib, x, y: lambda: x @ y, (4, 4), (4, 4)),
               lambda cp, a, m: lambda: m @ m),
    "linear": (of_arrays(
        lambda lib, x, w, b: lambda: lib.nn.functional.linear(x, w, b),
        (4, 4), (4, 4), (4,)), None),
    "cast": (of_arrays(lambda lib, x: lambda: x.to(lib.float64), (4,)),
             lambda cp, a, m: lambda: a.astype("f8")),
    "fill": (lambda lib, device: lambda: lib.zeros(4, device=device),
             lambda cp, a, m: lambda: cp.zeros(4, "f4")),
    "copy": (of_arrays(lambda lib, x: lambda: x.clone(), (4,)), lambda cp, a, m: lambda: a.copy()),
    "add_": (of_arrays(lambda lib, x, y: lambda: x.add_(y), (4,), (4,)),
             lambda cp, a, m: lambda: cp.add(a, a, a)),
    "Adam, 10 parameters": (adam, None),
    "20 ops, backward": (chain, None),
}  # fmt: skip
"""What is timed: of both libraries, and of CuPy, given a vector and a matrix."""


def relu_backward(lib: Any, grad: Any, out: Any) -> Any:
    """What runs in a backward pass, on raw arrays; of PyTorch the op of that name."""
    if lib.__name__ == "torch":
        return lib.ops.aten.threshold_backward(grad, out, 0)
    from autograd_gpu._ops.activation import relu_backward

    return relu_backward(grad._array, out._array)


def calls(name: str, ag: Any, cupy: Any, torch: Any) -> dict[str, Call]:
    """The columns of one line."""
    both, own = CASES[name]
    found = {COLUMNS[0]: both(ag, "cuda")}
    if own is not None:
        found[COLUMNS[1]] = own(cupy, cupy.zeros(4, "f4"), cupy.zeros((4, 4), "f4"))
    if torch is not None:
        found[COLUMNS[2]] = both(torch, "cpu")
    return found


def measure(found: dict[str, Call], rounds: int) -> dict[str, float]:
    """Microseconds a call: medians of rounds, which alternate between the columns."""
    counts = {}
    for name, call in found.items():
        for _ in range(5):
            call()
        start = time.process_time()
        call()
        counts[name] = max(1, min(5000, int(0.01 / (time.process_time() - start + 1e-9))))
    times: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, call in found.items():
            start = time.process_time()
            for _ in range(counts[name]):
                call()
            times[name].append((time.process_time() - start) / counts[name] * 1e6)
    return {name: statistics.median(kept) for name, kept in times.items()}


def libraries() -> tuple[Any, Any, Any]:
    """autograd_gpu on CuPy without a device, CuPy, PyTorch or None."""
    cupy = quiet_cupy()
    from autograd_gpu._core import library

    library.install(cupy)
    import autograd_gpu as ag

    try:
        import torch

        torch.set_num_threads(1)
    except ImportError:
        torch = None
    return ag, cupy, torch


class Stub:
    """A compiled module whose functions do nothing."""

    def __init__(self, **options: Any) -> None:
        pass

    def get_function(self, name: str) -> Any:
        return lambda grid, block, args, shared_mem=0: None


def profile(call: Call) -> None:
    """Where a call spends its time."""
    import cProfile
    import pstats

    call()
    with cProfile.Profile() as seen:
        for _ in range(3000):
            call()
    pstats.Stats(seen).sort_stats("tottime").print_stats(25)


def main() -> None:
    arguments = argparse.ArgumentParser(description="What an op costs the host.")
    arguments.add_argument("--rounds", type=int, default=21)
    arguments.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    arguments.add_argument("--profile", choices=CASES)
    arguments.add_argument(
        "--stub", action="store_true", help="with a function that does nothing for CuPy's launch"
    )
    options = arguments.parse_args()
    ag, cupy, torch = libraries()
    if options.stub:
        cupy.RawModule = Stub
    if options.profile:
        profile(calls(options.profile, ag, cupy, None)[COLUMNS[0]])
        return
    shape, dtype = (4,), ag.float32.numpy
    found = {"an array": lambda: cupy.ndarray(shape, dtype)}
    array = measure(found, options.rounds)["an array"]
    print(f"cupy.ndarray(shape, dtype), the allocation alone: {array:.2f} us; goal: {GOAL} us\n")
    print(f"{'us a call':<22}" + "".join(f"{c:>14}" for c in COLUMNS))
    for name in options.only:
        times = measure(calls(name, ag, cupy, torch), options.rounds)
        cells = [f"{times[c]:>14.2f}" if c in times else f"{'-':>14}" for c in COLUMNS]
        print(f"{name:<22}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # CuPy would give memory back to a driver that is none
