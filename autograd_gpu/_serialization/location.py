"""Where loaded storages go: the argument `map_location` in all its forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._core.device import cpu, cuda_status, device
from .errors import brief

__all__ = ["Place", "locator"]


class Place:
    """What a `map_location` function receives: a storage that is still to be placed.

    The function returns it, `place.cpu()` or `place.cuda(1)`; None leaves the file's location.
    """

    def __init__(self, where: device, size: int) -> None:
        self.device, self._size = where, size

    def nbytes(self) -> int:
        """Bytes of the storage."""
        return self._size

    def cpu(self) -> Place:
        """The same storage in host memory."""
        return Place(cpu, self._size)

    def cuda(self, index: int | None = None) -> Place:
        """The same storage on a GPU."""
        return Place(device("cuda", index or 0), self._size)


def locator(map_location: Any) -> Callable[[str, int], device]:
    """From a location tag of the file and a size to the device.

    Args:
        map_location: None (where it was saved), a device or its name, a dictionary from tags to
            tags or devices, or a function of a `Place` and a tag.

    Raises:
        TypeError: it is none of these.
    """
    if map_location is None:
        return lambda tag, size: _restore(tag)
    if isinstance(map_location, (str, device)):
        target = _checked(device(map_location))
        return lambda tag, size: target
    if isinstance(map_location, Mapping):
        return lambda tag, size: _restore(map_location.get(tag, tag))
    if callable(map_location):
        return lambda tag, size: _called(map_location, tag, size)
    raise TypeError(
        "load: map_location must be None, a device, a device's name, a dictionary or a function, "
        f"got {type(map_location).__name__}"
    )


def _called(function: Callable[..., Any], tag: str, size: int) -> device:
    result = function(Place(cpu, size), tag)
    if result is None:
        return _restore(tag)
    if not isinstance(result, Place):
        raise TypeError(
            "load: the map_location function must return the storage it was given, "
            f"storage.cpu(), storage.cuda() or None, got {type(result).__name__}"
        )
    return _checked(result.device)


def _restore(tag: Any) -> device:
    try:
        return _checked(device(tag))
    except RuntimeError as error:
        if "device string" not in str(error):
            raise
    raise RuntimeError(
        f"don't know how to restore data location of a storage (tagged with {brief(tag)}); "
        "use map_location to say where it should go, as in load(f, map_location='cpu')"
    )


def _checked(where: device) -> device:
    if where.type == "cuda":
        available, reason = cuda_status()
        if not available:
            raise RuntimeError(
                "Attempting to deserialize object on a CUDA device but "
                f"torch.cuda.is_available() is False ({reason}). Use load(f, map_location='cpu') "
                "to place the storages on the CPU."
            )
    return where
