"""Times and sizes as tables print them."""

__all__ = ["memory_text", "share_text", "time_text"]


def time_text(microseconds: float) -> str:
    """With the largest unit of us, ms and s that leaves a number of 1 or more."""
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3f}s"
    if microseconds >= 1e3:
        return f"{microseconds / 1e3:.3f}ms"
    return f"{microseconds:.3f}us"


def memory_text(size: int) -> str:
    """Bytes, or KB, MB and GB of 1024 each."""
    for power, unit in ((3, "GB"), (2, "MB"), (1, "KB")):
        if abs(size) >= 1024**power:
            return f"{size / 1024**power:.2f} {unit}"
    return f"{size} B"


def share_text(part: float, whole: float) -> str:
    """In percent; NaN of nothing."""
    return f"{100 * part / whole:.2f}%" if whole else "NaN" if part else "0.00%"
