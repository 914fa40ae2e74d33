"""Makes archives by hand, for the tests of what a damaged or hostile file does."""

import io
import pickle
import struct

from autograd_gpu._serialization.writing import ArchiveWriter


def archive(pickled, storages=(), **entries):
    """A file object with a checkpoint around the bytes of a pickle."""
    file = io.BytesIO()
    writer = ArchiveWriter(file.write)
    writer.add("data.pkl", pickled)
    for i, data in enumerate(storages):
        writer.add(f"data/{i}", data)
    for name, data in ({"byteorder": b"little", "version": b"3\n"} | entries).items():
        writer.add(name, data)
    writer.finish()
    file.seek(0)
    return file


def text(value):
    """The opcode of a str."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value):
    """The opcode of an int."""
    data = pickle.encode_long(value)
    return b"\x8a" + bytes([len(data)]) + data


def numbers(values):
    """The opcodes of a tuple of ints."""
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(size, stride, offset=0, count=6, kind="FloatStorage", key="0", location="cpu", end=b"."):
    """The pickle of a tensor in PyTorch's words."""
    storage = text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text(key) + text(location)
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((" + storage + number(count) + b"tQ"
        + number(offset) + numbers(size) + numbers(stride)
        + b"\x89ccollections\nOrderedDict\n)RtR" + end
    )  # fmt: skip
