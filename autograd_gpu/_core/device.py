"""Where an array lives and which library computes on it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from .library import LIBRARIES, Library, cuda_library, installed, loaded_class

__all__ = [
    "as_device", "at", "carried", "cpu", "cuda", "cuda_status", "device", "device_of",
    "get_default_device", "guard", "library", "move", "on", "set_default_device",
]  # fmt: skip


class device:
    """A place for tensors: `device("cpu")`, `device("cuda")`, `device("cuda:1")`, `device("cuda",
    1)`."""

    __slots__ = ("index", "type")
    index: int | None
    type: str

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index if index is None else index
        if isinstance(type, int):
            type, index = "cuda", type
        name, colon, number = str(type).partition(":")
        if name not in ("cpu", "cuda"):
            raise RuntimeError(
                f"Expected one of cpu, cuda device type at start of device string: {type}"
            )
        if colon:
            if index is not None:
                raise RuntimeError(
                    "type (string) must not include an index because index was passed explicitly: "
                    + str(type)
                )
            if not number.isdigit():
                raise RuntimeError(f"Invalid device string: '{type}'")
            index = int(number)
        if index is not None and index < 0:
            raise RuntimeError(f"Device index must be non-negative, got {index}")
        self.type, self.index = name, index

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> "device":
        """Until `__exit__`, tensors that name no device are made here."""
        _default.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _default.pop()

    def __reduce__(self) -> Any:
        return device, (self.type, self.index)


cpu = device("cpu")


_default = [cpu]  # what `with device(...)` and set_default_device put here


def as_device(value: Any) -> device:
    """A device argument: None means the default device."""
    if value is None:
        return _default[-1]
    return value if isinstance(value, device) else device(value)


def get_default_device() -> device:
    """Where tensors are made that name no device."""
    return _default[-1]


def set_default_device(device: Any) -> None:
    """Make tensors that name no device on this one from now on; None means the CPU. RuntimeError
    where it cannot be used."""
    place = as_device("cpu" if device is None else device)
    if place.type == "cuda":
        cuda(place)
    _default[-1] = place


def device_of(array: Any) -> device:
    """The device that an array lies on."""
    return cpu if isinstance(array, np.ndarray) else _places[array.device.id]


class _Places(dict):
    """CUDA devices by number, made when first asked for."""

    def __missing__(self, index: int) -> device:
        self[index] = place = device("cuda", index)
        return place


_places = _Places()


def library(array: Any) -> Any:
    """The library that computes on an array: NumPy, or that of CUDA arrays."""
    found = LIBRARIES.get(array.__class__)
    if found is not None:
        return found
    if isinstance(array, (np.ndarray, np.generic)):
        return np
    if loaded_class(array):
        return LIBRARIES[array.__class__]
    raise TypeError(f"expected an array of NumPy or CuPy, got {type(array).__name__}")


def cuda_status() -> tuple[bool, str]:
    """Can tensors live on a CUDA device here, and if not, why not. Never raises."""
    found = cuda_library()
    return (False, found) if isinstance(found, str) else (True, "")


def cuda(place: device | None = None) -> Library:
    """The library that computes for a CUDA device. RuntimeError where there is none, with the
    reason, or no such device."""
    found = cuda_library()
    if isinstance(found, str):
        raise RuntimeError(f"cannot use device '{place or 'cuda'}': {found}")
    index = None if place is None else place.index
    if index is not None and index >= (count := found.module.cuda.runtime.getDeviceCount()):
        raise RuntimeError(
            f"CUDA error: invalid device ordinal: there is no device '{place}', but {count}"
        )
    return found


def move(array: Any, target: device, non_blocking: bool = False) -> Any:
    """The array on another device: itself where it lies there already. RuntimeError with the
    reason where the device cannot be used. `non_blocking`: from the device to the host, do not
    wait for the copy to end; CuPy then needs page-locked memory to gain anything."""
    if target.type == "cpu":
        return array if isinstance(array, np.ndarray) else _to_host(array, non_blocking)
    xp = cuda(target)
    if isinstance(array, np.ndarray):
        if target.index is None:
            return xp.from_host(array)
        with xp.device(target.index):
            return xp.from_host(array)
    if target.index is None or target.index == array.device.id:
        return array
    with xp.device(target.index):
        return xp.array(array)


def _to_host(array: Any, non_blocking: bool) -> Any:
    out = array.get(blocking=not non_blocking)
    return out if isinstance(out, np.ndarray) else np.asarray(out)


def on(place: device) -> Any:
    """The library that makes arrays for a device: inside `with at(place)`."""
    return np if place.type == "cpu" else cuda(place)


def guard(array: Any) -> Any:
    """A context in which the device of an array is the current one, as plain operators on arrays
    of several devices need; it costs nothing where there is one device."""
    xp = LIBRARIES.get(array.__class__)
    if xp is None or xp is np or not xp.several_devices:
        return nullcontext()
    index = array.data.device_id
    return nullcontext() if index == xp.current_device() else xp.device(index)


def carried() -> AbstractContextManager[None]:
    """A context for another thread, in which its device and stream are this thread's: CUDA and
    CuPy keep them for each thread."""
    xp = installed()
    if xp is None:
        return nullcontext()
    index, stream = xp.module.cuda.runtime.getDevice(), xp.module.cuda.get_current_stream()

    @contextmanager
    def there() -> Iterator[None]:
        with xp.device(index), stream:
            yield

    return there()


def at(place: device) -> Any:
    """A context in which a library makes its arrays on a device."""
    if place.type == "cpu" or place.index is None:
        return nullcontext()
    return cuda(place).device(place.index)
