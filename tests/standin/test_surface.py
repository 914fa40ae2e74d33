"""The stand-in offers what CuPy offers, by the list that is made from CuPy."""

from importlib.util import find_spec

import pytest

from autograd_gpu.testing import standin
from autograd_gpu.testing.standin import surface as listed

from . import surface

CONTROLS = {"activate", "blas", "compiles_files", "launches", "null_pointer", "record_calls", "running"}
OWN = {  # CuPy has these too; they are no functions, so the list does not hold them
    "RawKernel", "RawModule", "cuda", "fft", "lib", "linalg", "ndarray", "random", "ufunc",
}  # fmt: skip


def test_the_list_is_that_of_the_installed_cupy(real):
    assert surface.FILE.read_text(encoding="utf-8") == surface.text(), (
        "surface.json is stale: python -m tests.standin.surface"
    )


def test_no_name_is_public_that_cupy_does_not_have():
    assert set(standin.__all__) <= CONTROLS | OWN | set(listed.module_rows(""))


def test_a_name_that_cupy_lacks_is_refused():
    with pytest.raises(AttributeError, match="module 'cupy' has no attribute 'nanprod_'"):
        _ = standin.nanprod_
    with pytest.raises(AttributeError, match=r"module 'cupy.linalg' has no attribute 'svdvals'"):
        _ = standin.linalg.svdvals


def test_a_name_that_numpy_lacks_says_so():
    with pytest.raises(AttributeError, match=r"does not offer cupy.fuse"):
        _ = standin.fuse


def test_arrays_have_only_members_of_cupys():
    own = {n for n in vars(standin.ndarray) if not n.startswith("_")}
    assert own <= set(listed.array_members())
    dunders = {n for n in vars(standin.ndarray) if n.startswith("__")}
    ours = {
        "__format__", "__repr__", "__str__", "__reduce__", "__hash__", "__init__", "__doc__",
        "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__annotations__",
        "__weakref__",
    }  # fmt: skip
    assert dunders - ours <= set(listed.array_members())


def test_every_public_method_of_cupys_arrays_is_there_or_known_not_to_be():
    missing = {n for n in listed.array_members() if n[0] != "_" and not hasattr(standin.ndarray, n)}
    assert missing == {"cstruct", "dump", "dumps", "flat", "mdspan", "toDlpack", "tofile"}


@pytest.mark.skipif(find_spec("cupy") is None, reason="CuPy is not installed")
def test_the_list_is_of_a_release_that_is_named():
    import cupy

    assert listed.version() == cupy.__version__


def test_constants_and_types_are_numpys():
    import numpy as np

    assert standin.pi == np.pi and standin.newaxis is None and standin.float32 is np.float32
    assert standin.inf == np.inf and standin.bool_ is np.bool_


def test_calls_that_do_not_fit_the_parameters_are_refused():
    x = standin.ones(3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'where'"):
        standin.sum(x, where=x)
    with pytest.raises(TypeError, match="unexpected keyword argument 'initial'"):
        x.max(initial=0)
    with pytest.raises(TypeError, match="at most 5 positional"):
        standin.sum(x, 0, None, None, False, 0)
    with pytest.raises(TypeError, match="missing a required argument: 'indices'"):
        standin.take(x)
    with pytest.raises(TypeError, match="multiple values for argument 'axis'"):
        standin.sum(x, 0, axis=0)


def test_first_arguments_that_are_no_arrays_are_refused():
    with pytest.raises(TypeError, match="wants an array of the device first, got list"):
        standin.sum([1.0, 2.0])


def test_an_array_is_no_whole_number():
    n = standin.ones((), "int64")
    for refused in (lambda: standin.zeros(n), lambda: standin.sum(standin.ones(3), n), lambda: range(n)):
        with pytest.raises(TypeError):
            refused()
