"""Whether indices on CUDA devices are checked against their range."""

from types import TracebackType

from .._core.library import Library, cuda_library

__all__ = ["check_indices"]


class check_indices:
    """Turn the check of indices on CUDA devices on or off, as a statement or for a while:

        with cuda.check_indices(False):
            y = table[numbers]

    It is on at first: an index out of range raises IndexError (or RuntimeError where PyTorch does
    so on the CPU), which costs one more kernel and a wait for the device. Where it is off such an
    index reads zeros or something else of the same tensor, and writes nothing or something else of
    it. TypeError for a `mode` that is no bool. Nothing happens where there is no CUDA device.
    """

    def __init__(self, mode: bool) -> None:
        """See the class."""
        if not isinstance(mode, bool):
            raise TypeError(
                f"check_indices(): argument 'mode' must be bool, not {type(mode).__name__}"
            )
        library = cuda_library()
        self._library: Library | None = None if isinstance(library, str) else library
        self._before = mode
        if self._library is not None:
            self._before, self._library.check_indices = self._library.check_indices, mode

    def __enter__(self) -> None:
        """Nothing more: the mode is set."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """What was before."""
        if self._library is not None:
            self._library.check_indices = self._before
