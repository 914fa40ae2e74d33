"""What a checkpoint may name, and how each is made from checked arguments: the allow-list.

Nothing here imports by name, and no function does more than build a value, so that a file can at
worst be refused.
"""

from __future__ import annotations

import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, cast

from .._core.device import device
from .._core.dtype import BY_NAME, bfloat16, dtype
from .._core.size import Size
from .._core.tensor import Tensor, make
from ..nn.parameter import Parameter
from .decode import Callee, Decoder
from .errors import FileError, brief, refusal
from .numpy_values import NumpyDtype, numpy_array, numpy_scalar
from .storages import STORAGE_TYPES, Storage, strided

__all__ = ["Names"]

Spend = Callable[[int], None]


class Names:
    """The globals of one file; `find` gives a `Callee` or a value, or refuses.

    Args:
        fail: makes the FileError for a tensor that does not fit its storage.
    """

    def __init__(self, fail: Callable[[str], FileError]) -> None:
        self._fail = fail
        self.decoder: Decoder | None = None
        calls: dict[str, Callable[[tuple[Any, ...], Spend], Any]] = {
            "collections.OrderedDict": self._ordered_dict,
            "collections.Counter": _counter,
            "builtins.set": lambda args, spend: set(self._elements(args, spend)),
            "builtins.frozenset": lambda args, spend: frozenset(self._elements(args, spend)),
            "builtins.complex": _complex,
            "builtins.bytes": _bytes,
            "builtins.bytearray": lambda args, spend: bytearray(_bytes(args, spend)),
            "_codecs.encode": _bytes,
            "torch.Size": _size,
            "torch.device": _device,
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_tensor_v3": self._tensor,
            "torch._utils._rebuild_parameter": self._parameter,
            "torch._utils._rebuild_parameter_with_state": self._parameter,
            "torch._tensor._rebuild_from_type_v2": self._from_type,
            "numpy.dtype": lambda args, spend: NumpyDtype(args),
        }
        for package in ("numpy._core", "numpy.core"):  # the second before NumPy 2
            calls[f"{package}.multiarray.scalar"] = numpy_scalar
            calls[f"{package}.multiarray._reconstruct"] = numpy_array
        self._values: dict[str, Any] = {n: Callee(n, build) for n, build in calls.items()}
        self._values |= {f"torch.{d.name}": d for d in BY_NAME.values()}
        for name, kind in STORAGE_TYPES.items():
            self._values[f"torch.{name}"] = self._values[f"torch.storage.{name}"] = kind
        for name in ("torch.Tensor", "torch.nn.parameter.Parameter", "numpy.ndarray"):
            self._values[name] = name

    def find(self, name: str) -> Any:
        """What a global stands for.

        Raises:
            pickle.UnpicklingError: it is not on the list; nothing was imported or called.
        """
        if name in self._values:
            return self._values[name]
        if name == "torch.bfloat16":
            return bfloat16()
        raise refusal(
            f"The file names the global {name!r}, which is not allowed: files are read without "
            "running any code, and hold tensors and plain values only (a state_dict(), not a model)"
        )

    # ---- containers

    def _elements(self, args: tuple[Any, ...], spend: Spend) -> list[Any]:
        items = _only(args, "set", list) if args else []
        spend(len(items))
        assert self.decoder is not None
        for item in items:
            self.decoder.admit(item, items)
        return items

    def _ordered_dict(self, args: tuple[Any, ...], spend: Spend) -> OrderedDict[Any, Any]:
        result: OrderedDict[Any, Any] = OrderedDict()
        pairs = _only(args, "OrderedDict", list) if args else []
        spend(len(pairs))
        assert self.decoder is not None
        for pair in pairs:
            if type(pair) not in (list, tuple) or len(pair) != 2:
                raise refusal("The file makes an OrderedDict of something that is no list of pairs")
            self.decoder.admit(pair[0], result)
            result[pair[0]] = pair[1]
        return result

    # ---- tensors

    def _tensor(self, args: tuple[Any, ...], spend: Spend) -> Tensor:
        rest: list[Any] = []
        match args:
            case (Storage() as storage, offset, size, stride):
                requires_grad = False
            case (Storage() as storage, offset, size, stride, bool(requires_grad), _, *rest):
                pass
            case _:
                raise refusal("The file makes a tensor of something that is no storage")
        spend(len(size) if isinstance(size, tuple) else 1)
        kind = next((r for r in rest if isinstance(r, dtype)), None)
        if storage.untyped and kind is None:
            raise refusal("The file makes a tensor of an untyped storage without a dtype")
        try:
            array = strided(storage, kind, offset, size, stride)
            flags: dict[Any, Any] = next((r for r in rest if isinstance(r, dict)), {})
            result: Any = make(_resolved(array, flags))
            result.requires_grad_(requires_grad)
        except (ValueError, TypeError, RuntimeError, OverflowError, MemoryError) as error:
            raise self._fail(f"is damaged: {error}") from error
        return cast(Tensor, result)

    def _parameter(self, args: tuple[Any, ...], spend: Spend) -> Tensor:
        match args:
            case (Tensor() as data, bool(requires_grad), _, *rest):
                pass
            case _:
                raise refusal("The file makes a Parameter of something that is no tensor")
        try:
            result = Parameter(data, requires_grad)
        except RuntimeError as error:
            raise self._fail(f"is damaged: {error}") from error
        return _with_attributes(result, rest[0] if rest else {})

    def _from_type(self, args: tuple[Any, ...], spend: Spend) -> Tensor:
        match args:
            case (Callee() as make_it, str(kind), tuple(inner), state):
                made = make_it.name.startswith("torch._utils._rebuild_tensor")
                if made and kind == "torch.Tensor":
                    return _with_attributes(make_it.build(inner, spend), state)
        raise refusal("The file makes an object of a Tensor subclass, which is not read")


def _resolved(array: Any, flags: dict[Any, Any]) -> Any:
    """PyTorch saves lazily conjugated or negated tensors as they lie in memory, with a note."""
    if flags.get("conj"):
        array = array.conj()
    return -array if flags.get("neg") else array


def _with_attributes(tensor: Tensor, state: Any) -> Tensor:
    """Set Python attributes where the tensor takes any; say so where it does not."""
    names = list(state) if type(state) is dict else []
    lost: list[Any] = []
    for name in names:
        if not isinstance(name, str) or name.startswith("_") or hasattr(type(tensor), name):
            lost.append(name)
        elif hasattr(tensor, "__dict__"):
            tensor.__dict__[name] = state[name]
        else:
            lost.append(name)
    lost = [n for n in lost if n not in ("_is_buffer", "persistent", "_is_param")]
    if lost:
        text = ", ".join(brief(n) for n in lost[:5])
        warnings.warn(f"load: attributes of a tensor were left out: {text}", stacklevel=2)
    return tensor


# ---- plain values


def _only(args: tuple[Any, ...], what: str, kind: type) -> Any:
    if len(args) != 1 or type(args[0]) is not kind:
        raise refusal(f"The file makes a {what} of {brief(args)}")
    return args[0]


def _counter(args: tuple[Any, ...], spend: Spend) -> Counter[Any]:
    counts = _only(args, "Counter", dict) if args else {}
    spend(len(counts))
    if any(type(count) is not int for count in counts.values()):
        raise refusal("The file makes a Counter of something that does not count")
    return Counter(counts)


def _complex(args: tuple[Any, ...], spend: Spend) -> complex:
    if len(args) != 2 or any(type(a) is not float for a in args):
        raise refusal("The file makes a complex number of something else than two floats")
    return complex(*args)


def _bytes(args: tuple[Any, ...], spend: Spend) -> bytes:
    match args:
        case ():
            return b""
        case (bytes(data),):
            spend(len(data))
            return data
        case (str(text), str(coding)) if coding in ("latin1", "latin-1"):
            spend(len(text))
            try:
                return text.encode("latin1")
            except UnicodeEncodeError as error:
                raise refusal(f"The file makes bytes of other text: {error.reason}") from None
    raise refusal("The file makes bytes of something that is no text of bytes")


def _size(args: tuple[Any, ...], spend: Spend) -> Size:
    lengths = _only(args, "Size", tuple) if args else ()
    spend(len(lengths))
    if any(type(n) is not int for n in lengths):
        raise refusal("The file makes a Size of something that is no integer")
    return Size(lengths)


def _device(args: tuple[Any, ...], spend: Spend) -> device:
    match args:
        case (str(),) | (str(), int()):
            try:
                return device(*args)
            except RuntimeError as error:
                raise refusal(f"The file holds a device that is not known here: {error}") from error
    raise refusal("The file makes a device of something that is no name")
