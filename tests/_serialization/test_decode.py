"""Hostile pickles: nothing runs, nothing takes long, every refusal is clear."""

import os
import pickle
import random
import subprocess
import time
import warnings

import numpy as np
import pytest

import autograd_gpu  # noqa: F401  binds the Tensor's methods
from autograd_gpu._core.tensor import make
from autograd_gpu._serialization.decode import _STEPS
from autograd_gpu._serialization.encode import Encoder
from autograd_gpu._serialization.storages import SavedStorages
from autograd_gpu.serialization import FileError, load

from .crafting import archive, number, numbers, tensor, text

DATA = [np.arange(6, dtype="f4").tobytes()]
CALL = b"\x80\x02c%b\n%b\n(X\x04\x00\x00\x00truetR."


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("evil", "name"),
    [
        (Evil(os.system, "exit 1"), "posix.system"),
        (Evil(eval, "1/0"), "builtins.eval"),
        (Evil(exec, "1/0"), "builtins.exec"),
        (Evil(subprocess.Popen, ["false"]), "subprocess.Popen"),
        (Evil(getattr, "a", "upper"), "builtins.getattr"),
        (Evil(__import__, "os"), "builtins.__import__"),
        (Evil(open, "/dev/null"), "io.open"),
        (Evil(np.load, "x"), "numpy.load"),
        (Evil(bytearray().__class__.__base__), "builtins.object"),
    ],
)
@pytest.mark.parametrize("weights_only", [True, False])
def test_blocked_globals_are_named(evil, name, weights_only):
    file = archive(pickle.dumps({"a": [evil]}, 2))
    with pytest.raises(pickle.UnpicklingError) as info:
        load(file, weights_only=weights_only)
    assert str(info.value).startswith("Weights only load failed")
    assert name in str(info.value)
    assert "BytesIO" in str(info.value)


@pytest.mark.parametrize(
    "source",
    [
        CALL % (b"torch", b"load"),
        CALL % (b"torch.hub", b"load"),
        CALL % (b"torch.nn.modules.linear", b"Linear"),
        CALL % (b"collections", b"OrderedDict.fromkeys"),
        CALL % (b"autograd_gpu.serialization", b"load"),
        CALL % (b"torch", b"float32"),  # a value, not a function
        CALL % (b"torch", b"FloatStorage"),
        CALL % (b"torch", b"Tensor"),
        CALL % (b"__builtin__", b"set"),
        CALL % (b"__builtin__", b"bytearray"),
        CALL % (b"__builtin__", b"complex"),
        CALL % (b"torch", b"Size"),
        CALL % (b"torch", b"device"),
        CALL % (b"numpy", b"dtype"),
        CALL % (b"numpy._core.multiarray", b"scalar"),
        CALL % (b"torch._utils", b"_rebuild_parameter"),
        CALL % (b"torch._utils", b"_rebuild_tensor_v2"),
        CALL % (b"torch._tensor", b"_rebuild_from_type_v2"),
        b"\x80\x02c__builtin__\nbytearray\n" + number(10**15) + b"\x85R.",  # memory
        b"\x80\x02ctorch\nfloat32\n}" + text("itemsize") + number(9) + b"sb.",  # changes a global
        b"\x80\x02ctorch\nSize\n}" + text("build") + number(9) + b"sb.",
        b"\x80\x02ccollections\nOrderedDict\n)R}" + text("items") + number(9) + b"sb.",
        b"\x80\x02ccollections\nOrderedDict\n)R" + number(3) + b"b.",
        b"\x80\x02" + text("x") + b"Q.",
        b"\x80\x02}]" + number(1) + b"s.",  # a list as a key
        b"\x80\x02)" + number(1) + b"a.",
        b"\x80\x02]" + number(1) + number(2) + b"s.",
        b"\x80\x02h\x07.",
        b"\x80\x02.",
        b"\x80\x02\x85.",
        b"\x80\x02e.",
        b"\x80\x02",
        b"",
        b"\x80\x04\x95\x00",
        b"\x80\x02cos\n",
        b"\x80\x02c" + b"a" * 5000,
        b"\x80\x02X\xff\xff\xff\xff.",
        b"\x80\x02\x8b\xff\xff\xff\xff.",
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"\x80\x02X\x01\x00\x00\x00\xff.",
        b"cos\nsystem\n(S'true'\ntR.",  # protocol 0
    ],
)
def test_malformed_pickles_are_refused(source):
    with pytest.raises(pickle.UnpicklingError, match=r"^Weights only load failed"):
        load(archive(source, DATA))


@pytest.mark.parametrize(
    "source",
    [
        tensor((7,), (1,)),
        tensor((2, 3), (3, 2)),
        tensor((2,), (1,), offset=5),
        tensor((2,), (1,), offset=-1),
        tensor((2,), (-1,), offset=3),
        tensor((-2,), (1,)),
        tensor((2, 3), (1,)),
        tensor((2**61, 2**61), (0, 0)),
        tensor((2**70,), (0,)),
        tensor((1,) * 65, (1,) * 65),
        tensor((0, 2**61), (1, 1)),
        tensor((6,), (1,), count=7),
        tensor((6,), (1,), count=-1),
        tensor((6,), (1,), count=2**62),
        tensor((6,), (1,), kind="DoubleStorage"),
        tensor((6,), (1,), key="1"),
        tensor((6,), (1,), key="../data.pkl"),
    ],
)
def test_tensors_outside_their_storage(source):
    with pytest.raises(FileError, match=r"BytesIO.*\d bytes.*is damaged"):
        load(archive(source, DATA))


def test_a_good_tensor_by_hand():
    assert load(archive(tensor((2, 2), (1, 2), 1), DATA))._array.tolist() == [[1, 3], [2, 4]]
    spread = load(archive(tensor((10**6, 3), (0, 1)), DATA))._array
    assert spread.shape == (10**6, 3)
    assert spread.strides == (0, 4)


def test_unknown_location():
    with pytest.raises(RuntimeError, match=r"don't know how to restore data location.*map_locat"):
        load(archive(tensor((6,), (1,), location="moon"), DATA))
    file = archive(tensor((6,), (1,), location="moon"), DATA)
    assert load(file, map_location="cpu")._array.shape == (6,)


def test_requires_grad_of_integers_is_refused():
    source = tensor((3,), (1,), count=3, kind="LongStorage").replace(b"\x89ccoll", b"\x88ccoll")
    with pytest.raises(FileError, match=r"is damaged.*floating point"):
        load(archive(source, [np.arange(3).tobytes()]))


def _timed(source):
    start = time.perf_counter()
    with pytest.raises((pickle.UnpicklingError, FileError)):
        load(archive(source))
    assert time.perf_counter() - start < 20


def test_bombs():
    """Short pickles that ask for exponential or quadratic work or memory."""
    doubled = b"\x80\x02}" + b"(tq\x00" + b"h\x00h\x00\x86q\x00" * 60
    _timed(doubled + b"Ns.")  # hashing the key would take 2^60 steps
    copies = b"]q\x00(" + b"K\x01" * 50_000 + b"e"
    _timed(b"\x80\x02]" + copies + b"(" + b"c__builtin__\nset\nh\x00\x85R" * 5_000 + b"e.")
    long = text("a" * 100_000) + b"q\x00"
    _timed(
        b"\x80\x02]" + long + b"(" + b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R" * 500
    )
    same_hash = b"".join(number(i * (2**61 - 1)) + b"N" for i in range(1, 20_000))
    _timed(b"\x80\x02}(" + same_hash + b"u.")


def test_deep_nesting_needs_no_recursion():
    depth = 100_000
    result = load(archive(b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."))
    for _ in range(depth - 1):
        (result,) = result
    assert result == []
    load(archive(b"\x80\x02)" + b"\x85" * depth + b"."))
    keyed = b"\x80\x02" + (b"}" + text("a")) * depth + b"N" + b"s" * depth + b"."
    assert list(load(archive(keyed))) == ["a"]


def test_mutations_of_good_pickles_never_escape():
    """Random edits: each gives a value or one of three errors, quickly."""
    array = np.arange(6, dtype="f4").reshape(2, 3)
    values = [make(array), make(array[:, 1]), {1: (2.5, "b"), "c": {3}}, np.float64(2), np.ones(3)]
    storages = SavedStorages()
    good = Encoder(storages).encode([*values, b"abc", bytearray(b"x"), 1j, 2**70, 300, None, True])
    data = [bytes(storages.payload(i)) for i in range(len(storages.roots))]
    opcodes, rng = bytes(_STEPS), random.Random(0)
    for _ in range(3_000):
        bad = bytearray(good)
        for _ in range(rng.choice([1, 1, 2, 5])):
            at = rng.randrange(len(bad))
            edit = rng.randrange(4)
            if edit == 0:
                bad[at] = rng.choice(opcodes)
            elif edit == 1:
                bad[at] = rng.randrange(256)
            elif edit == 2:
                del bad[at : at + rng.randrange(1, 6)]
            else:
                bad[at:at] = bad[at : at + rng.randrange(1, 30)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                load(archive(bytes(bad), data))
            except (pickle.UnpicklingError, RuntimeError) as error:
                assert len(str(error)) < 1000


def test_numbers_helper():
    assert load(archive(b"\x80\x02" + numbers((1, -2, 2**70)) + b".")) == (1, -2, 2**70)
