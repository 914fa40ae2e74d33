"""The type stubs are those that the table gives today."""

import pytest

from .stubs import stubs


@pytest.mark.parametrize(("path", "text"), stubs().items(), ids=lambda v: getattr(v, "name", None))
def test_stub_is_fresh(path, text):
    assert path.read_text() == text, "run: python -m tests.house.stubs"
