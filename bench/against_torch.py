"""autograd_gpu against PyTorch eager on the same core: `python bench/against_torch.py [--reps N]
[--only a,c]`.

One thread each, process CPU time, the two interleaved in one run; ratios of medians and of minima.
Below the table: a chain of 1,000,000 additions (time and bytes a node) and the import time, each in
a process of its own. Without PyTorch only our own times are printed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ.pop("OPENBLAS_CORETYPE", None)
os.environ.pop(
    "PYTHONDONTWRITEBYTECODE", None
)  # an import is timed as users have it, from bytecode
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import autograd_gpu  # noqa: E402
from autograd_gpu.cli._bench.workloads import GOALS, WORKLOADS  # noqa: E402


def libraries() -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        import torch

        torch.set_num_threads(1)
        found["torch"] = torch
    except ImportError:
        print("PyTorch is not installed: our own times only")
    return {**found, "ours": autograd_gpu}


def measure(steps: dict[str, Any], reps: int, block: float = 0.05) -> dict[str, list[float]]:
    """Seconds a step in each round; the rounds alternate between the libraries."""
    counts = {}
    for name, step in steps.items():
        for _ in range(3):
            step()
        start = time.process_time()
        step()
        counts[name] = max(1, int(block / (time.process_time() - start + 1e-9)))
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(reps):
        for name, step in steps.items():
            start = time.process_time()
            for _ in range(counts[name]):
                step()
            times[name].append((time.process_time() - start) / counts[name])
    return times


def check(steps: dict[str, Any], label: str) -> None:
    """The same losses, or the comparison means nothing."""
    losses = {
        name: [float(step().detach().item()) for _ in range(3)] for name, step in steps.items()
    }
    first, *others = losses.values()
    for other in others:
        for a, b in zip(first, other, strict=True):
            if abs(a - b) > 2e-3 * max(1.0, abs(a)):
                raise SystemExit(f"{label}: the losses differ: {losses}")


CHAIN = """
import sys, time, gc, resource
sys.path.insert(0, {root!r})
import autograd_gpu as ag
gc.set_threshold(100000, 50, 100)
n = 1_000_000
def memory():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
x = ag.tensor([1.0, 2.0], requires_grad=True)
y = x
(y + x).sum().backward()
x.grad = None
before, start = memory(), time.process_time()
for _ in range(n):
    y = y + x
forward, held = time.process_time() - start, memory() - before
start = time.process_time()
y.sum().backward()
backward = time.process_time() - start
assert x.grad.tolist() == [n + 1, n + 1], x.grad
start = time.process_time()
del y
free = time.process_time() - start
times = f"{{forward:.2f}} us forward, {{backward:.2f}} us backward, {{free:.2f}} us to free"
print(f"{{times}}, {{held / n:.0f}} bytes a node")
"""

IMPORT = """
import time
import numpy
start = time.perf_counter()
import sys
sys.path.insert(0, {root!r})
import autograd_gpu
autograd_gpu.nn, autograd_gpu.optim
print(time.perf_counter() - start)
"""


def in_process(code: str) -> str:
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    run = subprocess.run(
        [sys.executable, "-c", code.format(root=root)], capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reps", type=int, default=15, help="rounds of each workload")
    parser.add_argument(
        "--only", default="", help="workloads to run, as a,c,k (l: the chain, m: the import)"
    )
    options = parser.parse_args()
    wanted = set(filter(None, options.only.split(",")))
    libs = libraries()
    print(f"{'workload':<14}{'torch':>12}{'ours':>12}{'ratio':>8}{'(min)':>8}{'goal':>7}")
    for label, build in WORKLOADS.items():
        if wanted and label[0] not in wanted:
            continue
        steps = {name: build(lib) for name, lib in libs.items()}
        check(steps, label)
        times = measure(steps, options.reps)
        medians = {name: statistics.median(t) for name, t in times.items()}
        ours, torch = medians["ours"], medians.get("torch")
        row = f"{label:<14}{torch * 1e6 if torch else float('nan'):>9.1f} us{ours * 1e6:>9.1f} us"
        if torch:
            ratio = statistics.median(
                a / b for a, b in zip(times["ours"], times["torch"], strict=True)
            )
            least = min(times["ours"]) / min(times["torch"])
            row += f"{ratio:>8.2f}{least:>8.2f}{GOALS.get(label, float('nan')):>7.2f}"
        print(row, flush=True)
    if not wanted or "l" in wanted:
        print("l: a chain of 1,000,000 additions:", in_process(CHAIN))
    if not wanted or "m" in wanted:
        best = min(float(in_process(IMPORT)) for _ in range(7))
        print(f"m: import over NumPy's own, with nn and optim: {best:.3f} s")


if __name__ == "__main__":
    main()
