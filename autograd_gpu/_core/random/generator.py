"""The random number generator: seeds, state, and the array-level draws."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from ..device import cuda, device
from . import choices as _choices
from . import counts as _counts
from . import draws as _draws
from . import gamma as _gamma
from . import integers as _integers
from . import normal as _normal
from . import permutation as _permutation
from . import transforms as _transforms
from . import uniform as _uniform
from .philox import Philox
from .words import Mersenne

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..tensor import Tensor

__all__ = ["DEFAULT_SEED", "Generator", "default_generator"]

DEFAULT_SEED = 67280421310721  # a Generator's seed before it is given one, as in PyTorch
P = ParamSpec("P")
R = TypeVar("R")
_SOURCES = {source.name: source for source in (Mersenne, Philox)}


def _locked(
    draw: Callable[Concatenate[Generator, P], R],
    counted: Callable[..., R] | None = None,
) -> Callable[Concatenate[Generator, P], R]:
    """A method out of a function of a generator, with one thread at a time inside. `counted`: the
    function for a Philox stream, where it is another."""

    @functools.wraps(draw)
    def method(self: Generator, *args: P.args, **options: P.kwargs) -> R:
        with self.lock:
            if not self.counted:
                return draw(self, *args, **options)
            if counted is not None:
                return counted(self, *args, **options)
            self.cached_normal = None  # the state of a Philox stream has no place for one
            return draw(self, *args, **options)

    return method


class Generator:
    """A stream of random numbers that equals PyTorch's on the CPU for the same seed.

    ``algorithm="mt19937"``, the default of the CPU, is PyTorch's generator there. ``"philox"``, the
    only one of CUDA devices, is counter-based: any device can make any part of its stream, so the
    same seed gives the same numbers on all of them, CPU included.

    The methods below `state_bytes` draw NumPy arrays; they give flat arrays in the order of
    drawing, which is the memory order of the tensor that they fill. Those of a Philox stream take
    `out=`, an array of any device.

    Args:
        device: the device of the tensors it fills, ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        algorithm: ``"mt19937"`` or ``"philox"``; None is the device's default.

    Raises:
        RuntimeError: a device that cannot be used.
        ValueError: another algorithm, or one that the device does not have.
    """

    def __init__(self, device: Any = "cpu", *, algorithm: str | None = None) -> None:
        self._device = _place(device)
        known = sorted(_SOURCES) if self._device.type == "cpu" else [Philox.name]
        if algorithm is None:
            algorithm = known[0]
        if algorithm not in known:
            raise ValueError(
                f"Generator: expected an algorithm of {known} for {self._device}, "
                f"but got {algorithm!r}"
            )
        self.algorithm = algorithm
        self.counted = algorithm == Philox.name
        self.source = _SOURCES[algorithm]()
        self.lock = threading.RLock()
        self.cached_normal: float | None = None
        self._start(DEFAULT_SEED)

    def _start(self, seed: int) -> None:
        self._seed = seed
        self.cached_normal = None
        self.source.reseed(seed)

    # ---- PyTorch's interface

    @property
    def device(self) -> Any:
        """The device of the tensors that it fills."""
        return self._device

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed`, of -2**63 ... 2**64 - 1, and give the generator.

        Only the low 32 bits decide the numbers of MT19937. A negative seed stands for
        seed + 2**64.

        Raises:
            RuntimeError: a seed that is not an int.
            ValueError: a seed out of range.
        """
        value = checked_seed(seed)
        with self.lock:
            self._start(value)
        return self

    def seed(self) -> int:
        """Start the stream of a new random 64-bit seed, and give the seed."""
        value = int.from_bytes(os.urandom(8))
        with self.lock:
            self._start(value)
        return value

    def initial_seed(self) -> int:
        """The seed that the stream started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """The state as a uint8 tensor on the CPU: PyTorch's 5056 bytes, or 16 of a Philox stream
        (seed and offset, as PyTorch's CUDA generators have them)."""
        from ..tensor import make

        return make(np.frombuffer(self.state_bytes(), np.uint8).copy())

    def set_state(self, new_state: Tensor) -> None:
        """Take up a state that `get_state` gave, here or in PyTorch.

        Raises:
            TypeError: not a uint8 tensor.
            RuntimeError: a wrong number of bytes, or bytes that are no state.
        """
        array = getattr(new_state, "_array", None)
        if array is None:
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        if getattr(array, "dtype", None) != np.uint8:
            raise TypeError(
                f"RNG state must be a torch.ByteTensor, but got a tensor of {new_state.dtype}"
            )
        self.load_state_bytes(array.tobytes())

    def clone_state(self) -> Generator:
        """A generator that stands where this one does, its cached normal included."""
        other = Generator(self._device, algorithm=self.algorithm)
        other.load_state_bytes(self.state_bytes())
        return other

    def get_offset(self) -> int:
        """How many words a Philox stream has given. The next tensor begins at a multiple of 4.

        Raises:
            RuntimeError: an MT19937 generator, which has no offset.
        """
        return self._philox().position

    def set_offset(self, offset: int) -> None:
        """Go to a word of a Philox stream.

        Raises:
            RuntimeError: an MT19937 generator, which has no offset.
            ValueError: not in 0 ... 2**64 - 1.
        """
        source = self._philox()
        if not 0 <= int(offset) < 2**64:
            raise ValueError(f"set_offset: expected an offset of 0 to 2**64 - 1, but got {offset}")
        with self.lock:
            source.position = int(offset)

    def _philox(self) -> Philox:
        if isinstance(self.source, Philox):
            return self.source
        raise RuntimeError("CPU Generator does not use offset: it is one of algorithm='mt19937'")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.algorithm, self.state_bytes(), str(self._device))

    # ---- state as bytes, words, numbers

    def state_bytes(self) -> bytes:
        """The state, little endian."""
        with self.lock:
            return self.source.dump(self._seed, self.cached_normal)

    def load_state_bytes(self, data: bytes) -> None:
        """Take up state bytes; RuntimeError, and nothing changed, where they are none."""
        if len(data) != self.source.state_bytes:
            wanted = self.source.state_bytes
            if self.counted:
                raise RuntimeError(f"RNG state is wrong size: {len(data)} bytes, not {wanted}")
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {wanted} but found "
                f"the input RNG state size to be {len(data)}"
            )
        with self.lock:
            self._seed, self.cached_normal = self.source.load(data)

    def mark(self) -> Any:
        """Where the stream stands, for `back`: much quicker than its bytes."""
        with self.lock:
            return self._seed, self.cached_normal, self.source.mark()

    def back(self, mark: Any) -> None:
        """Return to where `mark` was taken."""
        with self.lock:
            self._seed, self.cached_normal, place = mark
            self.source.back(place)

    def words(self, n: int) -> NDArray[np.uint64]:
        """The next n 32-bit words, in a uint64 array."""
        return self.source.words(n)

    uniform = _locked(_uniform.uniform, _draws.uniform)
    normal = _locked(_normal.normal, _draws.normal)
    log_normal = _locked(_normal.log_normal, _draws.log_normal)
    exponential = _locked(_transforms.exponential, _draws.exponential)
    cauchy = _locked(_transforms.cauchy, _draws.cauchy)
    geometric = _locked(_transforms.geometric, _draws.geometric)
    uniform53 = _locked(_uniform.uniform53, _draws.uniform53)
    randint = _locked(_integers.randint, _draws.randint)
    random = _locked(_integers.random, _draws.random)
    randperm = _locked(_permutation.randperm, _draws.randperm)
    bernoulli = _locked(_choices.bernoulli, _draws.bernoulli)
    bernoulli_each = _locked(_choices.bernoulli_each, _draws.bernoulli_each)
    dropout_noise = _locked(_choices.dropout_noise, _draws.dropout_noise)
    multinomial = _locked(_choices.multinomial, _draws.multinomial)
    poisson = _locked(_counts.poisson)
    binomial = _locked(_counts.binomial)
    standard_gamma = _locked(_gamma.standard_gamma)
    dirichlet = _locked(_gamma.dirichlet)

    def take(self, counters: int) -> tuple[int, int]:
        """The seed, and the first of that many counters of a Philox stream, which nothing else will
        be given."""
        with self.lock:
            return self._philox().take(counters)

    def seed_draw(self) -> int:
        """A seed below 2**63 out of the stream: what samplers and loaders seed others with."""
        return int(self.random(1, dtype=np.int64)[0])


def checked_seed(seed: Any) -> int:
    """A seed as an integer of 64 bits; see `Generator.manual_seed` for the errors."""
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
    value = seed.__index__()
    if not -(2**63) <= value < 2**64:
        raise ValueError(
            f"Overflow when unpacking long long: expected a seed of -2**63 to 2**64 - 1, "
            f"but got {value}"
        )
    return value % 2**64


def _place(place: Any) -> Any:
    """The device of a generator, with its number. RuntimeError where it cannot be used."""
    place = place if isinstance(place, device) else device(place)
    if place.type == "cpu":
        return place
    xp = cuda(place)
    return device("cuda", xp.current_device()) if place.index is None else place


def _rebuild(algorithm: str, data: bytes, place: str) -> Generator:
    generator = Generator(place, algorithm=algorithm)
    generator.load_state_bytes(data)
    return generator


default_generator = Generator()
default_generator.seed()


def _renew_lock() -> None:
    """Another thread may have held the lock when the process forked."""
    default_generator.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
