"""Checkpoint files: layouts of memory, damage, interrupted writes, resuming to the bit."""

import io
import os
import pickle
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.serialization import FileError


def saved(value):
    file = io.BytesIO()
    ag.save(value, file)
    return file.getvalue()


def loaded(content, **options):
    return ag.load(io.BytesIO(content), **options)


LAYOUTS = {
    "transposed": lambda t: t.T,
    "strided": lambda t: t[:, ::2],
    "offset": lambda t: t[1:, 2:],
    "reversed": lambda t: ag.from_numpy(t.numpy()[::-1].copy()),
    "expanded": lambda t: t[:1].expand(3, 4),
    "F order": lambda t: ag.from_numpy(np.asfortranarray(t.numpy())),
    "0-d": lambda t: t[1, 2],
    "empty": lambda t: t[:0],
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name):
    """I1: what is loaded has the same values, whatever the strides."""
    t = LAYOUTS[name](ag.arange(12.0).reshape(3, 4))
    again = loaded(saved(t))
    assert again.tolist() == t.tolist()
    assert again.shape == t.shape


def test_extended_dtypes():
    """I3."""
    for dtype in (ag.bfloat16, ag.float16, ag.complex64, ag.bool, ag.uint8):
        t = ag.tensor([0, 1, 1]).to(dtype)
        again = loaded(saved(t))
        assert again.dtype is dtype
        assert ag.equal(again, t)


def test_damage():
    """I4, E76: files cut short, followed by something else, or changed in a payload byte."""
    good = saved({"a": ag.arange(1000.0)})
    for n in (0, 1, 100, len(good) // 2, len(good) - 1):
        with pytest.raises(FileError, match=f"{n:,} bytes"):
            loaded(good[:n])
    place = good.index(np.arange(1000, dtype="f4").tobytes()) + 2000
    flipped = bytearray(good)
    flipped[place] ^= 1
    with pytest.raises(FileError):
        loaded(bytes(flipped))
    with pytest.raises(FileError):
        loaded(good + b"junk" * 30000)


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [2, 4])
def test_code_is_never_run(protocol, tmp_path):
    """E75, I12: in a zip file as PyTorch writes it, and in a bare pickle."""
    evil = Evil(tmp_path / "made by the file")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"a": evil}, protocol))
        archive.writestr("archive/version", b"3\n")
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        loaded(file.getvalue())
    with pytest.raises((pickle.UnpicklingError, FileError)):
        loaded(pickle.dumps(evil, protocol))
    assert not list(tmp_path.iterdir())


def test_shared_memory_is_saved_once():
    """E81: as in PyTorch a view keeps its whole storage, and sharing comes back."""
    a = ag.ones(10**5)
    both = saved({"a": a, "b": a})
    assert len(both) < 5e5
    assert len(saved(a[:1])) > 4e5
    again = loaded(both)
    again["a"][0] = 5.0
    assert again["b"][0].item() == 5.0


WRITER = """
import sys, autograd_gpu as ag
t = ag.ones(300_000)
for i in range(10**6):
    ag.save(t.fill_(float(i)), sys.argv[1])
    print(i, flush=True)
"""


def test_killed_writers_leave_a_whole_file(tmp_path):
    """I10: whenever a writer is killed, the file is the old or the new one, never half of either."""
    path = tmp_path / "x.pt"
    for k in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE
        ) as writer:
            for _ in range(3):
                writer.stdout.readline()
            time.sleep(0.0007 * k)
            writer.kill()
        values = ag.load(path)
        assert values[0].item() >= 2.0
        assert (values == values[0]).all()


def test_a_folder_that_is_not_there_keeps_the_old_file(tmp_path):
    """I16."""
    path = tmp_path / "x.pt"
    ag.save(ag.ones(2), path)
    with pytest.raises(OSError, match="absent"):
        ag.save(ag.ones(2), tmp_path / "absent" / "x.pt")
    with pytest.raises(pickle.PicklingError):
        ag.save({"t": ag.zeros(2), "f": lambda: 0}, path)
    assert ag.load(path).tolist() == [1.0, 1.0]
    assert os.listdir(tmp_path) == ["x.pt"]


def build():
    model = ag.nn.Sequential(
        ag.nn.Linear(4, 8),
        ag.nn.BatchNorm1d(8),
        ag.nn.ReLU(),
        ag.nn.Dropout(0.3),
        ag.nn.Linear(8, 1),
    )
    optimizer = ag.optim.Adam(model.parameters(), 0.01)
    return model, optimizer, ag.optim.lr_scheduler.StepLR(optimizer, 7, 0.5)


def train(model, optimizer, schedule, steps):
    losses = []
    for _ in range(steps):
        x = ag.randn(16, 4)
        loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def test_resuming_is_bit_identical(tmp_path):
    """I13, E82: 50 steps are 25, a checkpoint, and 25 in objects made anew."""
    ag.manual_seed(0)
    whole = train(*build(), 50)
    ag.manual_seed(0)
    parts = build()
    first = train(*parts, 25)
    state = [part.state_dict() for part in parts]
    ag.save({"parts": state, "rng": ag.get_rng_state()}, tmp_path / "half.pt")
    ag.manual_seed(99)
    again = build()
    found = ag.load(tmp_path / "half.pt")
    for part, state in zip(again, found["parts"], strict=True):
        part.load_state_dict(state)
    ag.set_rng_state(found["rng"])
    assert first + train(*again, 25) == whole
