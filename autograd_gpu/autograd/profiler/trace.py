"""A profile as a Chrome trace: JSON that chrome://tracing and Perfetto show."""

import os
from collections.abc import Iterable
from typing import Any

__all__ = ["write_trace"]

_CATEGORIES = {"op": "cpu_op", "node": "cpu_op", "user": "user_annotation"}


def write_trace(events: Iterable[Any], path: Any, metadata: dict[str, Any]) -> None:
    """Write the events, times in microseconds since the profile began, and metadata beside
    them; to a file that ends in .gz, compressed."""
    import json

    rows = list(_names(events))
    starts: dict[int, Any] = {}
    for event in events:
        rows += _bars(event)
        if event.kind == "op" and event.sequence_nr > 0:
            first = starts.get(event.sequence_nr)
            if first is None or event.time_range.end < first.time_range.end:
                starts[event.sequence_nr] = event
    for event in events:
        if event.kind == "node" and event.sequence_nr in starts:
            rows += _arrow(starts[event.sequence_nr], event)
    text = json.dumps({"displayTimeUnit": "ms", **metadata, "traceEvents": rows}, default=str)
    path = os.fspath(path)
    if path.endswith(".gz"):
        import gzip

        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(text)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def _names(events: Iterable[Any]) -> Iterable[dict[str, Any]]:
    """What the rows of the picture are called."""
    here = os.getpid()

    def said(kind: str, process: Any, thread: Any, name: str) -> dict[str, Any]:
        return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}

    yield said("process_name", here, 0, "python")
    threads = {(e.native_thread, f"thread {e.thread}") for e in events}
    streams = {
        (e.device_number, e.device_resource_id) for e in events if e.device_range is not None
    }
    for thread, name in sorted(threads):
        yield said("thread_name", here, thread, name)
    for device in sorted({device for device, _ in streams}):
        yield said("process_name", device, 0, f"CUDA {device}")
    for device, stream in sorted(streams):
        yield said("thread_name", device, stream, f"stream {stream:#x}")


def _bars(event: Any) -> Iterable[dict[str, Any]]:
    """One on the host, and one on the device where it was at work."""
    said: dict[str, Any] = {"External id": event.id}
    if event.input_shapes:
        said["Input Dims"] = event.input_shapes
    if event.sequence_nr > 0:
        said["Sequence number"] = event.sequence_nr
    if event.fwd_thread is not None:
        said["Fwd thread id"] = event.fwd_thread
    if event.self_cpu_memory_usage or event.self_device_memory_usage:
        said["Bytes"] = event.self_cpu_memory_usage
        said["Device Bytes"] = event.self_device_memory_usage
    if event.flops:
        said["FLOPs"] = event.flops
    if event.concrete_inputs:
        said["Args"] = event.concrete_inputs[0]
    if event.stack:
        said["Call stack"] = ";".join(event.stack)
    bar = {"ph": "X", "name": event.trace_name, "args": said}
    span = event.time_range
    yield {
        **bar, "cat": _CATEGORIES[event.kind], "pid": os.getpid(), "tid": event.native_thread,
        "ts": span.start, "dur": span.elapsed_us(),
    }  # fmt: skip
    span = event.device_range
    if span is not None:
        yield {
            **bar, "cat": "gpu_op", "pid": event.device_number,
            "tid": event.device_resource_id, "ts": span.start, "dur": span.elapsed_us(),
        }  # fmt: skip


def _arrow(start: Any, end: Any) -> list[dict[str, Any]]:
    """From the op that recorded a node to the node's run."""
    both = {"name": "fwdbwd", "cat": "fwdbwd", "id": end.id, "pid": os.getpid()}
    return [
        {**both, "ph": "s", "tid": start.native_thread, "ts": start.time_range.start},
        {**both, "ph": "f", "bp": "e", "tid": end.native_thread, "ts": end.time_range.start},
    ]
