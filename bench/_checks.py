"""Is it right on a GPU? Every kernel compiled there, the parity suite, the kernels' tests, and
compute-sanitizer over a launch of every kernel."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from _stages import Note, seconds_left

ROOT = Path(__file__).resolve().parents[1]
FEW = ["tanh", "add", "sum", "softmax"]
"""The ops of a dry run."""


def _here(code: str, *arguments: str) -> list[str]:
    head = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'bench')!r}]; "
    return [sys.executable, "-c", head + code, *arguments]


def _run(command: list[str], limit: float, **options: Any) -> tuple[int, str]:
    """(exit status, what it said); 124 where it took too long."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=max(1, limit), **options,
        )  # fmt: skip
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        said = late.stdout or b""
        return 124, said.decode() if isinstance(said, bytes) else said


def _processes(dry: bool) -> int:
    return 1 if dry else max(1, min(16, len(os.sched_getaffinity(0))))


# ---- compile


def compile_share(names: list[str], dry: bool) -> dict[str, list]:
    """[seconds, error] of each kernel's instances for each dtype."""
    from _stages import device

    from autograd_gpu._core.manifest import KERNELS
    from autograd_gpu._cuda.launch import find

    found: dict[str, list] = {}
    with device(dry) as xp:
        for name in names:
            for dtype in KERNELS[name].dtypes:
                start = time.perf_counter()
                try:
                    find(xp, name, next(iter(KERNELS[name].forms)), dtype, 0)
                    error = ""
                except Exception as problem:
                    error = f"{type(problem).__name__}: {problem}"[:2000]
                found[f"{name} {dtype}"] = [round(time.perf_counter() - start, 3), error]
    return found


def compile_share_main(names: str, dry: str) -> None:
    """`compile_share` of arguments in JSON, to stdout."""
    print("\n" + json.dumps(compile_share(json.loads(names), bool(int(dry)))))


def compile_all(note: Note, dry: bool) -> bool:
    """Every instance of the manifest, by the NVRTC that CuPy loads; they stay in CuPy's cache."""
    from autograd_gpu._core.manifest import KERNELS

    names = FEW if dry else sorted(KERNELS)
    many = _processes(dry)
    code = "import _checks; _checks.compile_share_main(sys.argv[1], sys.argv[2])"
    commands = [_here(code, json.dumps(names[k::many]), str(int(dry))) for k in range(many)]
    with ThreadPoolExecutor(many) as pool:
        results = list(pool.map(lambda c: _run(c, seconds_left()), commands))
    found: dict[str, list] = {}
    for status, said in results:
        if status:
            note["a process failed"] = said[-1000:]
            return False
        found |= json.loads(said.strip().splitlines()[-1])
    errors = {name: error for name, (_, error) in found.items() if error}
    slowest = sorted(found, key=lambda name: -found[name][0])[:5]
    note["compiled"] = f"{len(found) - len(errors)} of {len(found)} kernels and dtypes"
    note["slowest, in s"] = {name: found[name][0] for name in slowest}
    note["errors"] = errors
    return not errors


# ---- parity


def parity(note: Note, dry: bool) -> bool:
    """The parity suite in four dtypes, each in a process."""
    dtypes = ("float32",) if dry else ("float64", "float32", "float16", "bfloat16")
    with tempfile.TemporaryDirectory() as folder:

        def compare(dtype: str) -> list[dict[str, Any]] | str:
            path = Path(folder) / f"{dtype}.json"
            command = _here("from autograd_gpu.cli import main; sys.exit(main(sys.argv[1:]))",
                            "parity", "--dtype", dtype, "--json", str(path), "--device",
                            "standin" if dry else "cuda")  # fmt: skip
            _, said = _run(command + (["--ops", *FEW] if dry else []), seconds_left())
            return json.loads(path.read_text()) if path.exists() else said[-1500:]

        with ThreadPoolExecutor(len(dtypes)) as pool:
            results = dict(zip(dtypes, pool.map(compare, dtypes), strict=True))
    fine = True
    for dtype, rows in results.items():
        if isinstance(rows, str):
            note[dtype], fine = rows, False
            continue
        bad = {r["name"]: r["error"] for r in rows if r["error"]}
        worst = sorted(rows, key=lambda r: -max(r["ulp"], r["grad_ulp"]))[:10]
        note[dtype] = f"{len(rows) - len(bad)} of {len(rows)} ops within tolerance"
        note[f"{dtype}, beyond"] = bad
        note[f"{dtype}, worst in ulp"] = {r["name"]: max(r["ulp"], r["grad_ulp"]) for r in worst}
        fine = fine and not bad
    return fine


# ---- tests

FILES = [
    "tests/cuda/test_every_op.py", "tests/kernels/test_every_kernel.py",
    "tests/cuda/test_training.py tests/cuda/test_matmul.py tests/cuda/test_random_generators.py",
    "tests/cuda/test_custom_op.py tests/cuda/test_raw_kernel.py tests/cuda/test_dropout.py",
    "tests/cuda/test_devices.py tests/cuda/test_interop.py tests/cuda/test_memory.py",
    "tests/cuda/test_streams.py tests/cuda/test_gemm.py tests/cuda/test_gemm_batches.py",
    "tests/kernels/test_convert.py tests/kernels/test_variance.py tests/kernels/test_softmax.py",
    "tests/kernels/test_reduce.py tests/kernels/test_sum_to.py tests/kernels/test_layouts.py",
    "tests/kernels/test_norm.py tests/kernels/test_batch_norm.py tests/kernels/test_loss.py",
    "tests/kernels/test_index_ops.py tests/kernels/test_index_sums.py",
    "tests/kernels/test_pool_ops.py tests/kernels/test_optim.py",
    "tests/kernels/test_random_draws.py tests/kernels/test_elementwise_launch.py",
]  # fmt: skip
"""The tests that launch kernels; a line is a process."""


def tests(note: Note, dry: bool) -> bool:
    """They run on the device by the plugin tests/on_device.py, which says what it leaves out."""
    lines = [f"{FILES[0]} -k tanh"] if dry else FILES
    options = ["-q", "-o", "addopts=", "-p", "no:cacheprovider", "-p", "tests.on_device"]
    options += ["-o", "timeout=0", "--device-library", "standin" if dry else "cupy"]
    with tempfile.TemporaryDirectory() as folder:

        def check(number: int) -> dict[str, Any]:
            path = Path(folder) / f"{number}.json"
            command = [sys.executable, "-m", "pytest", *options, "--device-results", str(path)]
            _, said = _run([*command, *lines[number].split()], seconds_left())
            found = json.loads(path.read_text()) if path.exists() else {"passed": 0, "failed": {}}
            return found | ({} if path.exists() else {"ended": said[-1500:]})

        with ThreadPoolExecutor(_processes(dry)) as pool:
            results = list(pool.map(check, range(len(lines))))
    failed = {name: text for r in results for name, text in r["failed"].items()}
    ended = {lines[k]: r["ended"] for k, r in enumerate(results) if "ended" in r}
    note["passed"] = sum(r["passed"] for r in results)
    note["skipped"] = _counted([reason for r in results for reason in r.get("skipped", [])])
    note["failed"], note["ended early"] = dict(list(failed.items())[:100]), ended
    return not failed and not ended


def _counted(reasons: list[str]) -> dict[str, int]:
    return {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)}


# ---- compute-sanitizer

TOOLS = {"memcheck": "float32,float64,float16,bfloat16", "initcheck": "float32,float16",
         "synccheck": "float32,float16", "racecheck": "float32,float16"}  # fmt: skip


def sanitizer(note: Note, dry: bool) -> bool:
    """compute-sanitizer's four tools over `_every_kernel.py`; in a dry run the emulator's checks,
    which look for the same."""
    script = [sys.executable, str(ROOT / "bench" / "_every_kernel.py")]
    if dry:
        status, said = _run([*script, "--dry-run", "--ops", *FEW], seconds_left())
        note["checked mode"] = said.strip().splitlines()[-1] if said.strip() else ""
        return not status
    found = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    if not Path(found).exists():
        note["missing"] = "compute-sanitizer is not installed"
        return False

    def check(tool: str) -> tuple[int, str]:
        command = [found, "--tool", tool, "--print-limit", "20", "--error-exitcode", "9"]
        command += ["--leak-check", "no"] if tool == "memcheck" else []
        environment = {**os.environ, "CUPY_ACCELERATORS": ""}
        return _run([*command, *script, "--dtypes", TOOLS[tool]], seconds_left(), env=environment)

    with ThreadPoolExecutor(len(TOOLS)) as pool:
        results = dict(zip(TOOLS, pool.map(check, TOOLS), strict=True))
    clean = [_read(note, tool, *result) for tool, result in results.items()]
    return all(clean)


def _read(note: Note, tool: str, status: int, said: str) -> bool:
    """What one tool has found: its summary, and its first reports."""
    last = re.findall(r"=+ ((?:ERROR|RACECHECK) SUMMARY: .*)", said)
    clean = bool(last) and re.search(r"SUMMARY: 0 (errors|hazards)", last[-1]) is not None
    done = re.findall(r"^launched .*", said, re.M)
    note[tool] = f"{last[-1] if last else f'no summary (exit status {status})'}; " + "".join(done)
    if not clean or not done:
        note[f"{tool}, reports"] = [line for line in said.splitlines() if line][:60]
    return clean and bool(done)
