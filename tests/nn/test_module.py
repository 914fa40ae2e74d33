"""Module: what assignment means, walking, modes, conversions, printing, copies and pickles."""
import copy
import gc
import pickle
import weakref

import pytest

import autograd_gpu as ag
from autograd_gpu import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.act = nn.ReLU()
        self.rest = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
        self.scale = nn.Parameter(ag.ones(1))
        self.register_buffer("count", ag.zeros(1))
        self.register_buffer("scratch", ag.zeros(2), persistent=False)

    def forward(self, x):
        return self.rest(self.act(self.first(x))) * self.scale


def test_walking():
    net = Net()
    assert [n for n, _ in net.named_modules()] == [
        "", "first", "act", "rest", "rest.0", "rest.1", "rest.2"
    ]
    assert [n for n, _ in net.named_children()] == ["first", "act", "rest"]
    assert [n for n, _ in net.named_parameters()] == [
        "scale", "first.weight", "first.bias",
        "rest.0.weight", "rest.0.bias", "rest.2.weight", "rest.2.bias",
    ]
    assert [n for n, _ in net.named_parameters("p", recurse=False)] == ["p.scale"]
    assert [n for n, _ in net.named_buffers()] == ["count", "scratch"]
    assert len(list(net.modules())) == 7 and len(list(net.buffers())) == 2


def test_shared_parameters_and_modules_come_once():
    layer = nn.Linear(2, 2, bias=False)
    net = nn.Sequential(layer, layer)
    assert len(list(net.parameters())) == 1
    assert len(list(net.modules())) == 2
    assert len(list(net.named_parameters(remove_duplicate=False))) == 2
    assert len(list(net.named_modules(remove_duplicate=False))) == 3
    assert list(net.state_dict()) == ["0.weight", "1.weight"]


def test_assignment_moves_a_name_between_kinds():
    m = nn.Module()
    m.x = 3
    m.x = nn.Parameter(ag.ones(1))
    assert "x" in m._parameters and m.x is m._parameters["x"]
    with pytest.raises(TypeError, match="as parameter 'x'"):
        m.x = nn.Linear(1, 1)
    del m.x
    m.x = 3
    m.x = nn.Linear(1, 1)
    assert "x" in m._modules and "x" not in m._parameters
    m.x = None
    assert m._modules == {"x": None} and m.x is None
    del m.x
    assert not hasattr(m, "x") and m._modules == {}
    m.x = nn.Buffer(ag.ones(1), persistent=False)
    assert list(m._buffers) == ["x"] and m._non_persistent_buffers_set == {"x"}
    m.x = ag.zeros(2)
    assert m._buffers["x"] is m.x and list(m.state_dict()) == []
    del m.x
    assert m._non_persistent_buffers_set == set()


def test_registries_and_attributes_stay_one():
    m = nn.Linear(2, 1)
    new = nn.Parameter(ag.zeros(1, 2))
    m._parameters["weight"] = new
    assert m.weight is new
    del m._parameters["weight"]
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'weight'"):
        _ = m.weight
    m.weight = new
    assert m._parameters["weight"] is new
    assert m._parameters.pop("weight") is new and not hasattr(m, "weight")
    assert m._parameters.pop("weight", 5) == 5
    m._parameters.update(weight=new)
    assert m.weight is new
    m._parameters = {"other": new}
    assert m.other is new and not hasattr(m, "weight") and not hasattr(m, "bias")
    m._parameters.clear()
    assert not hasattr(m, "other")
    m._parameters |= {"a": new}
    assert m.a is new and m._parameters.setdefault("b", None) is None and m.b is None
    assert m._parameters.popitem() == ("b", None) and not hasattr(m, "b")


def test_errors_of_assignment():
    m = nn.Linear(1, 1)
    with pytest.raises(TypeError, match=r"cannot assign 'torch.FloatTensor' as parameter 'weight'"):
        m.weight = ag.ones(1, 1)
    with pytest.raises(TypeError, match="cannot assign 'int' as parameter 'bias'"):
        m.bias = 3
    m.sub = nn.ReLU()
    with pytest.raises(TypeError, match="as child module 'sub'"):
        m.sub = 3
    m.register_buffer("buf", ag.ones(1))
    with pytest.raises(TypeError, match="as buffer 'buf'"):
        m.buf = 3
    for name, error in ((3, TypeError), ("a.b", KeyError), ("", KeyError), ("forward", KeyError)):
        for register in (m.register_parameter, m.register_buffer, m.add_module):
            with pytest.raises(error):
                register(name, None)
    with pytest.raises(ValueError, match="non-leaf"):
        result = nn.Parameter(ag.ones(1))
        result._edge = (result * 2)._edge
        m.register_parameter("new", result)


@pytest.mark.parametrize(
    "value, kind",
    [
        (lambda: nn.ReLU(), "module"),
        (lambda: nn.Parameter(ag.ones(1)), "parameters"),
        (lambda: nn.Buffer(ag.ones(1)), "buffer"),
    ],
)
def test_assignment_before_init(value, kind):
    class Early(nn.Module):
        def __init__(self):
            self.part = value()
            super().__init__()

    with pytest.raises(AttributeError, match=rf"cannot assign {kind} before Module.__init__\(\)"):
        Early()


def test_arguments_of_init():
    with pytest.raises(TypeError, match="unexpected keyword argument 'a'"):
        nn.Module(a=1)
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        nn.Module(1)

    class Mixin:
        def __init__(self, x):
            self.x = x

    class Both(nn.Module, Mixin):
        call_super_init = True

    assert Both(5).x == 5


def test_a_class_may_define_getattr():
    class Wrapper(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.__dict__["inner"], name)

    class Strict(nn.Module):
        def __getattr__(self, name):
            return super().__getattr__(name)

    assert Wrapper(nn.Linear(2, 5)).out_features == 5
    with pytest.raises(AttributeError, match="'Strict' object has no attribute 'nope'"):
        _ = Strict().nope


def test_paths():
    net = Net()
    assert net.get_submodule("rest.2") is net.rest[2] and net.get_submodule("") is net
    assert net.get_parameter("rest.0.bias") is net.rest[0].bias
    assert net.get_buffer("count") is net.count
    for call, message in (
        (lambda: net.get_submodule("rest.9"), "Sequential has no attribute `9`"),
        (lambda: net.get_submodule("scale"), "`scale` is not an nn.Module"),
        (lambda: net.get_parameter("count"), "`count` is not an nn.Parameter"),
        (lambda: net.get_buffer("scale"), "`scale` is not a buffer"),
    ):
        with pytest.raises(AttributeError, match=message):
            call()
    net.set_submodule("rest.1", nn.Tanh())
    assert isinstance(net.rest[1], nn.Tanh)
    with pytest.raises(ValueError):
        net.set_submodule("", nn.Tanh())
    with pytest.raises(AttributeError):
        net.set_submodule("rest.9", nn.Tanh(), strict=True)


def test_modes_and_grads():
    net = Net()
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert net.train() is net and all(m.training for m in net.modules())
    with pytest.raises(ValueError):
        net.train(3)
    net(ag.ones(4, 2)).sum().backward()
    grad = net.scale.grad
    net.zero_grad(set_to_none=False)
    assert net.scale.grad is grad and grad.item() == 0
    net.zero_grad()
    assert net.scale.grad is None
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    seen = []
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Linear", "ReLU", "Linear", "Sequential", "Net"]


def test_conversions_keep_identity():
    net = Net()
    net.register_buffer("index", ag.zeros(2, dtype=ag.long))
    before = dict(net.named_parameters())
    net(ag.ones(4, 2)).sum().backward()
    grad = net.scale.grad
    assert net.double() is net
    assert all(p is before[n] and p.dtype == ag.float64 for n, p in net.named_parameters())
    assert net.scale.grad is grad and grad.dtype == ag.float64
    assert net.count.dtype == ag.float64 and net.index.dtype == ag.int64
    net.zero_grad()
    net(ag.ones(4, 2, dtype=ag.float64)).sum().backward()
    assert net.scale.grad.dtype == ag.float64
    net.to(ag.float32)
    assert net.scale.dtype == ag.float32 and net.index.dtype == ag.int64
    net.to("cpu", ag.float64)
    net.to(ag.ones(1))
    assert net.scale.dtype == ag.float32
    net.half().float()
    assert net.scale.dtype == ag.float32
    net.type(ag.float64)
    assert net.index.dtype == ag.float64
    net.to_empty(device="cpu")
    with pytest.raises(TypeError, match="only accepts floating point or complex"):
        net.to(ag.int32)
    with pytest.raises(TypeError):
        net.to([])


def test_repr():
    net = Net()
    assert repr(net) == (
        "Net(\n"
        "  (first): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (act): ReLU()\n"
        "  (rest): Sequential(\n"
        "    (0): Linear(in_features=3, out_features=3, bias=True)\n"
        "    (1): ReLU()\n"
        "    (2): Linear(in_features=3, out_features=1, bias=True)\n"
        "  )\n"
        ")"
    )
    assert {"first", "scale", "count", "forward"} <= set(dir(net))


def test_copies_and_pickles():
    net = Net()
    net.alias = net.first
    net.register_forward_hook(print_nothing)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert list(twin.state_dict()) == list(net.state_dict())
        assert twin.scale is not net.scale and twin.scale is twin._parameters["scale"]
        assert isinstance(twin.scale, nn.Parameter) and twin.scale.requires_grad
        assert twin.alias is twin.first and len(twin._forward_hooks) == 1
        twin.first.weight = None
        assert net.first.weight is not None
        assert twin(ag.ones(1, 2)) is not None if twin.first.weight is not None else True
    shallow = copy.copy(net)
    assert shallow.scale is net.scale
    shallow.scale = nn.Parameter(ag.zeros(1))
    assert shallow.scale is not net.scale


def print_nothing(module, args, output):
    pass


def test_own_getstate():
    class Own(nn.Linear):
        def __getstate__(self):
            state = self.__dict__.copy()
            state.pop("in_features")
            return state

    m = Own(2, 1)
    twin = copy.deepcopy(m)
    assert twin.weight is twin._parameters["weight"] and not hasattr(twin, "in_features")
    twin._parameters["weight"] = None
    assert twin.weight is None and m.weight is not None


def test_modules_are_freed_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        net = Net()
        net(ag.ones(1, 2))
        alive = [weakref.ref(net), weakref.ref(net.rest), weakref.ref(net.scale)]
        del net
        assert [r() for r in alive] == [None, None, None]
    finally:
        gc.enable()


def test_forward_is_required_and_absent_things_are_absent():
    with pytest.raises(NotImplementedError, match='missing the required "forward" function'):
        nn.Module()(1)
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'compile'"):
        nn.Linear(1, 1).compile()


def test_calls_pass_all_arguments():
    class Args(nn.Module):
        def forward(self, *args, **kwargs):
            return args, kwargs

    m = Args()
    assert m() == ((), {}) and m(1) == ((1,), {}) and m(1, 2) == ((1, 2), {})
    assert m(first=1) == ((), {"first": 1}) and m(1, y=2, x=3) == ((1,), {"y": 2, "x": 3})
    m.forward = lambda x: x + 1
    assert m(1) == 2
