"""Wrong use of the profiler: PyTorch's types of errors where PyTorch has one, and nothing left behind."""

import warnings

import pytest

import autograd_gpu as ag
from autograd_gpu.autograd import profiler as P
from autograd_gpu.autograd.profiler.ranges import markers, running
from autograd_gpu.autograd.watch import watchers

from .agree import agree, fails, on_host
from .test_profiler import listed


@pytest.fixture(autouse=True)
def nothing_is_left():
    """No test leaves a profile running: ops have their own code, and nobody watches."""
    yield
    assert running == [] and markers == [] and watchers == []
    assert "<autograd_gpu" in ag.exp.__code__.co_filename or "declare.py" in ag.exp.__code__.co_filename


@agree
@on_host
def test_a_profile_is_taken_once(t):
    prof = t.autograd.profiler.profile()
    words = "Profiler context manager is not reentrant"
    with prof:
        fails(RuntimeError, words, prof.__enter__)
        t.ones(1)
    fails(RuntimeError, words, prof.__enter__)
    return [a.key for a in prof.key_averages() if a.key == "aten::ones"]


@agree
@on_host
def test_before_the_end_there_is_nothing(t):
    prof = t.autograd.profiler.profile()
    found = [len(prof.key_averages()), prof.self_cpu_time_total, len(prof.function_events)]
    with prof:
        t.ones(1)
        found += [len(prof.key_averages()), prof.key_averages().table()]
    return found


def test_an_unfinished_profile_says_so():
    prof = P.profile()
    with prof:
        ag.ones(1)
        assert repr(prof) == str(prof) == "<unfinished autograd_gpu.autograd.profiler.profile>"
    assert repr(prof).startswith("[<FunctionEvent id=0 name=")


def test_nothing_to_export_before_the_end(tmp_path):
    prof = P.profile(with_stack=True)
    for _ in prof, None:
        for export in (prof.export_chrome_trace, prof.export_stacks):
            with pytest.raises(RuntimeError, match="export_.*: Profiler didn't finish running"):
                export(tmp_path / "x")
    with prof:
        with pytest.raises(RuntimeError, match="Profiler didn't finish running"):
            prof.export_chrome_trace(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
    with P.profile() as prof:
        pass
    fails(AssertionError, "requires with_stack=True", prof.export_stacks, tmp_path / "x")


@agree
@on_host
def test_an_unknown_order(t):
    with t.autograd.profiler.profile() as prof:
        t.ones(1)
    return fails(AttributeError, "nonsense", prof.key_averages().table, sort_by="nonsense")


def test_the_orders_there_are_are_named():
    with P.profile() as prof:
        ag.ones(1)
    with pytest.raises(AttributeError, match="sort by, but cpu_time, cpu_time_total, .*count"):
        prof.table(sort_by="name")


@agree
@on_host
def test_ranges(t):
    P = t.autograd.profiler
    name = fails(RuntimeError, "instead found type 'int'", P.record_function(3).__enter__)
    fails(AssertionError, "", P.record_function("x").__exit__, None, None, None)
    with P.record_function("no profile"):
        pass
    return name


@agree
@on_host
def test_devices_that_are_not_there(t):
    P = t.autograd.profiler
    warned = []
    for device in ("cuda", "tpu"):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            assert P.profile(use_device=device).use_device is None
        warned.append([str(w.message)[:45] for w in seen])
    fails(AssertionError, "", _on_nothing, t)
    return warned[0][0][:38], warned[1]


def _on_nothing(t):
    with t.autograd.profiler.profile(use_cpu=False):
        pass


def test_without_cuda_there_is_no_nvtx():
    with pytest.raises(RuntimeError, match="emit_nvtx: NVTX ranges need CUDA: "), P.emit_nvtx():
        raise AssertionError("it was entered")
    with P.emit_nvtx(enabled=False) as nothing:
        assert nothing is None and ag.ones(1).exp().item() > 2
    with pytest.raises(RuntimeError, match="emit_itt is not there"):
        P.emit_itt()
    with P.emit_itt(enabled=False):
        pass


def test_an_error_in_the_program_ends_the_profile():
    with pytest.raises(ZeroDivisionError):
        with P.profile() as prof, P.record_function("x"):
            ag.ones(1)
            raise ZeroDivisionError
    assert [e.name for e in listed(prof)] == ["x", "aten::ones"]


@agree
@on_host
def test_by_activities(t):
    P = t.profiler
    fails(AssertionError, "No valid profiler activities found", P.profile, activities=[])
    fails(AssertionError, "No valid profiler activities found", P.profile, activities=[3])
    prof = P.profile(activities=[P.ProfilerActivity.CPU])
    for words, call in (
        ("getting key averages", prof.key_averages),
        ("exporting chrome trace", lambda: prof.export_chrome_trace("nowhere.json")),
        ("accessing events", prof.events),
        ("stopping trace", prof.stop),
    ):
        fails(AssertionError, f"Profiler must be initialized before {words}", call)
    for numbers in ((-1, 0, 1), (0, 0, 0), (0, -1, 1)):
        fails(AssertionError, "Invalid profiler schedule arguments", _schedule, t, *numbers)
    return fails(AssertionError, "Step must be non-negative", P.schedule(wait=0, warmup=0, active=1), -1)


def _schedule(t, wait, warmup, active):
    return t.profiler.schedule(wait=wait, warmup=warmup, active=active)


def test_the_folder_of_traces(tmp_path):
    (tmp_path / "file").write_text("")
    write = ag.profiler.tensorboard_trace_handler(str(tmp_path / "file"))
    with pytest.raises(RuntimeError, match="Can't create directory"):
        with ag.profiler.profile(on_trace_ready=write):
            ag.ones(1)
