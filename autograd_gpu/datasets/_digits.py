"""The 1797 handwritten digits, read from the file beside this one."""

from pathlib import Path
from typing import Any

import numpy as np

from .. import Generator, randperm
from .._core.tensor import Tensor, make

__all__ = ["digits", "train_test_split"]


def digits() -> tuple[Tensor, Tensor]:
    """1797 handwritten digits: images float32 (1797, 8, 8) with values 0 to 16, labels int64.

    Each call gives tensors of its own. Source: E. Alpaydin, C. Kaynak, Optical Recognition of
    Handwritten Digits, UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49,
    licensed under CC BY 4.0; stored as bytes, otherwise unchanged.
    """
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as file:
        return make(file["images"].astype(np.float32)), make(file["labels"].astype(np.int64))


def train_test_split(*tensors: Tensor, test: float = 0.2, seed: int = 0) -> tuple[Any, Any]:
    """Hold out a random part: `(training tensors), (test tensors)`, the same for the same seed.

    The test part has floor(test n) samples, taken by one random permutation of a generator of
    its own, so that other random numbers are not disturbed. ValueError where the first sizes
    differ or a part would be empty.
    """
    sizes = [t.size(0) for t in tensors]
    if not sizes or len(set(sizes)) > 1:
        raise ValueError(f"train_test_split needs tensors of one first size, but got sizes {sizes}")
    held = int(test * sizes[0])
    if not 0 < held < sizes[0]:
        raise ValueError(f"test={test} of {sizes[0]} samples leaves a part empty")
    generator = Generator()
    generator.manual_seed(seed)
    order = randperm(sizes[0], generator=generator)
    return tuple(t[order[held:]] for t in tensors), tuple(t[order[:held]] for t in tensors)
