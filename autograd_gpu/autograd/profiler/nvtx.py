"""emit_nvtx: ops as ranges for NVIDIA's own tools."""

from typing import Any

from ..._core.library import cuda_library
from ..node import Output, verbs
from ..watch import watchers
from .ranges import markers
from .record import shapes_of

__all__ = ["emit_itt", "emit_nvtx"]


class emit_nvtx:
    """While it lasts, every op, node of a backward pass and `record_function` is an NVTX range, to
    be seen in Nsight Systems (`nsys profile python program.py`), where the kernels are.

    Args:
        enabled: False does nothing.
        record_shapes: add the shapes of the arguments to the names.

    Raises:
        RuntimeError: there is no CUDA device or CuPy was built without NVTX; or it is entered
            twice.
    """

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        """See the class."""
        self.enabled, self.record_shapes, self.entered = enabled, record_shapes, False
        self._nvtx: Any = None

    def __enter__(self) -> "emit_nvtx | None":
        if self.entered:
            raise RuntimeError("NVTX annotation context manager is not reentrant")
        self.entered = True
        if not self.enabled:
            return None
        self._nvtx = _nvtx()
        verbs["observe"](self._observe)
        watchers.append(self._watch)
        markers.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._nvtx is not None:
            markers.remove(self)
            watchers.remove(self._watch)
            verbs["unobserve"](self._observe)

    def push(self, name: str) -> None:
        """A range begins."""
        self._nvtx.RangePush(name)

    def pop(self) -> None:
        """The innermost ends."""
        self._nvtx.RangePop()

    def _observe(self, gate: Any, call: Any, args: tuple, kwargs: dict) -> Any:
        name = gate.title(args)
        if self.record_shapes:
            name += f", sizes = {shapes_of(gate.params, gate.given(args), kwargs)}"
        self.push(name)
        try:
            return call(*args, **kwargs)
        finally:
            self.pop()

    def _watch(self, node: Any, grad: Any) -> Any:
        name = "" if isinstance(node, Output) else f"{node.name()}, seq = {node.seq}"
        return _Range(self, name)


class _Range:
    def __init__(self, marker: emit_nvtx, name: str) -> None:
        self.marker, self.name = marker, name

    def __enter__(self) -> None:
        if self.name:
            self.marker.push(self.name)

    def __exit__(self, *_: object) -> None:
        if self.name:
            self.marker.pop()


def _nvtx() -> Any:
    library = cuda_library()
    if isinstance(library, str):
        raise RuntimeError(f"emit_nvtx: NVTX ranges need CUDA: {library}")
    found = getattr(library.module.cuda, "nvtx", None)
    if found is None:
        raise RuntimeError("emit_nvtx: this CuPy was built without NVTX (cupy.cuda.nvtx)")
    return found


class emit_itt:
    """Ranges for Intel's VTune: not there. RuntimeError, unless `enabled` is False."""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        """See the class."""
        if enabled:
            raise RuntimeError(
                "emit_itt is not there: ranges for Intel's tools need its ITT library. Use "
                "profile() and export_chrome_trace(), or emit_nvtx() on CUDA"
            )

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None
