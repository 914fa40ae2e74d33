"""save and load: values, aliasing, locations, atomic writing."""

import io
import os
import pickle
import stat
import zlib
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest

import autograd_gpu  # noqa: F401  binds the Tensor's methods
from autograd_gpu._core.device import device
from autograd_gpu._core.dtype import BY_NAME, bfloat16
from autograd_gpu._core.size import Size
from autograd_gpu._core.tensor import Tensor, make
from autograd_gpu.nn.parameter import Buffer, Parameter
from autograd_gpu.serialization import FileError, load, save

DTYPES = [n for n in BY_NAME if n != "bfloat16"]


def round_trip(obj, **options):
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return load(file, **options)


def same(one, other):
    """Equal in type, structure and every bit."""
    assert type(one) is type(other), (one, other)
    if isinstance(one, Tensor):
        assert one.dtype is other.dtype
        assert one.requires_grad == other.requires_grad
        assert one.shape == other.shape
        assert one._array.tobytes() == other._array.tobytes()
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            same(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    else:
        assert one == other or np.isnan(one)


PLAIN = [
    None, True, False, 0, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**64, -(2**70), 10**700,
    0.0, -1.5, 1e308, float("inf"), float("nan"), 1 + 2j, "", "text", "n\u00e9 \u2603 \U0001f600",
    "lone \ud800", b"", b"a\x00\xff", bytearray(b"\xff\x00"), [], {}, (), (1,), (1, 2), (1, 2, 3),
    (1, 2, 3, 4), [[], [[]]], {"a": {1: {(1, "b"): None}}}, set(), {1, 2.5}, {"a"}, frozenset({1, 2}),
    Size([2, 3]), Size([]), BY_NAME["float32"], BY_NAME["bool"], device("cpu"), device("cuda:1"),
    np.float32(1.5), np.int64(-3), np.bool_(True), np.complex128(1j),
    np.arange(6.0).reshape(2, 3).T,
    np.zeros((0, 3), "u1"), OrderedDict(b=1, a=2),
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=lambda v: f"{type(v).__name__}-{v!r:.20}")
def test_plain_values(value):
    same(round_trip(value), value)
    same(round_trip([value, {"again": value}]), [value, {"again": value}])


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 0, 3), (1,) * 10])
def test_dtypes_and_shapes(name, shape):
    rng = np.random.default_rng(0)
    array = rng.integers(0, 100, shape).astype(BY_NAME[name].numpy)
    same(round_trip(make(np.asarray(array))), make(np.asarray(array)))


def test_bfloat16():
    pytest.importorskip("ml_dtypes")
    array = np.array([1.5, -0.0, np.inf]).astype(bfloat16().numpy)
    same(round_trip({"x": make(array), "kind": bfloat16()}), {"x": make(array), "kind": bfloat16()})


def test_arrays_of_the_other_byte_order():
    """Their values; NumPy's own unpickling makes them native too."""
    assert round_trip(np.array([2.5, -1], ">f8")).tolist() == [2.5, -1]
    assert round_trip(np.array([2.5, -1], "<f8")).tolist() == [2.5, -1]


def test_special_bits_survive():
    bits = np.array([0x7FC00001, 0xFFC12345, 0x80000000, 1], "u4").view("f4")
    assert round_trip(make(bits))._array.tobytes() == bits.tobytes()


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a.T, lambda a: a[1:, ::2], lambda a: a[:, 1], lambda a: a[::-1], lambda a: a[2:2],
        lambda a: np.broadcast_to(a, (3, 4, 5)), lambda a: np.broadcast_to(a[0, 0], (7, 7)),
        lambda a: np.lib.stride_tricks.sliding_window_view(a, 2, 1), np.asfortranarray,
        lambda a: a.view("i2")[:, 1::3], lambda a: a.view("i1").reshape(-1)[1:13].view("f4"),
        lambda a: a.astype(">f4"), lambda a: np.frombuffer(a.tobytes(), "f4")[1:],
    ],
)  # fmt: skip
def test_views(view):
    array = view(np.arange(20, dtype="f4").reshape(4, 5))
    if not array.dtype.isnative:
        array = array.astype("f4")
    same(round_trip(make(array)), make(array))


def test_sharing_is_kept_and_saved_once():
    big = np.zeros(100_000, "f4")
    file = io.BytesIO()
    whole, part = make(big), make(big[10:20])
    save(
        {"whole": whole, "again": whole, "part": part, "grid": make(big.reshape(100, 1000).T)}, file
    )
    assert len(file.getvalue()) < 405_000
    file.seek(0)
    loaded = load(file)
    assert loaded["again"] is loaded["whole"]
    loaded["whole"]._array[12] = 7
    assert loaded["part"]._array[2] == 7
    assert loaded["grid"]._array[12, 0] == 7
    save(make(big[:1]), file := io.BytesIO())
    assert len(file.getvalue()) > 400_000, "a view keeps its whole storage, as in PyTorch"


def test_two_dtypes_of_one_memory_are_refused():
    array = np.zeros(4, "f4")
    with pytest.raises(RuntimeError, match=r"Cannot save multiple tensors.*different types"):
        save([make(array), make(array.view("i4"))], io.BytesIO())


def test_requires_grad_and_parameters():
    leaf = make(np.ones(2)).requires_grad_()
    frozen = Parameter(make(np.ones(3)), False)
    named = Parameter(make(np.ones(1)))
    named.no_decay = True
    loaded = round_trip([leaf, frozen, named, Buffer(make(np.ones(4)))])
    same(loaded[:3], [leaf, frozen, named])
    assert all(t.is_leaf for t in loaded)
    assert loaded[2].no_decay is True
    assert type(loaded[3]) is Tensor


def test_ordered_dict_keeps_its_metadata():
    state = OrderedDict(weight=make(np.ones(2)))
    state._metadata = OrderedDict([("", {"version": 1})])
    loaded = round_trip(state)
    same(loaded, state)
    assert loaded._metadata == state._metadata


def test_recursive_and_shared_structures():
    inner = [1]
    loop = {"a": inner, "b": (inner, inner)}
    loop["self"] = loop
    loaded = round_trip(loop)
    assert loaded["self"] is loaded
    assert loaded["b"][0] is loaded["a"] is loaded["b"][1]
    doubled = ()
    for _ in range(60):
        doubled = (doubled, doubled)
    file = io.BytesIO()
    save(doubled, file)
    assert len(file.getvalue()) < 2000
    cycle = ([],)
    cycle[0].append(cycle)
    with pytest.raises(pickle.PicklingError, match=r"contains itself"):
        save(cycle, io.BytesIO())


def test_deep_nesting_is_written_without_recursion():
    deep = []
    for _ in range(50_000):
        deep = [deep]
    loaded = round_trip(deep)
    depth = 0
    while loaded:
        loaded, depth = loaded[0], depth + 1
    assert depth == 50_000


class Model:
    def state_dict(self):
        return {}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), r"builtins\.object"),
        (lambda: 0, r"builtins\.function"),
        (Model(), r"Model.*save its state_dict\(\) instead"),
        (defaultdict(list), r"collections\.defaultdict"),
        (np.array(["a"]), r"numpy\.ndarray"),
        (np.array([object()]), r"numpy\.ndarray"),
        (range(3), r"range"),
        (type("Odd", (Tensor,), {})(), r"Odd"),
    ],
)
def test_other_objects_are_refused(value, message, tmp_path):
    path = tmp_path / "x.pt"
    with pytest.raises(pickle.PicklingError, match=message):
        save({"fine": 1, "odd": [value]}, path)
    assert not list(tmp_path.iterdir())


# ---- files


@pytest.mark.parametrize("kind", [str, Path, os.fsencode])
def test_paths(tmp_path, kind):
    path = kind(str(tmp_path / "model.pt"))
    save({"a": 1}, path)
    assert load(path) == {"a": 1}
    assert os.listdir(tmp_path) == ["model.pt"]


def test_file_objects(tmp_path):
    with open(tmp_path / "x", "wb", buffering=0) as file:
        save([make(np.ones(3))], file)
    with open(tmp_path / "x", "rb", buffering=0) as file:
        assert load(file)[0]._array.tolist() == [1, 1, 1]
    with open(tmp_path / "t", "w") as file, pytest.raises(TypeError, match=r"binary mode"):
        save(1, file)
    with open(tmp_path / "x", encoding="latin1") as file, pytest.raises(TypeError, match="binary"):
        load(file)
    with pytest.raises(TypeError, match=r"path or a binary file, got int"):
        save(1, 3)
    with pytest.raises(TypeError, match=r"read, seek and tell, got int"):
        load(3)


def test_system_errors_keep_their_types(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.pt")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        save(1, tmp_path / "absent" / "x.pt")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    with pytest.raises(IsADirectoryError):
        save(1, tmp_path)


def test_read_only_files_are_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "x.pt"
    save(1, path)
    path.chmod(0o400)
    monkeypatch.setattr(os, "access", lambda *a: False)  # root may write everything
    with pytest.raises(PermissionError, match="may not be written"):
        save(2, path)
    assert load(path) == 1
    assert os.listdir(tmp_path) == ["x.pt"]


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "broken.pt"
    save(list(range(100)), path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(FileError, match=r"broken\.pt' \(500 bytes\).*truncated"):
        load(path)


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.pt"
    save({"old": 1}, path)
    before = path.read_bytes()

    def no_space(*args):
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, no_space)
            with pytest.raises(OSError, match="No space left"):
                save({"new": make(np.ones(1000))}, path)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["x.pt"]
    with monkeypatch.context() as patch:
        patch.setattr(zlib, "crc32", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            save({"new": 2}, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["x.pt"]


def test_modes_and_links_survive(tmp_path):
    path, link = tmp_path / "x.pt", tmp_path / "link.pt"
    old = os.umask(0o027)
    try:
        save(1, path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    link.symlink_to(path)
    save(2, link)
    assert link.is_symlink()
    assert load(path) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_what_is_no_regular_file_is_written_directly():
    save([1, 2], os.devnull)
    assert not Path(os.devnull).is_file()


# ---- memory maps and locations


def test_mmap(tmp_path):
    path = tmp_path / "x.pt"
    save({"a": make(np.arange(1000.0)), "e": make(np.zeros(0)), "n": 3}, path)
    before = path.read_bytes()
    loaded = load(path, mmap=True)
    assert loaded["a"]._array.sum() == 499500
    loaded["a"]._array[:] = 0
    save(loaded, path)
    assert load(path)["a"]._array.sum() == 0
    assert len(path.read_bytes()) == len(before)
    with pytest.raises(ValueError, match=r"must be a string filename"):
        load(io.BytesIO(before), mmap=True)


@pytest.mark.parametrize(
    "where",
    [None, "cpu", device("cpu"), {"cpu": "cpu"}, {}, lambda s, tag: s, lambda s, tag: None,
     lambda s, tag: s.cpu()],
)  # fmt: skip
def test_map_location_to_the_cpu(where):
    assert round_trip(make(np.ones(2)), map_location=where)._array.tolist() == [1, 1]


def test_map_location_misused():
    with pytest.raises(TypeError, match=r"map_location must be None, a device.*got int"):
        round_trip(1, map_location=3)
    with pytest.raises(TypeError, match=r"must return the storage it was given.*got str"):
        round_trip(make(np.ones(1)), map_location=lambda s, tag: "cpu")
    with pytest.raises(RuntimeError, match=r"device type"):
        round_trip(1, map_location="moon")


def test_map_location_function_sees_size_and_tag():
    seen = []
    round_trip(make(np.ones(3)), map_location=lambda s, tag: seen.append((s.nbytes(), tag)))
    assert seen == [(24, "cpu")]
