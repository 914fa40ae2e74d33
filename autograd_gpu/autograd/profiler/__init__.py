"""How long each op takes: profiles as tables and Chrome traces, and ranges for NVIDIA's tools."""

from .event_list import EventList
from .events import DeviceType, FunctionEvent, FunctionEventAvg, Interval
from .nvtx import emit_itt, emit_nvtx
from .profile import profile
from .ranges import record_function

__all__ = [
    "DeviceType", "EventList", "FunctionEvent", "FunctionEventAvg", "Interval", "emit_itt",
    "emit_nvtx", "profile", "record_function",
]  # fmt: skip
