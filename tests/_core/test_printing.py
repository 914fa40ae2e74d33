"""Printing: texts as PyTorch 2.13 prints them, suffixes, options, formats."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from autograd_gpu._core import device, dtype, printing
from autograd_gpu._core.printing import printoptions, set_printoptions, tensor_format, tensor_repr

CASES = [
    ("[]", "float32", "tensor([])"),
    ("[[], []]", "float32", "tensor([], size=(2, 0))"),
    ("[]", "int64", "tensor([], dtype=torch.int64)"),
    ("[[]]", "float64", "tensor([], size=(1, 0), dtype=torch.float64)"),
    ("3.0", "float32", "tensor(3.)"),
    ("1e-05", "float32", "tensor(1.0000e-05)"),
    ("inf", "float64", "tensor(inf, dtype=torch.float64)"),
    ("True", "bool", "tensor(True)"),
    ("7", "int64", "tensor(7)"),
    ("-7", "int8", "tensor(-7, dtype=torch.int8)"),
    ("[3.0, 3.0]", "float32", "tensor([3., 3.])"),
    ("[1.0, 2.5]", "float32", "tensor([1.0000, 2.5000])"),
    ("[0.0, nan]", "float32", "tensor([0., nan])"),
    ("[1.0, inf]", "float32", "tensor([1., inf])"),
    ("[1.5, nan, -inf]", "float32", "tensor([1.5000,    nan,   -inf])"),
    ("[-0.0, 1.0]", "float32", "tensor([-0., 1.])"),
    ("[-1.0, 10.0, 100.0]", "float32", "tensor([ -1.,  10., 100.])"),
    ("[1.0, 1000.0]", "float32", "tensor([   1., 1000.])"),
    ("[1.0, 1001.0]", "float32", "tensor([1.0000e+00, 1.0010e+03])"),
    ("[100000000.0]", "float32", "tensor([100000000.])"),
    ("[1e9]", "float32", "tensor([1.0000e+09])"),
    ("[1e-4]", "float32", "tensor([1.0000e-04])"),
    ("[1e-4]", "float64", "tensor([0.0001], dtype=torch.float64)"),
    ("[0.1, 0.2, 0.3]", "float16", "tensor([0.1000, 0.2000, 0.3000], dtype=torch.float16)"),
    ("[0.1, 0.2]", "bfloat16", "tensor([0.1001, 0.2002], dtype=torch.bfloat16)"),
    ("[5e-324, 1e308]", "float64", "tensor([4.9407e-324, 1.0000e+308], dtype=torch.float64)"),
    ("[0.001, 0.5]", "float32", "tensor([0.0010, 0.5000])"),
    ("[12345.678, 1.5]", "float32", "tensor([1.2346e+04, 1.5000e+00])"),
    ("[12.5, 8000.25]", "float32", "tensor([  12.5000, 8000.2500])"),
    ("[1, -20, 300]", "int32", "tensor([  1, -20, 300], dtype=torch.int32)"),
    ("[0, 255]", "uint8", "tensor([  0, 255], dtype=torch.uint8)"),
    ("[True, False]", "bool", "tensor([ True, False])"),
    (
        "[[1, 2], [3, 40]]",
        "int64",
        ("tensor([[ 1,  2],\n        [ 3, 40]])"),
    ),
    ("[1+2j, -3.5-4j]", "complex64", "tensor([ 1.0000+2.j, -3.5000-4.j])"),
    ("[1e10+2j, complex(nan, -inf)]", "complex64", "tensor([1.0000e+10+2.j,        nan-infj])"),
    ("[0j, -0.5j]", "complex128", "tensor([0.+0.0000j, -0.-0.5000j], dtype=torch.complex128)"),
    ("1.5-0.25j", "complex64", "tensor(1.5000-0.2500j)"),
    (
        "[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.5]]]",
        "float32",
        (
            "tensor([[[1.0000, 2.0000],\n"
            "         [3.0000, 4.0000]],\n"
            "\n"
            "        [[5.0000, 6.0000],\n"
            "         [7.0000, 8.5000]]])"
        ),
    ),
    (
        "[[[[1.0]], [[2.0]]]]",
        "float64",
        ("tensor([[[[1.]],\n\n         [[2.]]]], dtype=torch.float64)"),
    ),
    (
        "[1.25 * i for i in range(14)]",
        "float32",
        (
            "tensor([ 0.0000,  1.2500,  2.5000,  3.7500,  5.0000,  6.2500,  7.5000,  8.7500,\n"
            "        10.0000, 11.2500, 12.5000, 13.7500, 15.0000, 16.2500])"
        ),
    ),
    (
        "[[float(i * j) for i in range(20)] for j in range(2)]",
        "float32",
        (
            "tensor([[ 0.,  0.,  0.,  0.,  0.,  0.,  0.,  0.,  0.,  0.,  0.,  0.,  0.,  0.,\n"
            "          0.,  0.,  0.,  0.,  0.,  0.],\n"
            "        [ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n"
            "         14., 15., 16., 17., 18., 19.]])"
        ),
    ),
    ("list(range(1001))", "int64", "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    (
        "[[0.5] * 40] * 26",
        "float32",
        (
            "tensor([[0.5000, 0.5000, 0.5000,  ..., 0.5000, 0.5000, 0.5000],\n"
            "        [0.5000, 0.5000, 0.5000,  ..., 0.5000, 0.5000, 0.5000],\n"
            "        [0.5000, 0.5000, 0.5000,  ..., 0.5000, 0.5000, 0.5000],\n"
            "        ...,\n"
            "        [0.5000, 0.5000, 0.5000,  ..., 0.5000, 0.5000, 0.5000],\n"
            "        [0.5000, 0.5000, 0.5000,  ..., 0.5000, 0.5000, 0.5000],\n"
            "        [0.5000, 0.5000, 0.5000,  ..., 0.5000, 0.5000, 0.5000]])"
        ),
    ),
    (
        "[[[1] * 7] * 7] * 30",
        "int16",
        (
            "tensor([[[1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         ...,\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1]],\n"
            "\n"
            "        [[1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         ...,\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1]],\n"
            "\n"
            "        [[1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         ...,\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1]],\n"
            "\n"
            "        ...,\n"
            "\n"
            "        [[1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         ...,\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1]],\n"
            "\n"
            "        [[1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         ...,\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1]],\n"
            "\n"
            "        [[1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         ...,\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1],\n"
            "         [1, 1, 1,  ..., 1, 1, 1]]], dtype=torch.int16)"
        ),
    ),
    (
        "[0.5] * 8",
        "float64",
        (
            "tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000],\n"
            "       dtype=torch.float64)"
        ),
    ),
]


@pytest.fixture(autouse=True)
def _default_options():
    set_printoptions(profile="default")
    yield
    set_printoptions(profile="default")
    dtype.set_default_dtype(dtype.BY_NAME["float32"])


def fake(array, requires_grad=False, grad_fn=None, place=device.cpu):
    """What printing reads of a tensor."""
    node = type(grad_fn, (), {})() if grad_fn else None
    return SimpleNamespace(
        _array=array, dtype=dtype.of(array.dtype), device=place, shape=array.shape, grad_fn=node,
        requires_grad=requires_grad or bool(grad_fn),
    )  # fmt: skip


def array_of(source, name):
    if name == "bfloat16":
        pytest.importorskip("ml_dtypes")
        dtype.bfloat16()
    with np.errstate(all="ignore"):
        values = eval(source, {"inf": np.inf, "nan": np.nan})
        return np.asarray(values).astype(dtype.BY_NAME[name].numpy)


@pytest.mark.parametrize(("source", "name", "text"), CASES)
def test_fixed_text(source, name, text):
    assert tensor_repr(fake(array_of(source, name))) == text


@pytest.mark.parametrize(
    ("n", "kind", "options", "text"),
    [
        (2, "f4", {"requires_grad": True}, "tensor([1., 1.], requires_grad=True)"),
        (2, "f4", {"grad_fn": "MulBackward0"}, "tensor([1., 1.], grad_fn=<MulBackward0>)"),
        (1, "f4", {"grad_fn": "MyReLUBackward"}, "tensor([1.], grad_fn=<MyReLUBackward>)"),
        (
            7,
            "f8",
            {"requires_grad": True},
            "tensor([1., 1., 1., 1., 1., 1., 1.], dtype=torch.float64, requires_grad=True)",
        ),
        (
            8,
            "f8",
            {"requires_grad": True},
            (
                "tensor([1., 1., 1., 1., 1., 1., 1., 1.], dtype=torch.float64,\n"
                "       requires_grad=True)"
            ),
        ),
        (
            15,
            "f8",
            {"grad_fn": "MulBackward0"},
            (
                "tensor([1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.],\n"
                "       dtype=torch.float64, grad_fn=<MulBackward0>)"
            ),
        ),
        (2, "f4", {"place": device.device("cuda:0")}, "tensor([1., 1.], device='cuda:0')"),
        (
            0,
            "i4",
            {"place": device.device("cuda:0")},
            "tensor([], device='cuda:0', dtype=torch.int32)",
        ),
    ],
)
def test_suffixes(n, kind, options, text):
    assert tensor_repr(fake(np.ones(n, kind), **options)) == text


def test_zero_dimensional_history():
    text = tensor_repr(fake(np.array(27.0, "f4"), grad_fn="MeanBackward0"))
    assert text == "tensor(27., grad_fn=<MeanBackward0>)"


def test_options():
    ones = fake(np.full(3, 1.5, "f4"))
    with printoptions(precision=2):
        assert tensor_repr(ones) == "tensor([1.50, 1.50, 1.50])"
    with printoptions(sci_mode=True):
        assert tensor_repr(ones) == "tensor([1.5000e+00, 1.5000e+00, 1.5000e+00])"
        assert tensor_repr(fake(np.zeros(1, "f4"))) == "tensor([0.])"
    with printoptions(sci_mode=False, precision=2):
        wide = tensor_repr(fake(np.array([1e10, 0.001])))
        assert wide == "tensor([10000000000.00,           0.00], dtype=torch.float64)"
    with printoptions(linewidth=10):
        assert tensor_repr(ones) == "tensor([1.5000,\n        1.5000,\n        1.5000])"
    with printoptions(threshold=2, edgeitems=1):
        assert tensor_repr(ones) == "tensor([1.5000,  ..., 1.5000])"
        assert tensor_repr(fake(np.ones((3, 2), "f4"))) == (
            "tensor([[1., 1.],\n        ...,\n        [1., 1.]])"
        )
    with printoptions(threshold=2, edgeitems=0):
        assert tensor_repr(ones) == "tensor([...], size=(3,))"
    with printoptions(profile="full"):
        assert "..." not in tensor_repr(fake(np.ones(2000)))
    with printoptions(profile="short"):
        assert tensor_repr(fake(np.ones(2000, "f4"))) == "tensor([1., 1.,  ..., 1., 1.])"
    assert tensor_repr(ones) == "tensor([1.5000, 1.5000, 1.5000])"


def test_options_are_restored_and_reported():
    before = printing.get_printoptions()
    assert before == {
        "precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None,
    }  # fmt: skip
    with pytest.raises(KeyError), printoptions(precision=1, sci_mode=True):
        raise KeyError("inside")
    assert printing.get_printoptions() == before
    set_printoptions(sci_mode=True)
    set_printoptions(precision=7)  # forgets sci_mode, as PyTorch does
    assert printing.get_printoptions() == before | {"precision": 7}
    with pytest.raises(ValueError, match=r"profile='long'.*expected one of"):
        set_printoptions(precision=1, profile="long")
    assert printing.get_printoptions()["precision"] == 7


def test_default_dtype_is_implicit():
    dtype.set_default_dtype(dtype.BY_NAME["float64"])
    assert tensor_repr(fake(np.zeros(1))) == "tensor([0.])"
    assert tensor_repr(fake(np.zeros(1, "f4"))) == "tensor([0.], dtype=torch.float32)"
    assert tensor_repr(fake(np.zeros(1, "c16"))) == "tensor([0.+0.j])"
    assert tensor_repr(fake(np.zeros(1, "c8"))) == "tensor([0.+0.j], dtype=torch.complex64)"


def test_format():
    Tensor = type("Tensor", (SimpleNamespace,), {"__str__": lambda self: "the text"})
    number = Tensor(_array=np.array(3.14159, "f4"), shape=())
    assert tensor_format(number, ".2f") == "3.14"
    assert tensor_format(number, "") == "3.141590118408203"
    assert tensor_format(Tensor(_array=np.array(3), shape=()), "5d") == "    3"
    assert tensor_format(Tensor(_array=np.array(True), shape=()), "") == "True"
    row = Tensor(_array=np.ones(2), shape=(2,))
    assert tensor_format(row, "") == "the text"
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor.__format__"):
        tensor_format(row, ".2f")
    parameter = type("Parameter", (Tensor,), {})(_array=np.array(3.0), shape=())
    assert tensor_format(parameter, "") == "the text"
    with pytest.raises(TypeError, match=r"passed to Parameter.__format__"):
        tensor_format(parameter, ".2f")


def test_large_tensors_are_not_read():
    """A tensor of 2^40 elements (all the same memory) prints at once."""
    start = time.perf_counter()
    text = tensor_repr(fake(np.broadcast_to(np.ones(1, "f4"), (2**20, 2**20))))
    assert text.count("...") == 7
    assert time.perf_counter() - start < 0.5
