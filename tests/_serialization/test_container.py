"""The zip container: truncation, flipped bytes, and archives made to mislead."""

import io
import struct
import zipfile

import numpy as np
import pytest

import autograd_gpu  # noqa: F401  binds the Tensor's methods
from autograd_gpu._core.tensor import Tensor, make
from autograd_gpu._serialization import container
from autograd_gpu._serialization.writing import ArchiveWriter
from autograd_gpu.serialization import FileError, TruncatedFileError, load, save

from .crafting import archive, tensor

DATA = [np.arange(6, dtype="f4").tobytes()]


def _good():
    array = np.arange(20, dtype="f4").reshape(4, 5)
    file = io.BytesIO()
    save({"a": make(array), "b": make(array[1]), "c": [1, "two", 3.0]}, file)
    return file.getvalue()


def _same(one, other):
    if isinstance(one, Tensor):
        return one.dtype is other.dtype and np.array_equal(one._array, other._array)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    return one == other


def test_every_truncation_is_an_error():
    good = _good()
    for length in range(len(good)):
        with pytest.raises(FileError) as info:
            load(io.BytesIO(good[:length]))
        assert f"({length:,} bytes)" in str(info.value)


def test_empty_file_is_also_an_end_of_file():
    for content in (b"", _good()[:-1]):
        with pytest.raises(EOFError):
            load(io.BytesIO(content))
        with pytest.raises(TruncatedFileError):
            load(io.BytesIO(content))


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_every_flipped_byte_is_found_or_harmless(mask):
    """A flip in padding, dates or versions changes nothing; any other must raise."""
    good = _good()
    expected = load(io.BytesIO(good))
    entries = zipfile.ZipFile(io.BytesIO(good)).infolist()
    content = set()
    for entry in entries:
        n, extra = struct.unpack_from("<2H", good, entry.header_offset + 26)
        begin = entry.header_offset + 30 + n + extra
        content |= set(range(begin, begin + entry.file_size))
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= mask
        try:
            result = load(io.BytesIO(bytes(bad)))
        except FileError:
            continue
        assert at not in content, at
        assert _same(result, expected), at


def test_layout_is_aligned_and_readable_by_zipfile():
    good = _good()
    file = zipfile.ZipFile(io.BytesIO(good))
    assert file.testzip() is None
    assert file.namelist() == [
        "archive/data.pkl", "archive/.format_version", "archive/.storage_alignment",
        "archive/byteorder", "archive/data/0", "archive/version", "archive/.data/serialization_id",
    ]  # fmt: skip
    assert file.read("archive/version") == b"3\n"
    assert len(file.read("archive/.data/serialization_id")) == 40
    for entry in file.infolist():
        n, extra = struct.unpack_from("<2H", good, entry.header_offset + 26)
        assert (entry.header_offset + 30 + n + extra) % 64 == 0
    assert good == _good(), "equal contents give equal files"


def _rezipped(change=None, compression=zipfile.ZIP_STORED, rename=None, extra=()):
    source = zipfile.ZipFile(archive(tensor((6,), (1,)), DATA))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as target:
        for entry in source.infolist():
            name = rename(entry.filename) if rename else entry.filename
            target.writestr(name, source.read(entry))
        for name in extra:
            target.writestr(name, b"x")
    content = bytearray(file.getvalue())
    if change:
        change(content)
    return io.BytesIO(bytes(content))


def test_another_zip_writer_is_read():
    assert load(_rezipped())._array.tolist() == [0, 1, 2, 3, 4, 5]
    assert load(_rezipped(rename=lambda n: n.replace("archive", "my.model")))._array.size == 6


def test_starts_where_the_file_object_stands():
    file = io.BytesIO(b"prefix" + _good())
    file.seek(6)
    assert load(file)["c"] == [1, "two", 3.0]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compression": zipfile.ZIP_DEFLATED}, "compressed"),
        ({"extra": ["archive/data.pkl"]}, "is there twice"),
        ({"extra": ["archive/../../etc/passwd"]}, "hostile"),
        ({"extra": ["/etc/passwd"]}, "hostile"),
        ({"extra": ["archive/a\\b"]}, "hostile"),
        ({"extra": ["other/data.pkl"]}, "not a checkpoint"),
        ({"extra": ["archive/constants.pkl"]}, "TorchScript"),
        ({"rename": lambda n: n.replace("data.pkl", "x.pkl")}, "not a checkpoint"),
        ({"rename": lambda n: n.removeprefix("archive/")}, "not a checkpoint"),
    ],
)
def test_misleading_archives(options, message):
    with pytest.raises(FileError, match=message):
        load(_rezipped(**options))


def _central(content, index=0):
    at = content.find(b"PK\x01\x02")
    for _ in range(index):
        at = content.find(b"PK\x01\x02", at + 4)
    return at


@pytest.mark.parametrize("size", [25, 10**6, 0xFFFFFFFE])
def test_declared_sizes_beyond_the_data(size):
    def change(content):
        struct.pack_into("<2L", content, _central(content, 1) + 20, size, size)

    with pytest.raises(FileError, match=r"overlaps|hold"):
        load(_rezipped(change))


def test_overlapping_entries():
    def change(content):  # the second entry points at the first
        first = struct.unpack_from("<L", content, _central(content, 0) + 42)[0]
        struct.pack_into("<L", content, _central(content, 1) + 42, first)

    with pytest.raises(FileError, match=r"overlaps"):
        load(_rezipped(change))


def test_extra_field_pushed_into_the_next_entry():
    def change(content):
        header = struct.unpack_from("<L", content, _central(content, 1) + 42)[0]
        struct.pack_into("<H", content, header + 28, 5000)

    with pytest.raises(FileError, match=r"overlaps"):
        load(_rezipped(change))


def test_impossible_directories():
    for offset, form, value in [(8, "<2H", (9, 9)), (12, "<L", (2**31,)), (16, "<L", (2**31,))]:

        def change(content, offset=offset, form=form, value=value):
            struct.pack_into(form, content, content.rfind(b"PK\x05\x06") + offset, *value)

        with pytest.raises(FileError, match=r"damaged"):
            load(_rezipped(change))


def test_number_of_entries_is_bounded(monkeypatch):
    monkeypatch.setattr(container, "MAX_ENTRIES", 3)
    with pytest.raises(FileError, match=r"at most 3"):
        load(_rezipped())


def test_versions_and_byte_orders():
    with pytest.raises(FileError, match=r"record version"):
        load(archive(b"\x80\x02N.", version=b"11"))
    with pytest.raises(FileError, match=r"byteorder"):
        load(archive(b"\x80\x02N.", byteorder=b"middle"))
    swapped = np.arange(6, dtype=">f4").tobytes()
    result = load(archive(tensor((6,), (1,)), [swapped], byteorder=b"big"))
    assert result._array.tolist() == [0, 1, 2, 3, 4, 5]
    pairs = np.array([1 + 2j], ">c8").tobytes()
    source = tensor((1,), (1,), count=1, kind="ComplexFloatStorage")
    assert load(archive(source, [pairs], byteorder=b"big"))._array[0] == 1 + 2j


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", "legacy format"),
        (b"\0" * 257 + b"ustar\0", "legacy tar format"),
        (b"hello, this is text", r"not a checkpoint.*b'hello, t'"),
        (b"\x93NUMPY\x01\x00v\x00", "not a checkpoint"),
    ],
)
def test_other_formats_are_named(content, message):
    with pytest.raises(FileError, match=message):
        load(io.BytesIO(content))


def test_zip64_offsets(tmp_path):
    """An entry that begins past 4 GiB, in a file that is mostly a hole."""
    path = tmp_path / "sparse.pt"
    with path.open("wb") as file:
        writer = ArchiveWriter(file.write)
        writer.add("data.pkl", tensor((6,), (1,)))
        writer._at = 2**32 + 5
        file.seek(writer._at)
        writer.add("data/0", DATA[0])
        writer.finish()
    assert zipfile.ZipFile(path).testzip() is None
    assert load(path)._array.tolist() == [0, 1, 2, 3, 4, 5]
    assert load(path, mmap=True)._array.tolist() == [0, 1, 2, 3, 4, 5]
    content = path.open("r+b")
    content.seek(-5, 2)
    content.truncate()
    with pytest.raises(FileError, match=r"truncated"):
        load(path)
