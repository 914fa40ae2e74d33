"""The table of a profile, in the columns that PyTorch's has."""

from collections.abc import Callable
from typing import Any

from .units import memory_text, share_text, time_text

__all__ = ["table_text"]

_NARROW = 12
_CALLERS = "Source Location"
_SORTED_BY = (
    "cpu_time", "cpu_time_total", "self_cpu_time_total", "device_time", "device_time_total",
    "self_device_time_total", "cpu_memory_usage", "self_cpu_memory_usage", "device_memory_usage",
    "self_device_memory_usage", "count", "flops",
)  # fmt: skip
_UNITS = {"us": 1.0, "ms": 1e-3, "s": 1e-6}
_STACK_LINES = 5


class _Column:
    """A title, a width and what stands in it. Of long callers the end is shown, else the begin."""

    def __init__(self, title: str, text: Callable[[Any], str], width: int = _NARROW) -> None:
        self.title, self.text, self.width = title, text, width

    def cell(self, text: str) -> str:
        if len(text) > self.width:
            room = self.width - 3
            text = "..." + text[-room:] if self.title == _CALLERS else text[:room] + "..."
        return text.rjust(self.width)


def table_text(
    events: Any,
    sort_by: str | None,
    row_limit: int,
    widths: tuple[int, int, int],
    header: str | None,
    top_level: bool,
    time_unit: str | None,
) -> str:
    """See `EventList.table`; `widths`: at most, of names, callers and shapes."""
    if time_unit is not None and time_unit not in _UNITS:
        raise ValueError(f"table: time_unit must be one of us, ms and s, got {time_unit!r}")
    rows = _sorted(list(events), sort_by)
    if not rows:
        return ""
    columns = _columns(events, rows, widths, time_unit)
    line = "".join("-" * c.width + "  " for c in columns)
    lines = []
    if header is not None:
        lines += ["=" * len(line), header]
    if top_level:
        lines += ["=" * len(line), "This report only display top-level ops statistics"]
    lines += [line, "".join(c.title.rjust(c.width) + "  " for c in columns), line]
    shown = [row for row in rows if not (top_level and row.cpu_parent is not None)]
    for row in shown if row_limit < 0 else shown[:row_limit]:
        lines.append("".join(c.cell(c.text(row)) + "  " for c in columns))
        lines += _callers(row, columns)
    return "\n".join([*lines, line, *_totals(events, time_unit), ""])


def _sorted(rows: list, sort_by: str | None) -> list:
    if sort_by is None:
        return rows
    name = sort_by.replace("cuda", "device")
    if name not in _SORTED_BY:
        known = ", ".join(_SORTED_BY)
        raise AttributeError(f"table: events have no {sort_by!r} to sort by, but {known}")
    return sorted(rows, key=lambda row: getattr(row, name), reverse=True)


def _time(unit: str | None) -> Callable[[float], str]:
    if unit is None:
        return time_text
    return lambda microseconds: f"{microseconds * _UNITS[unit]:.3f}{unit}"


def _columns(
    events: Any, rows: list, widths: tuple[int, int, int], time_unit: str | None
) -> list[_Column]:
    longest = max(len(row.key) for row in rows) + 4
    columns = [_Column("Name", lambda row: row.key, min(longest, widths[0]))]
    columns += _times(events, "CPU", "cpu", time_unit)
    on_device = any(row.device_time_total for row in rows)
    if on_device:
        columns += _times(events, "CUDA", "device", time_unit)
    if events.profile_memory:
        columns += _memory("CPU", "cpu")
        if on_device or events.use_device:
            columns += _memory("CUDA", "device")
    columns.append(_Column("# of Calls", lambda row: str(row.count)))
    if any(row.stack for row in rows):
        longest = max(len(line) for row in rows for line in row.stack or [""]) + 4
        columns.append(
            _Column(_CALLERS, lambda row: (row.stack or [""])[0], min(longest, widths[1]))
        )
    if any(row.input_shapes for row in rows):
        longest = max(len(str(row.input_shapes)) for row in rows) + 4
        width = max(_NARROW, min(longest, widths[2]))
        columns.append(_Column("Input Shapes", lambda row: str(row.input_shapes), width))
    if events.with_flops:
        columns.append(_flops(rows))
    return columns


def _times(events: Any, title: str, name: str, unit: str | None) -> list[_Column]:
    whole, text = sum(getattr(event, f"self_{name}_time_total") for event in events), _time(unit)

    def of(attribute: str) -> Callable[[Any], float]:
        return lambda row: getattr(row, attribute)

    own, total, average = (
        of(f"self_{name}_time_total"),
        of(f"{name}_time_total"),
        of(f"{name}_time"),
    )
    share = _Column(f"Self {title} %", lambda row: share_text(own(row), whole))
    itself = _Column(f"Self {title}", lambda row: text(own(row)))
    both = _Column(f"{title} total", lambda row: text(total(row)))
    mean = _Column(f"{title} time avg", lambda row: text(average(row)), _NARROW + (name != "cpu"))
    if name != "cpu":
        return [itself, share, both, mean]
    return [
        share,
        itself,
        _Column("CPU total %", lambda row: share_text(total(row), whole)),
        both,
        mean,
    ]


def _memory(title: str, name: str) -> list[_Column]:
    return [
        _Column(f"{title} Mem", lambda row: memory_text(getattr(row, f"{name}_memory_usage"))),
        _Column(
            f"Self {title} Mem",
            lambda row: memory_text(getattr(row, f"self_{name}_memory_usage")),
            _NARROW + (name != "cpu"),
        ),
    ]


def _flops(rows: list) -> _Column:
    """In the unit that suits the largest."""
    power = 0
    while power < 5 and max(row.flops for row in rows) >= 1000 ** (power + 1):
        power += 1
    title = "Total " + ("", "K", "M", "G", "T", "P")[power] + "FLOPs"
    return _Column(title, lambda row: f"{row.flops / 1000**power:.3f}" if row.flops else "--")


def _callers(row: Any, columns: list[_Column]) -> list[str]:
    """The callers but the innermost, below each other."""
    lines = []
    for caller in (row.stack or [])[1:_STACK_LINES]:
        texts = [c.cell(caller if c.title == _CALLERS else "") + "  " for c in columns]
        lines.append("".join(texts))
    return lines


def _totals(events: Any, unit: str | None) -> list[str]:
    text = _time(unit)
    lines = [f"Self CPU time total: {text(sum(e.self_cpu_time_total for e in events))}"]
    on_device = sum(e.self_device_time_total for e in events)
    if on_device or events.use_device:
        lines.append(f"Self CUDA time total: {text(on_device)}")
    return lines
