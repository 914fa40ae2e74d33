"""A fixture: each test runs twice, with the nodes' own slots and, as beside another thread's pass, without."""

from contextlib import contextmanager

import pytest

from autograd_gpu.autograd import engine


@contextmanager
def slots_taken():
    """Passes keep their gradients apart, as if another thread's were in progress."""
    patience, engine._PATIENCE = engine._PATIENCE, 0
    try:
        with engine._slots:
            yield
    finally:
        engine._PATIENCE = patience


@pytest.fixture(autouse=True, params=["in the nodes", "apart"])
def where_gradients_wait(request):
    if request.param == "apart":
        with slots_taken():
            yield
    else:
        yield
