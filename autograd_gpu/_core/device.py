"""Where an array lives and which library computes on it. One of the two modules that may import
CuPy, and only lazily."""

import sys
from typing import Any

import numpy as np

__all__ = ["as_device", "cpu", "cuda_status", "device", "device_of", "library", "move"]


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

    def __reduce__(self) -> Any:
        return device, (self.type, self.index)


cpu = device("cpu")


def as_device(value: Any) -> device:
    """A device argument: None means the CPU."""
    if value is None:
        return cpu
    return value if isinstance(value, device) else device(value)


def device_of(array: Any) -> device:
    """The device that an array lies on."""
    return cpu if isinstance(array, np.ndarray) else device("cuda", array.device.id)


def library(array: Any) -> Any:
    """The module that computes on an array: NumPy, or CuPy for an array of its own."""
    return (
        np
        if isinstance(array, (np.ndarray, np.generic))
        else sys.modules[array.__class__.__module__.split(".")[0]]
    )


def cuda_status() -> tuple[bool, str]:
    """Can tensors live on a CUDA device here, and if not, why not. Never raises."""
    try:
        import cupy
    except ImportError as error:
        return False, f"CuPy is not installed ({error}); see the extras cuda12x and cuda13x"
    except Exception as error:  # a broken installation must not break an import of ours
        return False, f"CuPy is installed but does not import: {error}"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        return False, f"CuPy found no usable CUDA driver or device: {error}"
    return False, (
        f"CuPy works and sees {count} device(s), but this version of autograd_gpu computes on the "
        "CPU only"
    )


def move(array: Any, target: device) -> Any:
    """The array on another device. RuntimeError with the reason where it cannot be used."""
    if target.type == "cpu":
        return array if isinstance(array, np.ndarray) else array.get()
    raise RuntimeError(f"cannot use device '{target}': {cuda_status()[1]}")
