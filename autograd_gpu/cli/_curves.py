"""The picture of a run: loss and accuracy over the epochs."""

from pathlib import Path
from typing import Any

__all__ = ["draw"]

TRAIN, TEST, INK, GRID = "#8a94a6", "#1f6feb", "#24292f", "#e6e8eb"


def draw(history: list[dict[str, Any]], title: str, path: Path) -> bool:
    """Draw the curves into a PNG file. False where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
    except ImportError:
        return False
    figure = Figure(figsize=(9, 3.6), dpi=150, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1, wspace=0.04)
    last = history[-1]
    epochs = "epoch" if last["epoch"] == 1 else "epochs"
    figure.suptitle(
        f"{title}: {last['test_accuracy']:.1%} test accuracy after {last['epoch']} {epochs}",
        fontsize=12, color=INK, x=0.012, ha="left", fontweight="bold",
    )  # fmt: skip
    loss, accuracy = figure.subplots(1, 2)
    _lines(loss, history, "loss", "loss (log scale)", "{:.3f}")
    loss.set_yscale("log")
    loss.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    loss.yaxis.set_minor_formatter(NullFormatter())
    _lines(accuracy, history, "accuracy", "accuracy", "{:.1%}")
    loss.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    accuracy.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
    for axes in (loss, accuracy):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10]))
        axes.set_xlim(0, max(2, last["epoch"] * 1.02))
        axes.tick_params(which="both", labelsize=8, colors=INK, length=0)
    figure.savefig(path)
    return True


def _lines(axes: Any, history: list[dict[str, Any]], what: str, title: str, form: str) -> None:
    epochs = [record["epoch"] for record in history]
    for part, color, label in (("train", TRAIN, "training"), ("test", TEST, "test")):
        values = [record[f"{part}_{what}"] for record in history]
        marker = "o" if len(epochs) == 1 else None
        axes.plot(
            epochs, values, color=color, lw=1.8, marker=marker, ms=4,
            label=f"{label}  {form.format(values[-1])}",
        )  # fmt: skip
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    axes.set_xlabel("epoch", fontsize=9, color=INK)
    axes.grid(True, color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
