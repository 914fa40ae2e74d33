"""EventList: the events of a profile, their sums, and what is written from them."""

from collections.abc import Iterable
from typing import Any

from .events import FunctionEventAvg
from .table import table_text
from .trace import write_trace

__all__ = ["EventList"]

_NO_SEPARATORS = str.maketrans(" ;\t\n", "____")


class EventList(list):
    """Events in the order in which they began, or sums of them. `str` gives the table.

    `use_device`: "cuda" where times of the device were taken; `profile_memory`, `with_flops`:
    whether the table shows bytes and operations; `metadata`: what a trace says besides."""

    def __init__(
        self,
        events: Iterable[Any] = (),
        *,
        use_device: str | None = None,
        profile_memory: bool = False,
        with_flops: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """See the class."""
        super().__init__(events)
        self.use_device, self.profile_memory = use_device, profile_memory
        self.with_flops, self.metadata = with_flops, metadata

    def __str__(self) -> str:
        return self.table()

    def _like(self, events: Iterable[Any]) -> "EventList":
        return EventList(
            events, use_device=self.use_device, profile_memory=self.profile_memory,
            with_flops=self.with_flops, metadata=self.metadata,
        )  # fmt: skip

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events in microseconds, each counted once."""
        return sum(event.self_cpu_time_total for event in self)

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0
    ) -> "EventList":
        """One FunctionEventAvg a name, in the order of first appearance.

        `group_by_input_shapes`: one a name and input shapes; `group_by_stack_n`: one a name and
        the n innermost callers."""
        groups: dict[tuple, FunctionEventAvg] = {}
        for event in self:
            key: tuple = (event.key, event.is_user_annotation)
            if group_by_input_shapes:
                key += (str(event.input_shapes),)
            if group_by_stack_n > 0:
                key += tuple(event.stack[:group_by_stack_n])
            groups.setdefault(key, FunctionEventAvg()).add(event)
        for average in groups.values():
            average.stack = (average.stack or [])[:group_by_stack_n]
            if not group_by_input_shapes:
                average.input_shapes = ""
        return self._like(groups.values())

    def total_average(self) -> FunctionEventAvg:
        """The sum of all events, under the key "Total"."""
        total = FunctionEventAvg()
        for event in self:
            total.add(event)
        total.key = "Total"
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """The events as a table, a line each.

        Args:
            sort_by: an attribute, the largest first: `cpu_time`, `cpu_time_total`,
                `self_cpu_time_total`, `cuda_time_total`, `cpu_memory_usage`, `count` ...
            row_limit: how many lines, -1 for all.
            max_src_column_width: of the column of callers (`with_stack`).
            max_name_column_width: longer names are cut.
            max_shapes_column_width: longer shapes are cut.
            header: a line above.
            top_level_events_only: only what was called by the program itself.
            time_unit: "us", "ms" or "s" for all times, else what suits each.

        Raises:
            AttributeError: events have no attribute `sort_by`.
            ValueError: `time_unit` is none of the three.
        """
        return table_text(
            self, sort_by, row_limit,
            (max_name_column_width, max_src_column_width, max_shapes_column_width),
            header, top_level_events_only, time_unit,
        )  # fmt: skip

    def export_chrome_trace(self, path: Any) -> None:
        """Write a file that chrome://tracing and ui.perfetto.dev show: each event as a bar, by
        threads, with its input shapes; backward nodes linked to the ops that recorded them.

        Raises TypeError for sums, which have no place in time."""
        if any(isinstance(event, FunctionEventAvg) for event in self):
            raise TypeError("export_chrome_trace: sums have no place in time; export the events")
        write_trace(self, path, self.metadata or {})

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Write a line a stack of callers, outermost first, and its microseconds: what
        flamegraph.pl draws.

        Raises ValueError where `metric` is neither "self_cpu_time_total" nor
        "self_cuda_time_total"."""
        if metric not in ("self_cpu_time_total", "self_cuda_time_total"):
            raise ValueError(
                "export_stacks: metric should be one of: self_cpu_time_total, "
                f"self_cuda_time_total; got {metric!r}"
            )
        with open(path, "w", encoding="utf-8") as file:
            for event in self:
                value = int(getattr(event, metric))
                if event.stack and value > 0:
                    callers = (c.translate(_NO_SEPARATORS) for c in reversed(event.stack))
                    file.write(";".join(callers) + f" {value}\n")
