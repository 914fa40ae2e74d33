"""use_deterministic_algorithms: which form adds on a device, and what refuses."""

import pytest

import autograd_gpu as ag
import autograd_gpu.nn.functional as F
from autograd_gpu.testing import standin

from .conftest import require_emulator


@pytest.fixture(scope="module", autouse=True)
def device():
    require_emulator()
    with standin.activate():
        yield


@pytest.fixture(params=[False, True], ids=["", "deterministic"])
def deterministic(request):
    ag.use_deterministic_algorithms(request.param)
    yield request.param
    ag.use_deterministic_algorithms(False)


def forms(backward_of):
    """The kernels that add in the backward pass of an op."""
    x = ag.ones(5, 4, device="cuda").requires_grad_()
    y = backward_of(x, ag.tensor([3, 1, 1, 4], device="cuda"))
    with standin.launches() as seen:
        y.sum().backward()
    names = [launch.name for launch in seen]
    return {n.partition("<")[0] for n in names if "index_add" in n or "reduce_runs" in n}


READS = {
    "x[i]": lambda x, i: x[i],
    "gather": lambda x, i: x.gather(0, i.reshape(4, 1).expand(4, 4)),
    "index_select": lambda x, i: x.index_select(0, i),
    "take": lambda x, i: x.take(i),
    "embedding": lambda x, i: F.embedding(i, x),
}


@pytest.mark.parametrize("op", READS)
def test_which_form_adds(op, deterministic):
    wanted = {"ag::reduce_runs_by_warps"} if deterministic else {"ag::index_add"}
    assert forms(READS[op]) == wanted


def test_integers_need_no_order(deterministic):
    with standin.launches() as seen:
        ag.zeros(3, dtype=ag.int64, device="cuda").index_add(
            0, ag.tensor([1, 1], device="cuda"), ag.tensor([2, 3], device="cuda")
        )
    assert any("ag::index_add" in launch.name for launch in seen)


UNORDERED = {
    "bincount": (lambda x: ag.bincount(ag.tensor([1, 1, 2], device=x.device), x), [0, 3, 3]),
    "cumsum": (lambda x: x.cumsum(0), [1, 3, 6]),
    "cumprod": (lambda x: x.cumprod(0), [1, 2, 6]),
}


@pytest.mark.parametrize("name", UNORDERED)
def test_what_has_no_deterministic_form_says_so(name, deterministic):
    op, wanted = UNORDERED[name]
    x = ag.tensor([1.0, 2.0, 3.0])
    assert op(x).tolist() == wanted
    if not deterministic:
        assert op(x.cuda()).tolist() == wanted
        return
    says = f"{name}.* does not have a deterministic implementation, but you set"
    with pytest.raises(RuntimeError, match=says):
        op(x.cuda())
    ag.use_deterministic_algorithms(True, warn_only=True)
    with pytest.warns(UserWarning, match=says):
        assert op(x.cuda()).tolist() == wanted


def test_sums_of_whole_numbers_have_one(deterministic):
    assert ag.tensor([1, 2, 3]).cuda().cumsum(0).tolist() == [1, 3, 6]
    assert ag.bincount(ag.tensor([1, 1, 2]).cuda()).tolist() == [0, 2, 1]


def test_the_state():
    assert not ag.are_deterministic_algorithms_enabled()
    ag.use_deterministic_algorithms(True, warn_only=True)
    assert ag.are_deterministic_algorithms_enabled()
    assert ag.is_deterministic_algorithms_warn_only_enabled()
    ag.use_deterministic_algorithms(False)
    assert not ag.are_deterministic_algorithms_enabled()
    assert not ag.is_deterministic_algorithms_warn_only_enabled()
    for wrong in (1, None, "yes"):
        with pytest.raises(TypeError, match="must be bool"):
            ag.use_deterministic_algorithms(wrong)
    with pytest.raises(TypeError, match="must be bool"):
        ag.use_deterministic_algorithms(True, warn_only=1)
