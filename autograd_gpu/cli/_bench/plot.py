"""The picture of `autograd-gpu bench`: time over size, and where the GPU begins to win."""

from pathlib import Path
from typing import Any

from .report import crossover

__all__ = ["draw"]

COLORS = {"cpu": "#57606a", "cuda": "#1f883d", "standin": "#1f883d", "torch cpu": "#d4a72c",
          "torch cuda": "#cf222e"}  # fmt: skip


def draw(found: dict[str, Any], path: Path) -> bool:
    """One panel an op, both axes logarithmic; a line marks the size from which on the GPU is
    faster. False where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    kernels = {name: rows for name, rows in found["kernels"].items() if rows}
    across = min(3, max(1, len(kernels)))
    down = -(-max(1, len(kernels)) // across)
    figure = Figure(figsize=(4.2 * across, 3.1 * down), dpi=130, facecolor="white")
    figure.set_layout_engine("constrained")
    figure.suptitle(f"time of a call over size ({found['machine']['gpu']})", fontsize=11)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes, (name, rows) in zip(panels, kernels.items(), strict=False):
        _panel(axes, name, rows)
    for axes in panels[len(kernels) :]:
        axes.set_visible(False)
    figure.savefig(path)
    return True


def _panel(axes: Any, name: str, rows: dict[str, dict[str, float]]) -> None:
    sizes = [int(n) for n in rows]
    columns = list(dict.fromkeys(c for times in rows.values() for c in times))
    for column in columns:
        values = [times[column] * 1e6 for times in rows.values()]
        style = "--" if column.startswith("torch") else "-"
        axes.plot(sizes, values, style, color=COLORS.get(column), label=column, lw=1.5, marker=".")
    own = next((c for c in columns if c in ("cuda", "standin")), None)
    first = crossover(rows, "cpu", own) if own else None
    if first is not None:
        axes.axvline(first, color="#8c959f", lw=0.8)
        axes.annotate(
            f"{first:,}", (first, 0.97), xycoords=("data", "axes fraction"), fontsize=7,
            ha="left", va="top", xytext=(3, 0), textcoords="offset points", color="#57606a",
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_title(name, fontsize=9, loc="left")
    axes.set_xlabel("elements" if name != "matmul" else "side of the matrices", fontsize=8)
    axes.set_ylabel("us", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(True, color="#e6e8eb", lw=0.6)
    axes.legend(frameon=False, fontsize=7)
