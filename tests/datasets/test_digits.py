"""The embedded digits, and the split."""

from pathlib import Path

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import datasets


def test_digits():
    images, labels = datasets.digits()
    assert images.shape == (1797, 8, 8) and images.dtype is ag.float32
    assert labels.shape == (1797,) and labels.dtype is ag.int64
    assert images.min().item() == 0.0 and images.max().item() == 16.0
    assert np.bincount(labels.numpy()).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip
    images.zero_()
    assert datasets.digits()[0].max().item() == 16.0


def test_digits_are_scikit_learns():
    sklearn = pytest.importorskip("sklearn.datasets")
    bunch = sklearn.load_digits()
    images, labels = datasets.digits()
    assert (images.numpy() == bunch.images).all() and (labels.numpy() == bunch.target).all()


def test_attribution_lies_beside_the_data():
    text = Path(datasets.__file__).with_name("digits.txt").read_text(encoding="utf-8")
    for words in ("Alpaydin", "Kaynak", "CC BY 4.0", "UCI"):
        assert words in text


def test_split():
    x = ag.arange(10)
    (a, b), (c, d) = datasets.train_test_split(x, x * 2, seed=1)
    assert len(a) == 8 and len(c) == 2 and sorted(a.tolist() + c.tolist()) == list(range(10))
    assert b.tolist() == (a * 2).tolist() and d.tolist() == (c * 2).tolist()
    ag.manual_seed(0)
    before = ag.get_rng_state().tolist()
    assert datasets.train_test_split(x, seed=1)[1][0].tolist() == c.tolist()
    assert ag.get_rng_state().tolist() == before
    for bad in ((x, ag.arange(3)), (ag.arange(2),), ()):
        with pytest.raises(ValueError):
            datasets.train_test_split(*bad)
