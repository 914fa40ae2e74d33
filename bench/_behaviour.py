"""What a device does beyond computing: streams, events, memory that runs out, errors that come
late, page-locked copies, exchange with other libraries, the same bits again."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _stages import Note

import autograd_gpu as ag

ROOT = Path(__file__).resolve().parents[1]
cuda = ag.cuda
SHARE = 0.02


class Needs(Exception):
    """What is missing for a check."""


def behaviour(note: Note, dry: bool) -> bool:
    """Each check in turn; one that fails does not stop the others."""
    fine = True
    if dry:  # the stand-in's memory is the host's: as little of it as shows the same
        cuda.set_per_process_memory_fraction(SHARE)
    for name, (check, hardware) in CHECKS.items():
        if dry and hardware:
            note[name] = "needs a GPU"
            continue
        try:
            note[name] = check(dry) if check is out_of_memory else check()
        except Needs as missing:
            note[name] = f"not checked: {missing}"
        except Exception as error:
            note[name], fine = f"FAILED: {type(error).__name__}: {error}"[:500], False
    return fine


def busy(n: int = 2048, times: int = 20) -> Any:
    """Work that takes the device some time."""
    x = ag.ones(n, n, device="cuda") / n
    for _ in range(times):
        x = x @ x
    return x


def equal(found: Any, wanted: Any, what: str) -> None:
    if found != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, got {found!r}")


def streams() -> str:
    """Work on two streams, one of which waits for the other."""
    first, second = cuda.Stream(), cuda.Stream()
    for _ in range(20):
        with cuda.stream(first):
            busy(1024, 4)
            x = ag.full((1 << 20,), 3.0, device="cuda")
            ready = first.record_event()
        with cuda.stream(second):
            second.wait_event(ready)
            y = x * 2
        second.synchronize()
        equal(y.sum().item(), 6.0 * (1 << 20), "the sum on the second stream")
    return "20 times in order"


def asynchronous() -> str:
    """Launches return before the work is done."""
    busy(times=1)
    cuda.synchronize()
    stream = cuda.current_stream()
    busy(4096, 30)
    unfinished = not stream.query()
    stream.synchronize()
    equal(unfinished and stream.query(), True, "unfinished, then finished")
    return "the host does not wait"


def events() -> str:
    """Times between events grow with the work."""
    times = []
    for many in (10, 40):
        first, last = (cuda.Event(enable_timing=True) for _ in range(2))
        busy(times=1)
        cuda.synchronize()
        first.record()
        busy(times=many)
        last.record()
        last.synchronize()
        times.append(first.elapsed_time(last))
    equal(2 < times[1] / times[0] < 8, True, f"four times the work took {times} ms")
    return f"{times[0]:.3f} and {times[1]:.3f} ms"


def out_of_memory(dry: bool) -> str:
    """More than there is: the error's type and words, and the device is usable after it."""
    cuda.empty_cache()
    total = cuda.mem_get_info()[1]
    size = int(2 * total * (SHARE if dry else 1))
    try:
        ag.zeros(size, dtype=ag.uint8, device="cuda")
        raise AssertionError(f"{size:,} bytes were found")
    except cuda.OutOfMemoryError as error:
        text = str(error)
    equal("CUDA out of memory" in text and f"{total:,}" in text, True, text)
    x = ag.ones(1000, device="cuda", requires_grad=True)
    (x * 2).sum().backward()
    equal(x.grad.sum().item(), 2000.0, "a gradient after it")
    return text[:200]


def memory() -> str:
    """The counts follow what is allocated and freed."""
    cuda.reset_peak_memory_stats()
    before = cuda.memory_allocated()
    x = ag.zeros(1 << 22, device="cuda")
    grown = cuda.memory_allocated() - before
    del x
    equal(grown, 1 << 24, "bytes")
    equal(cuda.memory_allocated(), before, "bytes after it is freed")
    equal(cuda.max_memory_allocated() >= before + grown, True, "the peak")
    return cuda.memory_summary().splitlines()[3].strip("| ")


LATE = """
import sys; sys.path.insert(0, sys.argv[1])
import autograd_gpu as ag
kernel = ag.cuda.RawKernel(
    'extern "C" __global__ void wrong(float* x) { x[1ll << 40] = 1; }', "wrong", "x: float32*")
x = ag.ones(4, device="cuda")
kernel(x, threads=1)
try:
    print(x.sum().item())
except RuntimeError as error:
    print("RuntimeError", error)
"""


def late_error() -> str:
    """A kernel that writes where nothing is: who learns of it, and in which words."""
    done = subprocess.run(
        [sys.executable, "-c", LATE, str(ROOT)], capture_output=True, text=True, timeout=30
    )
    said = (done.stdout or done.stderr).strip()
    equal("asynchronously" in said and said.startswith("RuntimeError"), True, said[-300:])
    return said[:200]


def pinned() -> str:
    """Page-locked memory is copied while the host goes on, and arrives."""
    host = ag.arange(1 << 24, dtype=ag.float32).pin_memory()
    equal(host.is_pinned(), True, "pinned")
    there = host.to("cuda", non_blocking=True)
    back = there.to("cpu", non_blocking=True)
    cuda.synchronize()
    equal(ag.equal(back, host), True, "what came back")
    return f"{host.nbytes >> 20} MiB there and back"


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise Needs("PyTorch is not installed") from None
    if not torch.cuda.is_available():
        raise Needs("PyTorch sees no GPU")
    return torch


def dlpack() -> str:
    """The same memory in PyTorch, both ways."""
    torch = _torch()
    x = ag.arange(6, dtype=ag.float32, device="cuda").reshape(2, 3)
    y = torch.from_dlpack(x.t())
    y[0, 1] = 7
    torch.cuda.synchronize()
    equal(x[1, 0].item(), 7.0, "what PyTorch wrote")
    z = ag.from_dlpack(torch.ones(3, device="cuda"))
    equal((z.is_cuda, z.tolist()), (True, [1, 1, 1]), "from PyTorch")
    return "both ways without a copy"


def interface() -> str:
    """`__cuda_array_interface__`: CuPy and PyTorch take a tensor as it is."""
    import cupy

    x = ag.ones(5, device="cuda")
    cupy.asarray(x)[1] = 4
    equal(x.tolist(), [1, 4, 1, 1, 1], "what CuPy wrote")
    torch = _torch()
    torch.as_tensor(x, device="cuda")[2] = 9
    torch.cuda.synchronize()
    equal(x[2].item(), 9.0, "what PyTorch wrote")
    return "CuPy and PyTorch"


def deterministic() -> str:
    """Five runs of what sums in any order by default give the same bits."""
    ag.use_deterministic_algorithms(True)
    try:
        runs = {_scattered() for _ in range(5)}
    finally:
        ag.use_deterministic_algorithms(False)
    equal(len(runs), 1, "different results")
    return "5 runs, the same bits"


def _scattered() -> bytes:
    ag.manual_seed(0)
    index = ag.randint(50, (20_000,)).cuda()
    values = ag.randn(20_000, 8).cuda()
    table = ag.randn(50, 8).cuda().requires_grad_()
    (ag.nn.functional.embedding(index, table) * values).sum().backward()
    total = ag.zeros(50, 8, device="cuda").index_add(0, index, values)
    spread = ag.zeros(50, 8, device="cuda").scatter_add(0, index[:, None].expand(-1, 8), values)
    return b"".join(t.cpu().numpy().tobytes() for t in (table.grad, total, spread))


def seeds() -> str:
    """The device draws what a Philox generator on the CPU draws, to the bit."""
    cuda.manual_seed(7)
    there = ag.rand(10_001, device="cuda").cpu()
    here = ag.rand(10_001, generator=ag.Generator(algorithm="philox").manual_seed(7))
    equal(ag.equal(there, here), True, "uniform numbers")
    return "10,001 uniform numbers"


CHECKS: dict[str, tuple[Callable[..., str], bool]] = {
    "streams": (streams, True), "asynchronous launches": (asynchronous, True),
    "times of events": (events, True), "out of memory": (out_of_memory, False),
    "memory counts": (memory, False), "an error that comes late": (late_error, True),
    "page-locked copies": (pinned, False), "dlpack": (dlpack, True),
    "cuda array interface": (interface, True), "deterministic forms": (deterministic, False),
    "random numbers": (seeds, False),
}  # fmt: skip
"""What is checked, and whether the stand-in would say nothing about it."""
