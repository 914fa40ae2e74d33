"""CUDA devices: how many, which is current, what they are, waiting for them."""

from typing import Any, NamedTuple

from .._core.device import cuda_status
from .._core.library import cuda_library
from ._state import index_of, lib, runtime

__all__ = [
    "can_device_access_peer", "current_device", "device", "device_count", "device_of",
    "get_arch_list", "get_device_capability", "get_device_name", "get_device_properties", "init",
    "is_available", "is_bf16_supported", "is_initialized", "set_device", "synchronize",
    "unavailable_reason",
]  # fmt: skip


def is_available() -> bool:
    """Can tensors live on a CUDA device here? Never raises; `unavailable_reason()` says why not."""
    return cuda_status()[0]


def unavailable_reason() -> str:
    """Why `is_available()` is False; empty where it is True."""
    return cuda_status()[1]


def device_count() -> int:
    """How many CUDA devices can be used: 0 where `is_available()` is False."""
    found = cuda_library()
    return 0 if isinstance(found, str) else int(found.module.cuda.runtime.getDeviceCount())


def init() -> None:
    """Load CuPy now rather than with the first CUDA tensor. RuntimeError without a device."""
    lib("init")


def is_initialized() -> bool:
    """Has a CUDA device been used?"""
    from .._core.library import installed

    return installed() is not None


def current_device() -> int:
    """The number of the device on which `device("cuda")` makes tensors."""
    return int(runtime("current_device").getDevice())


def set_device(device: Any) -> None:
    """Make a device the current one; better is `with cuda.device(i)`. A negative number does
    nothing, as in PyTorch."""
    if isinstance(device, int) and device < 0:
        return
    runtime("set_device").setDevice(index_of(device, "set_device"))


class device:
    """A context in which another device is the current one; None or a negative number changes
    nothing."""

    def __init__(self, device: Any) -> None:
        """See the class."""
        self.idx = -1 if device is None or device == -1 else index_of(device, "device")
        self.prev_idx = -1

    def __enter__(self) -> "device":
        """Change the current device."""
        if self.idx >= 0:
            self.prev_idx = current_device()
            runtime("device").setDevice(self.idx)
        return self

    def __exit__(self, *error: object) -> None:
        """Back to the device before."""
        if self.idx >= 0:
            runtime("device").setDevice(self.prev_idx)


class device_of(device):
    """A context in which the device of a tensor is the current one; of one on the CPU, nothing
    changes."""

    def __init__(self, obj: Any) -> None:
        """See the class."""
        super().__init__(obj.get_device() if obj.is_cuda else None)


class Properties(NamedTuple):
    """What `get_device_properties` returns. `total_memory`: bytes; `L2_cache_size`: bytes."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int
    warp_size: int
    max_threads_per_multi_processor: int
    shared_memory_per_block: int
    regs_per_multiprocessor: int
    L2_cache_size: int


def get_device_properties(device: Any = None) -> Properties:
    """A device's name, compute capability, memory (bytes), multiprocessors, ..."""
    p = runtime("get_device_properties").getDeviceProperties(
        index_of(device, "get_device_properties")
    )
    name = p["name"]
    return Properties(
        name.decode() if isinstance(name, bytes) else name, p["major"], p["minor"],
        p["totalGlobalMem"], p["multiProcessorCount"], p["warpSize"],
        p["maxThreadsPerMultiProcessor"], p["sharedMemPerBlock"], p["regsPerMultiprocessor"],
        p["l2CacheSize"],
    )  # fmt: skip


def get_device_name(device: Any = None) -> str:
    """A device's name, as its driver calls it."""
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """A device's compute capability: (9, 0) for an H100."""
    found = get_device_properties(device)
    return found.major, found.minor


def get_arch_list() -> list[str]:
    """The architectures that there are kernels for: those of the devices present, since kernels
    are compiled where they run."""
    found = {get_device_capability(i) for i in range(device_count())}
    return [f"sm_{major}{minor}" for major, minor in sorted(found)]


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Does the current device compute with bfloat16? All do in our kernels; those before compute
    capability 8.0 by way of float32, which `including_emulation=False` does not count."""
    if not is_available():
        return False
    return including_emulation or get_device_capability()[0] >= 8


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Can one device read the other's memory?"""
    what = "can_device_access_peer"
    first, second = index_of(device, what), index_of(peer_device, what)
    return bool(runtime(what).deviceCanAccessPeer(first, second))


def synchronize(device: Any = None) -> None:
    """Wait until a device has done all that it was given."""
    lib("synchronize").device(index_of(device, "synchronize")).synchronize()
