"""One program, two libraries and two devices: it must return the same under autograd_gpu, on the CPU
and on the stand-in CUDA device, and under PyTorch."""

import inspect
import math
import re
import warnings

import autograd_gpu as ag
from autograd_gpu.testing import standin

from ..oracle import TOLERANCE, numpy_of


def agree(program):
    """A test from `program(t, ...)`: run with `t` = autograd_gpu, with `t` = PyTorch, and again with
    ours where new tensors are on the stand-in device; the results are compared.

    Further parameters are pytest's (parametrize). Without PyTorch the program still runs, with what
    it asserts itself.
    """

    def test(request, **given):
        ours = quietly(program, ag, given)
        same(ours, quietly(program, request.getfixturevalue("torch"), given))
        if program not in host_only:
            same(on_device(program, given), ours, "result on the device")

    names = list(inspect.signature(program).parameters)[1:]
    parameters = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY) for n in names]
    first = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    test.__signature__ = inspect.Signature([first, *parameters])
    test.__name__, test.__doc__, test.__module__ = (
        program.__name__,
        program.__doc__,
        program.__module__,
    )
    test.pytestmark = getattr(program, "pytestmark", [])
    return test


host_only = set()


def on_host(program):
    """Says of a program that it makes no sense on a device: it asks for NumPy arrays, for threads'
    own devices, or for what the stand-in has not."""
    host_only.add(program)
    return program


def on_device(program, given):
    """The results of a program whose tensors are made on the stand-in CUDA device."""
    with standin.activate():
        ag.set_default_device("cuda")
        try:
            return without_place(quietly(program, ag, given))
        finally:
            ag.set_default_device("cpu")


def without_place(value):
    """Texts do not name the device."""
    if isinstance(value, dict):
        return {k: without_place(v) for k, v in value.items()}
    if isinstance(value, list):
        return [without_place(v) for v in value]
    return re.sub(r",? ?device='cuda:0'", "", value) if isinstance(value, str) else value


def quietly(program, t, given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", FutureWarning)
        return plain(program(t, **given))


def leaf(t, values, dtype="float64"):
    """A tensor that requires grad."""
    return t.tensor(values, dtype=getattr(t, dtype), requires_grad=True)


def fails(kind, words, function, *args, **kwargs):
    """`function` must raise exactly `kind`, with `words` in its message. Gives the words."""
    try:
        function(*args, **kwargs)
    except Exception as error:
        assert type(error) is kind, (
            f"{type(error).__name__}({error}) where {kind.__name__} was expected"
        )
        assert words in str(error), f"'{words}' is not in: {error}"
        return words
    raise AssertionError(f"no error where {kind.__name__}('{words}') was expected")


def works(function, *args, **kwargs):
    """True, or the name of what it raised."""
    try:
        function(*args, **kwargs)
    except Exception as error:
        return type(error).__name__
    return True


def plain(value):
    """Either library's values as plain Python: a tensor by dtype, shape and array, a node by
    name.
    """
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if hasattr(value, "detach"):
        return Result(value)
    if hasattr(value, "next_functions"):
        return value.name()
    if isinstance(value, BaseException):
        return type(value).__name__
    return value if isinstance(value, (int, float, complex, str, type(None))) else str(value)


class Result:
    """What is compared of a tensor."""

    def __init__(self, tensor):
        self.dtype, self.requires_grad = str(tensor.dtype), tensor.requires_grad
        self.array = numpy_of(tensor)

    def __repr__(self):
        return f"{self.array!r}, {self.dtype}{', requires_grad' * self.requires_grad}"


def same(ours, theirs, where="result"):
    """Compare two plain values."""
    if isinstance(ours, Result) and isinstance(theirs, Result):
        said = f"{where}: {ours} is not {theirs}"
        assert (ours.dtype, ours.requires_grad) == (theirs.dtype, theirs.requires_grad), said
        assert ours.array.shape == theirs.array.shape, said
        close = all(map(near, ours.array.ravel().tolist(), theirs.array.ravel().tolist(),
                        [TOLERANCE.get(ours.dtype[6:], (0, 0))] * ours.array.size))  # fmt: skip
        assert close, said
    elif isinstance(ours, list) and isinstance(theirs, list):
        assert len(ours) == len(theirs), f"{where}: {ours} is not {theirs}"
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            same(a, b, f"{where}[{i}]")
    elif isinstance(ours, dict) and isinstance(theirs, dict):
        assert list(ours) == list(theirs), f"{where}: {ours} is not {theirs}"
        for key in ours:
            same(ours[key], theirs[key], f"{where}[{key!r}]")
    elif isinstance(ours, float) and isinstance(theirs, float):
        assert near(ours, theirs, (1e-6, 1e-12)), f"{where}: {ours} is not {theirs}"
    else:
        assert ours == theirs, f"{where}: {ours!r} is not {theirs!r}"


def near(a, b, tolerance):
    if isinstance(a, complex) or isinstance(b, complex):
        return near(a.real, b.real, tolerance) and near(a.imag, b.imag, tolerance)
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return math.isnan(a) and math.isnan(b) or a == b
    return abs(a - b) <= tolerance[1] + tolerance[0] * abs(b)


def function(t, forward, backward, name="Fn", **members):
    """A Function class of either library, from two functions."""
    body = {"forward": staticmethod(forward), "backward": staticmethod(backward), **members}
    return type(t.autograd.Function)(name, (t.autograd.Function,), body)
