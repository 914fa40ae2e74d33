"""`backends`: the switches that programs set."""

import pytest

import autograd_gpu as ag
from autograd_gpu._core.precision import PRECISION

cudnn, matmul = ag.backends.cudnn, ag.backends.cuda.matmul


@pytest.fixture(autouse=True)
def as_before():
    yield
    PRECISION.choose("highest")
    PRECISION.full = frozenset()


def test_defaults():
    assert ag.get_float32_matmul_precision() == "highest" and matmul.allow_tf32 is False
    assert matmul.allow_fp16_reduced_precision_reduction and matmul.allow_bf16_reduced_precision_reduction
    assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32) == (True, False, False, True)
    assert not cudnn.is_available() and cudnn.version() is None and not cudnn.is_acceptable(ag.ones(1))
    assert not ag.backends.mps.is_available() and not ag.backends.mps.is_built()


def test_is_built_asks_for_cupy(monkeypatch):
    from importlib.util import find_spec

    assert ag.backends.cuda.is_built() is (find_spec("cupy") is not None)
    monkeypatch.setattr(ag.backends.cuda, "find_spec", lambda name: None)
    assert ag.backends.cuda.is_built() is False


def test_levels_and_tf32_are_one_switch():
    for level, allowed in (("high", True), ("medium", True), ("highest", False)):
        ag.set_float32_matmul_precision(level)
        assert ag.get_float32_matmul_precision() == level and matmul.allow_tf32 is allowed
    for allowed, level in ((True, "high"), (False, "highest")):
        matmul.allow_tf32 = allowed
        assert ag.get_float32_matmul_precision() == level
    ag.set_float32_matmul_precision("medium")
    matmul.allow_tf32 = True
    assert ag.get_float32_matmul_precision() == "medium"


def test_half_types_are_switched_apart():
    matmul.allow_fp16_reduced_precision_reduction = False
    assert not matmul.allow_fp16_reduced_precision_reduction and matmul.allow_bf16_reduced_precision_reduction
    matmul.allow_fp16_reduced_precision_reduction = True
    matmul.allow_bf16_reduced_precision_reduction = False
    assert matmul.allow_fp16_reduced_precision_reduction and not matmul.allow_bf16_reduced_precision_reduction


def test_wrong_values_and_names_are_refused():
    with pytest.raises(RuntimeError, match="set_allow_tf32_cublas expects a bool, but got int"):
        matmul.allow_tf32 = 1
    with pytest.raises(TypeError, match="expects a bool"):
        matmul.allow_fp16_reduced_precision_reduction = 0
    with pytest.raises(AttributeError, match="Unknown attribute foo"):
        matmul.foo = True
    with pytest.raises(AttributeError, match="Unknown attribute foo"):
        matmul.foo  # noqa: B018
    with pytest.raises(RuntimeError, match="expects a str, but got int"):
        ag.set_float32_matmul_precision(3)
    with pytest.warns(UserWarning, match="'foo' is none of"):
        ag.set_float32_matmul_precision("foo")
    for name in ("allow_tf32", "benchmark", "deterministic", "enabled"):
        with pytest.raises(RuntimeError, match=f"set_{name}_cudnn expects a bool, but got str"):
            setattr(cudnn, name, "yes")
    assert matmul.allow_tf32 is False and cudnn.enabled is True


def test_flags_of_cudnn_for_a_while():
    cudnn.benchmark = True
    try:
        with cudnn.flags(enabled=False, deterministic=True):
            assert (cudnn.enabled, cudnn.deterministic, cudnn.benchmark) == (False, True, False)
        assert (cudnn.enabled, cudnn.deterministic, cudnn.benchmark) == (True, False, True)
    finally:
        cudnn.benchmark = False


def test_against_torch():
    torch = pytest.importorskip("torch")
    for name in ("enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32"):
        if name != "benchmark_limit":  # PyTorch has one only where it has cuDNN
            assert getattr(cudnn, name) == getattr(torch.backends.cudnn, name), name
    assert matmul.allow_tf32 == torch.backends.cuda.matmul.allow_tf32
    assert ag.get_float32_matmul_precision() == torch.get_float32_matmul_precision()
