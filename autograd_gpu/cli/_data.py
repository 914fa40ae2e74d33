"""The data of a run: the digits, or arrays from an .npz file, split and scaled."""

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import autograd_gpu as ag

from ._errors import Problem, one_line

__all__ = ["Data", "load"]

PAIRS = (("x", "y"), ("X", "y"), ("images", "labels"), ("data", "target"))
PARTS = ("x_train", "y_train", "x_test", "y_test")
SPLIT_SEED = 0  # the same fifth is held out in every run, whatever --seed is


@dataclass
class Data:
    """Samples (float32, scaled to 1 at most) and labels (int64), to train on and to test with."""

    name: str
    train: tuple[Any, Any]
    test: tuple[Any, Any]
    classes: int
    digest: str

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample."""
        return tuple(self.train[0].shape[1:])


def load(path: Path | None) -> Data:
    """The embedded digits, or the arrays in a file. Raises Problem for what cannot be used."""
    if path is None:
        images, labels = ag.datasets.digits()
        arrays = {"x": images.numpy(), "y": labels.numpy()}
        return _prepare("digits", arrays)
    return _prepare(str(path.resolve()), _read(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise Problem(f"{path} holds one array; --data needs an .npz file of several")
        with loaded as file:
            names = set(file.files)
            if names.issuperset(PARTS):
                return {name: file[name] for name in PARTS}
            for x, y in PAIRS:
                if {x, y} <= names:
                    return {"x": file[x], "y": file[y]}
    except FileNotFoundError:
        raise Problem(f"{path}: no such file") from None
    except OSError as error:
        raise Problem(f"{path}: cannot be read: {one_line(error)}") from None
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise Problem(f"{path}: not a usable .npz file: {one_line(error)}") from None
    raise Problem(
        f"{path} has the arrays {', '.join(sorted(names)) or '(none)'}; --data needs x and y (or "
        f"images and labels), or {', '.join(PARTS)}"
    )


def _prepare(name: str, arrays: dict[str, Any]) -> Data:
    digest = hashlib.sha256()
    for key, array in arrays.items():
        digest.update(f"{key} {array.dtype} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).data)
    for x, y in (("x", "y"),) if "x" in arrays else (PARTS[:2], PARTS[2:]):
        _check(x, arrays[x], y, arrays[y])
    if "x" in arrays:
        x, y = (ag.tensor(arrays[k]) for k in ("x", "y"))
        train, test = ag.datasets.train_test_split(x, y, seed=SPLIT_SEED)
        parts = [t.numpy() for t in (*train, *test)]
    else:
        parts = [arrays[k] for k in PARTS]
        if parts[0].shape[1:] != parts[2].shape[1:]:
            raise Problem(
                f"samples of x_train have shape {parts[0].shape[1:]}, "
                f"those of x_test {parts[2].shape[1:]}"
            )
    scale = float(np.abs(parts[0].astype(np.float64)).max()) or 1.0
    x_train, x_test = (ag.tensor((x / scale).astype(np.float32)) for x in parts[::2])
    y_train, y_test = (ag.tensor(y.astype(np.int64)) for y in parts[1::2])
    classes = 1 + int(max(parts[1].max(), parts[3].max()))
    return Data(name, (x_train, y_train), (x_test, y_test), classes, digest.hexdigest())


def _check(x_name: str, x: Any, y_name: str, y: Any) -> None:
    """Raise Problem unless `x` can be samples and `y` their labels."""
    if x.dtype.kind not in "biuf" or x.ndim < 2:
        raise Problem(f"{x_name} must be real numbers (samples, ...), not {x.dtype} {x.shape}")
    if y.dtype.kind not in "iu" or y.ndim != 1:
        raise Problem(f"{y_name} must be integers (samples,), not {y.dtype} {y.shape}")
    if len(x) != len(y):
        raise Problem(f"{x_name} has {len(x)} samples, {y_name} {len(y)} labels")
    if len(x) < 5 or x.size == 0:
        raise Problem(f"{x_name} of shape {x.shape} is too little data")
    if y.min() < 0 or y.max() >= 100_000:
        raise Problem(f"{y_name} must be classes counted from 0, not {y.min()} to {y.max()}")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise Problem(f"{x_name} holds infinite values or NaN")
