"""The tables of `autograd-gpu bench`."""

from typing import Any

from .kernels import CASES

__all__ = ["crossover", "text"]


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _rate(name: str, n: int, seconds: float) -> str:
    case = CASES[name]
    if case.flops:
        return f"{2 * n**3 / seconds / 1e9:.4g} GFLOP/s"
    return f"{case.bytes * n / seconds / 1e9:.3g} GB/s"


def crossover(rows: dict[str, dict[str, float]], slow: str, fast: str) -> int | None:
    """The smallest size from which on a column is faster than another; None where it never is."""
    found = None
    for n in sorted(rows, key=int, reverse=True):
        times = rows[n]
        if slow not in times or fast not in times or times[fast] >= times[slow]:
            break
        found = int(n)
    return found


def text(found: dict[str, Any]) -> str:
    """Both tables. Times are medians of a call; the last column is the rate of the last but
    PyTorch's."""
    columns = _columns(found)
    lines = [", ".join(f"{k} {v}" for k, v in found["machine"].items()), ""]
    if found["workloads"]:
        lines.append(f"{'workload':<30}" + "".join(f"{c:>13}" for c in columns))
    for name, times in found["workloads"].items():
        lines.append(f"{name:<30}" + "".join(f"{_time(times.get(c)):>13}" for c in columns))
    for name, rows in found["kernels"].items():
        lines += ["", f"{name:<30}" + "".join(f"{c:>13}" for c in columns) + f"{'rate':>17}"]
        own = [c for c in columns if not c.startswith("torch")][-1]
        for n, times in rows.items():
            cells = "".join(f"{_time(times.get(c)):>13}" for c in columns)
            lines.append(f"{int(n):>30,}{cells}{_rate(name, int(n), times[own]):>17}")
        if own != "cpu":
            first = crossover(rows, "cpu", own)
            lines.append(
                f"    {own} is faster from {first:,} on" if first else f"    {own} is never faster"
            )
    return "\n".join(lines)


def _columns(found: dict[str, Any]) -> list[str]:
    rows = [*found["workloads"].values()]
    rows += [times for sizes in found["kernels"].values() for times in sizes.values()]
    return list(dict.fromkeys(c for times in rows for c in times))
