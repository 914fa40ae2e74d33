"""dtype objects under PyTorch's names, the default dtype, and PyTorch's type promotion (not
NumPy's)."""

from functools import cache
from typing import Any

import numpy as np

__all__ = [
    "BY_NAME", "can_cast", "default", "dtype", "finfo", "get_default_dtype", "iinfo", "numpy_of",
    "of",
    "promote_types", "result_dtype", "scalar_dtype", "set_default_dtype",
]  # fmt: skip

_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


class dtype:
    """The type of a tensor's elements. `numpy` is NumPy's dtype for it; one object a type, so
    compare with `is` or `==`."""

    __slots__ = (
        "category",
        "is_complex",
        "is_floating_point",
        "is_signed",
        "itemsize",
        "legacy",
        "name",
        "numpy",
    )

    def __init__(self, name: str, numpy: np.dtype, category: int, legacy: str) -> None:
        self.name, self.numpy, self.category, self.legacy = name, numpy, category, legacy
        self.itemsize = numpy.itemsize
        self.is_floating_point, self.is_complex = category == 2, category == 3
        self.is_signed = name not in ("uint8", "bool")

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> Any:
        return _by_name, (self.name,)

    def to_complex(self) -> "dtype":
        """The complex type of this precision."""
        return BY_NAME["complex128" if self.name in ("float64", "complex128") else "complex64"]

    def to_real(self) -> "dtype":
        """The real type of this precision."""
        names = {"complex64": "float32", "complex128": "float64"}
        return BY_NAME[names[self.name]] if self.is_complex else self


def _by_name(name: str) -> dtype:
    return BY_NAME[name] if name != "bfloat16" else bfloat16()


BY_NAME: dict[str, dtype] = {}
_BY_NUMPY: dict[np.dtype, dtype] = {}
ALIASES = {
    "half": "float16", "float": "float32", "double": "float64", "cfloat": "complex64",
    "cdouble": "complex128",
    "short": "int16", "int": "int32", "long": "int64",
}  # fmt: skip


def _add(name: str, numpy: Any, category: int, legacy: str) -> dtype:
    entry = dtype(name, np.dtype(numpy), category, legacy)
    BY_NAME[name] = _BY_NUMPY[entry.numpy] = entry
    return entry


for _name, _legacy in {
    "bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int",
    "int64": "Long",
    "float16": "Half", "float32": "Float", "float64": "Double", "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
}.items():  # fmt: skip
    _add(_name, _name, _CATEGORY[np.dtype(_name).kind], _legacy)


def bfloat16() -> dtype:
    """The dtype bfloat16; it needs the package ml_dtypes (ImportError that names the extra
    otherwise)."""
    if "bfloat16" not in BY_NAME:
        try:
            import ml_dtypes
        except ImportError:
            raise ImportError(
                "bfloat16 needs the package ml_dtypes: pip install 'autograd_gpu[bf16]'"
            ) from None
        _add("bfloat16", ml_dtypes.bfloat16, 2, "BFloat16")
    return BY_NAME["bfloat16"]


def of(numpy: Any) -> dtype:
    """The dtype for NumPy's. TypeError where there is none (uint32, object, strings ...)."""
    try:
        return _BY_NUMPY[numpy]
    except KeyError:
        pass
    numpy = np.dtype(numpy)
    if numpy.name == "bfloat16":
        return bfloat16()
    found = _BY_NUMPY.get(numpy.newbyteorder("="))
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{numpy.name}. The only supported types are: "
            "float64, float32, "
            "float16, complex64, complex128, int64, int32, int16, int8, uint8, and bool."
        )
    return found


def numpy_of(value: Any) -> np.dtype:
    """NumPy's dtype for a dtype argument: ours, Python's float, int, bool or complex, or None for
    the default."""
    if value.__class__ is dtype:
        return value.numpy
    if value is None:
        return default()
    python = {float: default(), int: _INT64, bool: _BOOL, complex: of(default()).to_complex().numpy}
    try:
        if value in python:
            return python[value]
    except TypeError:
        pass
    raise TypeError(f"argument 'dtype' must be torch.dtype, not {type(value).__name__}")


_INT64, _BOOL, _FLOAT16, _FLOAT32 = (np.dtype(n) for n in ("int64", "bool", "float16", "float32"))
_default = [_FLOAT32]


def default() -> np.dtype:
    """NumPy's dtype for a Python float: float32 unless `set_default_dtype` said otherwise."""
    return _default[0]


def get_default_dtype() -> dtype:
    """The dtype of a tensor made from Python floats."""
    return of(_default[0])


def set_default_dtype(d: dtype) -> None:
    """Make `d`, a floating-point dtype, the dtype of tensors made from Python floats. TypeError
    otherwise."""
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, not {d!r}")
    _default[0] = d.numpy


# ---- promotion


def category(numpy: np.dtype) -> int:
    """0 bool, 1 integers, 2 floating, 3 complex."""
    found = _BY_NUMPY.get(numpy)
    return of(numpy).category if found is None else found.category


@cache
def promote(a: np.dtype, b: np.dtype) -> np.dtype:
    """The type that holds both, as PyTorch decides: a float stays as wide as it is whatever the
    integer."""
    ca, cb = category(a), category(b)
    if a == b:
        return a
    if ca != cb and ca + cb != 5:  # 5: a float with a complex number
        return a if ca > cb else b
    if ca + cb == 5:
        wide = "float64" in (a.name, b.name) or "complex128" in (a.name, b.name)
        return np.dtype("complex128" if wide else "complex64")
    if "bfloat16" in (a.name, b.name):
        return promote(_FLOAT32, b if a.name == "bfloat16" else a)
    return np.promote_types(a, b)


def scalar_dtype(number: Any) -> np.dtype:
    """The type that a Python number counts as."""
    if isinstance(number, bool):
        return _BOOL
    if isinstance(number, int):
        return _INT64
    return of(default()).to_complex().numpy if isinstance(number, complex) else default()


def result_dtype(values: list[Any], floating: bool = False) -> np.dtype:
    """The common type of arrays and Python numbers. Arrays with dimensions outrank 0-d ones, these
    outrank numbers, and a lower rank counts only where its category (bool, integer, float, complex)
    is higher. `floating`: integers count as the default float, as in a division."""
    best: Any = None
    for rank in (0, 1, 2):
        group = None
        for v in values:
            if (rank == 2) if not hasattr(v, "dtype") else (rank == (0 if v.ndim else 1)):
                d = scalar_dtype(v) if rank == 2 else v.dtype
                group = d if group is None else promote(group, d)
        if group is not None and best is None:
            best = group
        elif group is not None and category(group) > category(best):
            best = of(best).to_complex().numpy if category(best) == 2 else promote(best, group)
    if floating and category(best) < 2:
        return default()
    return best


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The dtype that two tensors with dimensions of these dtypes give together."""
    return of(promote(type1.numpy, type2.numpy))


def can_cast(from_: dtype, to: dtype) -> bool:
    """May an in-place result of dtype `from_` be stored in `to`? Not to a lower category (a float
    into integers)."""
    if from_.category == 3 and to.category < 3 or from_.category == 2 and to.category < 2:
        return False
    return not (to.category == 0 and from_.category > 0)


class finfo:
    """Machine limits of a floating dtype: bits, eps, max, min, tiny, smallest_normal,
    resolution."""

    def __init__(self, type: dtype | None = None) -> None:
        d = type or get_default_dtype()
        if d.category < 2:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                f"'{d!r}'"
            )
        if d.name == "bfloat16":
            import ml_dtypes

            info: Any = ml_dtypes.finfo(d.numpy)
        else:
            info = np.finfo(d.numpy)
        self.dtype, self.bits = d.to_real().name, info.bits
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.tiny)
        self.resolution = float(info.resolution)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, "
            f"smallest_normal={self.tiny:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Machine limits of an integer dtype: bits, max, min."""

    def __init__(self, type: dtype) -> None:
        if type.category != 1:
            raise TypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle "
                f"'{type!r}'"
            )
        info = np.iinfo(type.numpy)
        self.dtype, self.bits, self.max, self.min = (
            type.name,
            info.bits,
            int(info.max),
            int(info.min),
        )

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
