"""The number of BLAS threads: what is set is read back, and bad values are refused."""

import numpy as np
import pytest

from autograd_gpu._core import threads


def test_set_and_get():
    before = threads.get_num_threads()
    assert before >= 1
    try:
        threads.set_num_threads(np.int64(1))
        assert threads._openblas() is None or threads.get_num_threads() == 1
    finally:
        threads.set_num_threads(before)
    assert threads.get_num_threads() == before


def test_bad_values():
    with pytest.raises(RuntimeError, match="positive"):
        threads.set_num_threads(0)
    for bad in (1.5, "2", True):
        with pytest.raises(TypeError, match="expects an int"):
            threads.set_num_threads(bad)


def test_another_blas_is_left_alone(monkeypatch):
    monkeypatch.setattr(threads, "_openblas", lambda: None)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    threads.set_num_threads(1)
    assert threads.get_num_threads() == 3
