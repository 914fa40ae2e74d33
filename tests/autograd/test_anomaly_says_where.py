"""Anomaly mode, better than PyTorch's: the error itself says where; infinities; the forward too."""

import linecache
import re
import sys
import threading
import warnings

import pytest

import autograd_gpu as ag
from autograd_gpu._core.state import modes
from autograd_gpu.autograd import anomaly_mode
from autograd_gpu.autograd.saving import node_observers, result_observers
from autograd_gpu.autograd.watch import inspectors, watchers

from . import test_anomaly as programs
from .agree import function
from .test_anomaly import NAN


def raised(program, kind=RuntimeError):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(kind) as caught:
            program(ag)
    return caught.value


def test_the_error_names_the_line():
    text = str(raised(programs.square_root))
    assert text.startswith("Function 'SqrtBackward0' returned nan values in its 0th output. It was ")
    assert f'File "{programs.__file__}", line' in text
    assert text.endswith("in square_root\n    y = x.sqrt() * 0")


def test_it_names_the_line_of_a_module_call():
    """Not a line within the package."""
    text = str(raised(programs.a_loss_of_a_network))
    assert "returned nan values" in text
    assert text.endswith("loss = (out * 0).sum()") or text.endswith("out = net(x)")


def test_a_second_derivative_names_both_lines():
    text = str(raised(programs.a_second_derivative))
    assert "g = t.autograd.grad(y.sum(), x, create_graph=True)[0]" in text
    assert "This was within the backward of SqrtBackward0, which was made here:" in text
    assert text.endswith("y = x.sqrt()")


def test_other_errors_get_a_note():
    for program, kind, line in (
        (programs.raised_in_a_function, KeyError, "backward, \"Raise\").apply(x)"),
        (programs.raised_in_a_hook, ValueError, "y = x * 2"),
        (programs.what_was_saved_is_written, RuntimeError, "y = x.exp()"),
        (programs.a_graph_is_freed, RuntimeError, "y = x * x"),
    ):
        error = raised(program, kind)
        assert len(error.__notes__) == 1
        assert error.__notes__[0].startswith("Error in the backward of ")
        assert error.__notes__[0].endswith(line)


def test_the_error_of_a_write_points_to_the_line():
    assert "Hint: the forward line given with this error" in str(raised(programs.what_was_saved_is_written))


def test_without_a_forward_in_the_mode():
    assert str(raised(programs.forward_without)).endswith("anomaly mode was off, so its line is not known.")


def test_a_pass_within_a_pass_is_noted_once():
    def backward(ctx, g):
        with ag.enable_grad():
            x = ag.zeros(2, requires_grad=True)
            (x.sqrt() * 0).sum().backward()
        return g

    def program(t):
        with t.autograd.set_detect_anomaly(True):
            x = t.ones(2, requires_grad=True)
            function(t, lambda ctx, x: x * 1, backward).apply(x).sum().backward()

    error = raised(program)
    assert str(error).startswith("Function 'SqrtBackward0' returned nan")
    assert not hasattr(error, "__notes__")


def test_infinities_by_choice():
    def program(t):
        with t.autograd.detect_anomaly(check_inf=True):
            x.sqrt().sum().backward()

    for x in (ag.zeros(2, requires_grad=True), ag.zeros(2, dtype=ag.complex64, requires_grad=True)):
        if not x.is_complex():
            assert str(raised(program)).startswith("Function 'SqrtBackward0' returned inf values")
    with ag.autograd.set_detect_anomaly(True, False, check_inf=True):
        (x.sqrt() * 0).abs().sum().backward()


FORWARD = {
    "log of -1": lambda x: (x - 2).log(),
    "0 / 0": lambda x: (x - x) / (x - x),
    "a method in place": lambda x: (x - 2).log_(),
    "out": lambda x: ag.log(x - 2, out=ag.empty(2)),
    "one of two": lambda x: ag.var_mean(x[:1]),
    "through a module": lambda x: ag.nn.functional.log_softmax(x * float("inf") * 0, 0),
}


@pytest.mark.parametrize("mode", [ag.enable_grad, ag.no_grad, ag.inference_mode])
@pytest.mark.parametrize("name", FORWARD)
def test_the_forward_by_choice(name, mode):
    """The first operation that gives NaN, and the user's line."""
    x = ag.ones(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            pytest.raises(RuntimeError) as caught,
            mode(),
            ag.autograd.set_detect_anomaly(True, check_forward=True),
        ):
            FORWARD[name](x)
    assert re.match(r"\w+\(\) returned nan values in its \dth output, here:", str(caught.value))
    assert str(caught.value).endswith(f'"{name}": ' + line_of(name))


def line_of(name):
    """The line of this file that holds the case."""
    source = linecache.getlines(__file__)
    return next(s.strip().partition(": ")[2] for s in source if s.strip().startswith(f'"{name}": '))


def test_infinities_in_the_forward_by_choice():
    x = ag.zeros(2, requires_grad=True)
    with ag.autograd.set_detect_anomaly(True, check_forward=True):
        x.log()
    with (
        ag.autograd.set_detect_anomaly(True, check_inf=True, check_forward=True),
        pytest.raises(RuntimeError, match=r"log\(\) returned inf values in its 0th output"),
    ):
        x.log()


def test_half_precision_and_complex():
    for dtype in (ag.float16, ag.bfloat16, ag.float64):
        x = ag.zeros(2, dtype=dtype, requires_grad=True)
        assert "nan values" in str(raised(lambda t, x=x: checked(t, lambda: (x.sqrt() * 0).sum())))
    z = ag.zeros(2, dtype=ag.complex64, requires_grad=True)
    assert "nan values" in str(raised(lambda t: checked(t, lambda: (z * complex(NAN, 0)).abs().sum())))


def checked(t, forward):
    with t.autograd.set_detect_anomaly(True):
        forward().backward()


def test_a_sum_of_infinities_is_not_the_fault_of_its_parts():
    """inf - inf where two gradients meet: the node that it is handed to gives NaN first."""
    x = ag.ones(2, requires_grad=True)
    with ag.autograd.set_detect_anomaly(True):
        y = x * 2
        z = y * float("inf") - y * float("inf")
    error = raised(lambda t: with_mode(t, z.sum()))
    assert str(error).endswith("y = x * 2")


def with_mode(t, y):
    with t.autograd.set_detect_anomaly(True):
        y.backward()


def test_it_is_one_setting_for_all_threads():
    found = []

    def work():
        x = ag.zeros(2, requires_grad=True)
        try:
            (x.sqrt() * 0).sum().backward()
        except RuntimeError as error:
            found.append(str(error))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with ag.autograd.set_detect_anomaly(True):
            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert len(found) == 3
    assert all("(x.sqrt() * 0).sum().backward()" in text for text in found)


def test_the_warning_points_to_the_line_that_called_backward():
    for program in (programs.square_root, programs.raised_in_a_hook):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with pytest.raises((RuntimeError, ValueError)):
                program(ag)
        assert [w.filename for w in caught] == [programs.__file__] * 2
        assert "y.sum().backward()" in linecache.getline(caught[1].filename, caught[1].lineno)


def test_nothing_is_left_when_it_is_off():
    before = set(modes)
    with ag.autograd.set_detect_anomaly(True, check_inf=True, check_forward=True):
        assert modes != before
    assert modes == before
    assert not (node_observers or result_observers or watchers or inspectors)
    assert not anomaly_mode.is_anomaly_enabled()


def test_gradients_are_the_same():
    def gradients():
        ag.manual_seed(0)
        net = ag.nn.Sequential(ag.nn.Linear(4, 5), ag.nn.Tanh(), ag.nn.Linear(5, 1))
        x = ag.randn(3, 4, requires_grad=True)
        y = net(x).sum() + x.view(12)[:3].clone().mul_(2).prod() + x.sort().values[0, 0]
        first = ag.autograd.grad(y, x, create_graph=True)[0]
        (first**2).sum().backward()
        return [g.tolist() for g in [first.detach(), x.grad, *[p.grad for p in net.parameters()][:3]]]

    usual = gradients()
    with ag.autograd.set_detect_anomaly(True, check_inf=True, check_forward=True):
        assert gradients() == usual


def test_the_stack_begins_with_the_program():
    def program(t):
        return checked(t, lambda: (t.zeros(1, requires_grad=True).sqrt() * 0).sum())

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(RuntimeError):
            program(ag)
    text = str(caught[0].message)
    assert text.rindex("in program") < text.rindex("in checked") < text.rindex("in <lambda>")
    assert sys.modules["autograd_gpu"].__path__[0] not in text
