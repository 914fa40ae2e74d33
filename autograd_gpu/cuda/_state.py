"""What all of `cuda` needs: the library, or an error that says why there is none."""

from typing import Any

from .._core.device import cuda_status
from .._core.device import device as Device
from .._core.library import Library, cuda_library

__all__ = ["index_of", "lib", "runtime"]


def lib(what: str) -> Library:
    """The library that computes for CUDA. RuntimeError, naming the function, without one."""
    found = cuda_library()
    if isinstance(found, str):
        raise RuntimeError(f"cuda.{what}() needs a CUDA device: {cuda_status()[1]}")
    return found


def runtime(what: str) -> Any:
    """CUDA's runtime, as CuPy binds it."""
    return lib(what).module.cuda.runtime


def index_of(device: Any, what: str) -> int:
    """The number of a device argument: a number, a name, a device; None is the current device.
    ValueError for one of another kind, RuntimeError for a number without a device."""
    if device is None:
        return int(runtime(what).getDevice())
    if isinstance(device, int):
        index = device
    else:
        place = Device(device)
        if place.type != "cuda":
            raise ValueError(f"Expected a cuda device, but got: {place}")
        if place.index is None:
            return int(runtime(what).getDevice())
        index = place.index
    count = runtime(what).getDeviceCount()
    if not 0 <= index < count:
        raise RuntimeError(
            f"cuda.{what}(): invalid device ordinal {index}: there are {count} CUDA devices"
        )
    return index
