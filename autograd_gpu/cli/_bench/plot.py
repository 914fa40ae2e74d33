"""The picture of `autograd-gpu bench`: time over size, and where the GPU begins to win."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .report import crossover

__all__ = ["available", "draw"]

COLORS = {"cpu": "#0550ae", "cuda": "#1a7f37", "standin": "#1a7f37", "torch cpu": "#0550ae",
          "torch cuda": "#1a7f37"}  # fmt: skip


def available() -> bool:
    """Is matplotlib installed?"""
    return find_spec("matplotlib") is not None


def draw(found: dict[str, Any], path: Path) -> None:
    """One panel an op, both axes logarithmic; a line marks the size from which on the GPU is
    faster. Needs matplotlib."""
    from matplotlib.figure import Figure

    kernels = {name: rows for name, rows in found["kernels"].items() if rows}
    across = min(3, max(1, len(kernels)))
    down = -(-max(1, len(kernels)) // across)
    figure = Figure(figsize=(4.2 * across, 3.0 * down + 0.7), dpi=130, facecolor="white")
    figure.set_layout_engine("constrained")
    machine = found["machine"]
    figure.suptitle(
        f"time of a call over size      {machine['processor']}, GPU: {machine['gpu']}", fontsize=10
    )
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes, (name, rows) in zip(panels, kernels.items(), strict=False):
        _panel(axes, name, rows)
    for axes in panels[len(kernels) :]:
        axes.set_visible(False)
    if kernels:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, frameon=False, fontsize=8, loc="outside lower center",
            ncols=len(labels),
        )  # fmt: skip
    figure.savefig(path)


def _panel(axes: Any, name: str, rows: dict[str, dict[str, float]]) -> None:
    sizes = [int(n) for n in rows]
    columns = list(dict.fromkeys(c for times in rows.values() for c in times))
    for column in columns:
        values = [times[column] * 1e6 for times in rows.values()]
        theirs = column.startswith("torch")
        look = {"ls": "--", "lw": 1.1, "alpha": 0.75} if theirs else {"ls": "-", "lw": 1.7}
        axes.plot(sizes, values, color=COLORS.get(column), label=column, marker=".", ms=4, **look)
    own = next((c for c in columns if c in ("cuda", "standin")), None)
    first = crossover(rows, "cpu", own) if own else None
    if first is not None:
        axes.axvline(first, color="#8c959f", lw=0.8, ls=":")
        right = first > (sizes[0] * sizes[-1]) ** 0.5  # of the middle of a logarithmic axis
        axes.annotate(
            f"{own} faster from {first:,}", (first, 0.97), xycoords=("data", "axes fraction"),
            ha="right" if right else "left", va="top", xytext=(-3 if right else 3, 0),
            textcoords="offset points", color="#57606a", fontsize=7,
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_title(name, fontsize=9, loc="left")
    axes.set_xlabel("elements" if name != "matmul" else "side of the matrices", fontsize=8)
    axes.set_ylabel("us", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(True, color="#e6e8eb", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
