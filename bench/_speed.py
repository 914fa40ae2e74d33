"""How fast is it on a GPU? Bandwidth against a measured copy, launches, products and training
steps against PyTorch on the same card."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from _stages import Note, seconds_left

import autograd_gpu as ag
from autograd_gpu.cli._bench.timing import Clock, CpuClock, CudaClock, interleaved, seconds
from autograd_gpu.cli._bench.workloads import WORKLOADS

F = ag.nn.functional
Call = Callable[[], Any]


def rival() -> Any:
    """PyTorch where it sees the GPU, else None."""
    try:
        import torch
    except ImportError:
        return None
    return torch if torch.cuda.is_available() else None


def clock(dry: bool, lib: Any = ag) -> Clock:
    return CpuClock() if dry else CudaClock(lib.cuda)


# ---- bandwidth


def cases(n: int, dtype: Any) -> dict[str, tuple[Call, float]]:
    """What is called, and the bytes that it must read and write at least, in elements."""
    x, y = (ag.ones(n, device="cuda", dtype=dtype) for _ in range(2))
    rows = x.reshape(-1, 1024)
    leaf, weight = x.clone().requires_grad_(), ag.ones(1024, device="cuda", dtype=dtype)
    table = rows.clone().requires_grad_()
    classes = ag.zeros(len(rows), dtype=ag.int64, device="cuda")
    image = x.reshape(-1, 32, 16, 16)
    kept = (F.gelu(leaf), F.softmax(table, -1), F.layer_norm(table, (1024,), weight, weight),
            F.cross_entropy(table, classes))  # fmt: skip

    def back(k: int, source: Any, seed: Any) -> Call:
        return lambda: ag.autograd.grad(kept[k], source, seed, retain_graph=True)

    out = {
        "tanh": (lambda: ag.tanh(x), 2), "add": (lambda: x + y, 3),
        "add, in place": (lambda: y.add_(x), 3), "add a row": (lambda: rows + weight, 2),
        "transposed add": (lambda: rows.t() + rows.t(), 2),
        "compare, then where": (lambda: ag.where(x > 2, x, y), 4 + 2 / x.itemsize),
        "fill": (lambda: y.fill_(1), 1), "copy": (lambda: y.copy_(x), 2),
        "transpose": (lambda: rows.t().contiguous(), 2), "sum": (lambda: x.sum(), 1),
        "sum over rows": (lambda: rows.sum(1), 1), "sum over columns": (lambda: rows.sum(0), 1),
        "var": (lambda: rows.var(1), 1), "softmax": (lambda: F.softmax(rows, -1), 2),
        "layer norm": (lambda: F.layer_norm(rows, (1024,), weight, weight), 2),
        "rms norm": (lambda: F.rms_norm(rows, (1024,), weight), 2),
        "batch norm": (lambda: F.batch_norm(image, None, None, training=True), 3),
        "cross-entropy": (lambda: F.cross_entropy(rows, classes), 1),
        "gelu, backward": (back(0, leaf, y), 3), "softmax, backward": (back(1, table, rows), 3),
        "layer norm, backward": (back(2, table, rows), 3),
        "cross-entropy, backward": (back(3, table, None), 2),
        "dropout": (lambda: F.dropout(x, 0.5), 2),
        "max pool": (lambda: F.max_pool2d(image, 2), 1.25),
        "normal numbers": (lambda: y.normal_(), 1),
    }  # fmt: skip
    return out


def optimizers(n: int) -> dict[str, tuple[Call, float]]:
    """Steps over ten parameters of n elements in all."""
    out: dict[str, tuple[Call, float]] = {}
    kinds = {"Adam": (ag.optim.Adam, 7), "SGD with momentum": (_momentum, 5)}
    for name, (make, moved) in kinds.items():
        parameters = [ag.ones(n // 10, device="cuda", requires_grad=True) for _ in range(10)]
        for p in parameters:
            p.grad = ag.ones_like(p)
        out[name] = make(parameters, 1e-3).step, moved
    return out


def _momentum(parameters: list, lr: float) -> Any:
    return ag.optim.SGD(parameters, lr, momentum=0.9)


DRY = ("tanh", "add", "sum", "softmax", "copy")


def bandwidth(note: Note, dry: bool) -> bool:
    """GB/s of each family at 64 MB and 512 MB, and the share of a copy on the device. Goal: 0.9."""
    sizes = (1 << 15,) if dry else (1 << 26, 1 << 29)
    for size in sizes:
        for name in ("float32",) if dry else ("float32", "float16"):
            _bandwidth(note, size, getattr(ag, name), dry)
    return True


def _bandwidth(note: Note, size: int, dtype: Any, dry: bool) -> None:
    n = size // dtype.itemsize
    x, y = (ag.ones(n, device="cuda", dtype=dtype)._array for _ in range(2))
    copy = 2 * size / seconds(clock(dry), lambda: y.data.copy_from_device_async(x.data, size), 5)
    where = f"{size >> 20} MB of {dtype.name}" if not dry else "32 KB"
    note[f"{where}: a copy, GB/s"] = round(copy / 1e9, 1)
    shares: dict[str, Any] = {}
    every = cases(n, dtype) | (optimizers(n) if dtype is ag.float32 else {})
    for name in DRY if dry else every:
        call, moved = every[name]
        if seconds_left() < 1:
            shares["no time for"] = name
            break
        try:
            took = seconds(clock(dry), call, 3, 0.002 if dry else 0.01)
            shares[name] = round(moved * size / took / copy, 3)
        except Exception as error:
            shares[name] = f"{type(error).__name__}: {error}"[:200]
        note[f"{where}: share of it"] = shares


# ---- launches


def _host(call: Call, many: int) -> float:
    """Microseconds of the host a call; the device is waited for between rounds."""
    for _ in range(20):
        call()
    times = []
    for _ in range(9):
        ag.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(many):
            call()
        times.append((time.perf_counter() - start) / many)
    return round(statistics.median(times) * 1e6, 3)


def launch_costs(note: Note, dry: bool) -> bool:
    """Microseconds of the host: an op of ours, the launch alone, CuPy's, PyTorch's."""
    from autograd_gpu._core.library import KERNELS, installed

    xp: Any = installed()
    many = 5 if dry else 300  # fewer than a device's queue holds
    x = ag.ones(4, device="cuda")
    array, tanh = x._array, KERNELS["tanh"][xp.ndarray]
    calls: dict[str, Call] = {
        "op: tanh": lambda: ag.tanh(x), "op: x + x": lambda: x + x, "op: x * 0.5": lambda: x * 0.5,
        "op: x.sum()": lambda: x.sum(), "launching function: tanh": lambda: tanh(array),
        "CuPy: tanh": lambda: xp.module.tanh(array), "CuPy: a + a": lambda: array + array,
        "an array": lambda: xp.ndarray((4,), array.dtype),
        "an array, our way": lambda: xp.new_array((4,), array.dtype),
        "getDevice": xp.module.cuda.runtime.getDevice,
    }  # fmt: skip
    torch = rival()
    if torch is not None:
        t = torch.ones(4, device="cuda")
        calls |= {"PyTorch: tanh": lambda: torch.tanh(t), "PyTorch: x + x": lambda: t + t,
                  "PyTorch: x.sum()": lambda: t.sum()}  # fmt: skip
    if not dry:
        code = 'extern "C" __global__ void nothing() {}'
        raw = xp.module.RawKernel(code, "nothing")
        raw.compile()
        calls["RawKernel of CuPy, no arguments"] = lambda: raw((1,), (1,), ())
        calls["Function of CuPy, no arguments"] = lambda: raw.kernel((1,), (1,), ())
    note["us"] = {name: _host(call, many) for name, call in calls.items()}
    return True


# ---- products


def gemm(note: Note, dry: bool) -> bool:
    """TFLOP/s of products, beside PyTorch's, where that sees the GPU."""
    torch, fine = rival(), True
    libs = {"ours": ag} | ({"PyTorch": torch} if torch is not None else {})
    for name in ("float32",) if dry else ("float32", "float16", "bfloat16", "float64"):
        for n in (32,) if dry else (512, 2048, 8192):
            calls: list[tuple[Clock, Call]] = []
            results = []
            for lib in libs.values():
                x = (lib.arange(n * n, device="cuda") % 7 - 3).reshape(n, n).to(getattr(lib, name))
                calls.append((clock(dry, lib), lambda x=x: x @ x.t()))
                results.append((x @ x.t())[0, :4].float().tolist())
            times = interleaved(calls, 5, 0.01)
            fine = fine and all(r == results[0] for r in results)
            rates = [round(2 * n**3 / t / 1e12, 2) for t in times]
            note[f"{name} {n}, TFLOP/s"] = dict(zip(libs, rates, strict=True))
    return fine


# ---- training


def training(note: Note, dry: bool) -> bool:
    """Milliseconds of a step of each workload beside PyTorch's, and whether the losses agree."""
    torch, fine = rival(), True
    for name in ("a", "b") if dry else "abcdefhi":
        if seconds_left() < 3:
            note[name] = "no time"
            continue
        libs = [ag] + ([torch] if torch is not None else [])
        steps = [WORKLOADS[name](lib, "cuda") for lib in libs]
        losses = [[float(step().detach().item()) for _ in range(3)] for step in steps]
        calls = [(clock(dry, lib), step) for lib, step in zip(libs, steps, strict=True)]
        times = interleaved(calls, 2 if dry else 5, 0.001 if dry else 0.05)
        found = {"ms": round(times[0] * 1e3, 4), "loss": losses[0]}
        if torch is not None:
            pairs = list(zip(*losses, strict=True))
            agree = all(abs(a - b) <= 2e-3 * max(1.0, abs(b)) for a, b in pairs)
            fine = fine and agree
            found |= {"PyTorch, ms": round(times[1] * 1e3, 4), "losses agree": agree}
        note[name] = found
    return fine
