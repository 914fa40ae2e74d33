"""The audit: does CuPy itself accept a call that the stand-in accepted, and return the like?

A process of its own holds CuPy on a driver that does nothing (null_driver.py) and is asked with
calls as `standin.record_calls` describes them. Values cannot be compared, since no kernel runs;
types, shapes, strides and aliasing can.
"""

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from autograd_gpu.testing.standin.activation import Call, described, rebuilt

__all__ = ["Answer", "Difference", "RealCuPy", "ask", "compare", "differences"]

# Shapes that depend on values.
BY_VALUE = frozenset((
    "nonzero", "ndarray.nonzero", "flatnonzero", "argwhere", "unique", "compress", "extract",
    "ndarray.compress", "repeat", "ndarray.repeat", "bincount", "trim_zeros",
))  # fmt: skip

# Laid out in ways that are no rule to rely on.
ANY_LAYOUT = frozenset(("einsum", "cross", "linalg.svd", "linalg.qr", "linalg.lstsq"))


class Answer(NamedTuple):
    """What came of a call: "returned" with a description, or "raised" with type and message, or
    "unknown" where an argument could not be made again, or "crashed"."""

    kind: str
    what: Any
    error: str = ""


class Difference(NamedTuple):
    """A call that CuPy and the stand-in do not treat alike."""

    call: Call
    standin: Answer
    cupy: Answer

    def __str__(self) -> str:
        """In two lines."""
        return f"{told(self.call)}\n    stand-in: {self.standin}\n    CuPy:     {self.cupy}"


def told(call: Call) -> str:
    """A call in words."""
    named = [f"{k}={_told(v)}" for k, v in call.kwargs]
    return f"{call.name}({', '.join([*map(_told, call.args), *named])})"


def _told(value: Any) -> str:
    kind, *rest = value
    if kind in ("array", "numpy"):
        return f"{'numpy ' if kind == 'numpy' else ''}{rest[0]}{list(rest[1])}"
    if kind in ("list", "tuple", "slice"):
        return f"{kind}({', '.join(map(_told, rest))})"
    return str(rest[-1]) if rest else kind


def target(module: Any, name: str) -> Callable[..., Any]:
    """The function of a recorded name."""
    first, *rest = name.split(".")
    if first == "ndarray":
        return lambda self, *args, **named: _member(self, rest[0], args, named)
    found = getattr(module, first)
    for part in rest:
        found = getattr(found, part)
    return found


def _member(self: Any, name: str, args: Any, named: Any) -> Any:
    found = getattr(self, name)
    return found(*args, **named) if callable(found) and name not in ("real", "imag") else found


def outcome(result: Any, ndarray: type, arguments: list[Any]) -> Any:
    """What of a result can be compared."""
    if isinstance(result, ndarray):
        given: Any = result
        owners = [a.data.mem if isinstance(a, ndarray) else None for a in arguments]
        shares = next((k for k, o in enumerate(owners) if o is given.data.mem), None)
        pairs = zip(given.strides, given.shape, strict=True)
        strides = tuple(s for s, n in pairs if n > 1) if given.size > 1 else ()
        return "array", str(given.dtype), given.shape, strides, shares
    if isinstance(result, (list, tuple)):
        return "several", *(outcome(r, ndarray, arguments) for r in result)
    return type(result).__name__


def ask(module: Any, call: Call, array: Callable[..., Any]) -> Answer:
    """Make a call of a module, with arrays made by `array(dtype, shape, strides)`."""
    try:
        args = [rebuilt(a, array) for a in call.args]
        named = {k: rebuilt(v, array) for k, v in call.kwargs}
    except ValueError as error:
        return Answer("unknown", None, str(error))
    try:
        result = target(module, call.name)(*args, **named)
    except Exception as error:
        return Answer("raised", type(error).__name__, str(error).splitlines()[0] if str(error) else "")
    return Answer("returned", outcome(result, module.ndarray, [*args, *named.values()]))


def placed(module: Any) -> Callable[..., Any]:
    """A function that makes zeros with given strides."""

    def array(dtype: np.dtype, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        reach = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
        low = sum(min(0, r) for r in reach)
        size = sum(max(0, r) for r in reach) - low + dtype.itemsize if 0 not in shape else 0
        memory = module.cuda.alloc(max(size, 1))
        memory.memset(0, max(size, 1))
        return module.ndarray(shape, dtype, memory + -low, strides)

    return array


class RealCuPy:
    """CuPy in a process of its own; a context. `ask(call)` is what CuPy says to a call."""

    def __enter__(self) -> "RealCuPy":
        """Start the process."""
        self._process: Any = None
        return self

    def __exit__(self, *error: object) -> None:
        """End it."""
        if self._process is not None:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.standin.null_cupy"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            pickle.load(self._process.stdout)
        except EOFError:
            raise RuntimeError("CuPy cannot be imported on the driver that does nothing") from None

    def ask(self, call: Call) -> Answer:
        """The answer; "crashed" where the process died of it."""
        if self._process is None:
            self._start()
        try:
            pickle.dump(call, self._process.stdin)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError):
            self._process.wait()
            self._process = None
            return Answer("crashed", None)


def compare(call: Call, standin: Answer, cupy: Answer) -> Difference | None:
    """None where both refuse, or both return the like."""
    if "unknown" in (standin.kind, cupy.kind):
        return None
    # Matrices of zeros are singular, and a mask of zeros chooses nothing: not refused in earnest.
    if cupy.what == "LinAlgError":
        return None
    values = standin.what == "LinAlgError" or _by_value(call) and standin.what == "ValueError"
    if standin.kind == "raised" and values == (cupy.kind == "returned"):
        return None
    if standin.kind == cupy.kind == "returned":
        view = _dtypes if _by_value(call) else _laid_out if call.name in ANY_LAYOUT else _all
        if view(standin.what) == view(cupy.what):
            return None
    return Difference(call, standin, cupy)


def _all(what: Any) -> Any:
    return what


def _laid_out(what: Any) -> Any:
    """An outcome but for its strides."""
    if isinstance(what, tuple) and what[0] == "array":
        return what[:3]
    return tuple(map(_laid_out, what[1:])) if isinstance(what, tuple) else what


def _by_value(call: Call) -> bool:
    masks = any(a[0] == "array" and a[1] == np.bool_ for a in _flat(call.args[1:]))
    return call.name in BY_VALUE or "etitem__" in call.name and masks


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        yield value
        if value[0] in ("list", "tuple"):
            yield from _flat(value[1:])


def _dtypes(what: Any) -> Any:
    if isinstance(what, tuple) and what[0] == "array":
        return what[1], len(what[2])
    return tuple(map(_dtypes, what[1:])) if isinstance(what, tuple) else what


def differences(calls: Iterable[Call], real: RealCuPy) -> list[Difference]:
    """Of all calls."""
    import autograd_gpu.testing.standin as standin

    out = []
    for call in calls:
        found = compare(call, ask(standin, call, placed(standin)), real.ask(call))
        if found is not None:
            out.append(found)
    return out


def call_of(name: str, *args: Any, **named: Any) -> Call:
    """The description of a call with arrays of the stand-in."""
    pairs = tuple((k, described(named[k])) for k in sorted(named))
    return Call(name, described(args)[1:], pairs)
