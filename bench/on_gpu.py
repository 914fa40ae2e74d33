"""Everything that only a GPU can answer, in one command: `python bench/on_gpu.py [--dry-run]
[--minutes 8] [--out bench/results] [--only STAGE ...]`.

Each stage runs in a process of its own with a limit of its own, so that one that fails or hangs
stops no other. What they find is written to one file, `<out>/<date>-<card>.json`, as they find it.
`--dry-run` runs the whole plan on the stand-in device, as far as host memory can tell. From a
checkout it needs no installation: CuPy, NumPy and pytest, for comparisons PyTorch.
"""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from _stages import STAGES, Note, device  # noqa: E402


def machine(dry: bool) -> dict[str, Any]:
    """What the results belong to."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    found = {"date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"), "commit": commit or "unknown",
             "python": platform.python_version(), "dry_run": dry}  # fmt: skip
    with device(dry) as xp:
        import autograd_gpu as ag

        runtime = xp.module.cuda.runtime
        found |= {
            "card": ag.cuda.get_device_name(), "memory": ag.cuda.mem_get_info()[1],
            "capability": list(ag.cuda.get_device_capability()), "cupy": xp.module.__version__,
            "runtime": _asked(runtime, "runtimeGetVersion"),
            "driver": _asked(runtime, "driverGetVersion"),
        }
    return found


def _asked(runtime: Any, name: str) -> Any:
    return getattr(runtime, name)() if hasattr(runtime, name) else None


def run_stage(name: str, part: Path, limit: float, dry: bool) -> dict[str, Any]:
    """One stage in a process of its own: {"state", "seconds", "details", "error"}."""
    command = [sys.executable, __file__, "--stage", name, "--part", str(part)]
    start = time.monotonic()
    process = subprocess.Popen(
        command + ["--dry-run"] * dry, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True, env={**os.environ, "STAGE_SECONDS": str(limit)},
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=limit)
        state = {0: "ok", NEEDS_GPU: "needs a GPU"}.get(process.returncode, "failed")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        state = "out of time"
    details = json.loads(part.read_text()) if part.exists() else {}
    found = {"state": state, "seconds": round(time.monotonic() - start, 1), "details": details}
    if state in ("failed", "out of time"):
        found["said"] = said[-4000:]
    return found


NEEDS_GPU = 77


def child(name: str, part: Path, dry: bool) -> int:
    """Run a stage in this process."""
    stage = STAGES[name]
    if dry and stage.needs_gpu:
        return NEEDS_GPU
    with device(dry):
        return int(not stage.run(Note(part), dry))


def summary(found: dict[str, Any]) -> str:
    """A line a stage, and what each has to say."""
    lines = [", ".join(f"{k} {v}" for k, v in found["machine"].items())]
    for name, stage in found["stages"].items():
        lines.append(f"{name:<12} {stage['state']:<12} {stage['seconds']:>6} s")
        for key, value in stage["details"].items():
            text = value if isinstance(value, str) else json.dumps(value)
            lines.append(f"    {key}: {text if len(text) <= 160 else text[:157] + '...'}")
        if "said" in stage:
            lines += ["    " + line for line in stage["said"].strip().splitlines()[-4:]]
    return "\n".join(lines)


def plan(options: argparse.Namespace) -> int:
    """All stages; 0 where none failed."""
    end = time.monotonic() + 60 * options.minutes
    found: dict[str, Any] = {"machine": machine(options.dry_run), "stages": {}}
    card = re.sub(r"\W+", "-", found["machine"]["card"]).strip("-").lower()
    out = options.out or (Path(mkdtemp()) if options.dry_run else ROOT / "bench" / "results")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{found['machine']['date'][:10]}-{card}.json"
    part = path.with_suffix(".part")
    for name in options.only or STAGES:
        limit = min(STAGES[name].seconds * (1 + 2 * options.dry_run), end - time.monotonic())
        if limit < 3:
            found["stages"][name] = {"state": "no time left", "seconds": 0, "details": {}}
        else:
            found["stages"][name] = run_stage(name, part, limit, options.dry_run)
            part.unlink(missing_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n")
        print(f"{name}: {found['stages'][name]['state']}", file=sys.stderr, flush=True)
    print(summary(found))
    print(f"written to {path}")
    fine = ("ok", "needs a GPU") if options.dry_run else ("ok",)
    return int(any(s["state"] not in fine for s in found["stages"].values()))


def main() -> int:
    parser = argparse.ArgumentParser(description="Everything that only a GPU can answer.")
    parser.add_argument("--dry-run", action="store_true", help="on the stand-in device")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--out", type=Path, help="bench/results; of a dry run a temporary folder")
    parser.add_argument("--only", nargs="+", choices=STAGES, metavar="STAGE")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--part", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        return child(options.stage, options.part, options.dry_run)
    return plan(options)


if __name__ == "__main__":
    sys.exit(main())
