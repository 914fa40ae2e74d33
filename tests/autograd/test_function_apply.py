"""How a Function is called: its arguments, keyword arguments, defaults, setup_context, inheritance, and
what is refused."""

import warnings

import pytest

import autograd_gpu as ag

from .agree import agree, fails, function, leaf, works


@agree
def test_which_arguments_need_a_gradient(t):
    """Tensors at the top only, keyword arguments after the others."""
    x, c = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)
    seen = []

    def forward(ctx, a=None, b=None, *more):
        seen.append(ctx.needs_input_grad)
        return x.detach() * 2

    fn = function(t, forward, lambda ctx, *g: (seen.append(ctx.needs_input_grad), g)[1])
    made = [fn.apply(*args, **kwargs) for args, kwargs in [
        ((c, x, 1, None, "s", t.tensor([1]), x > 1, x * 2), {}), (([x], x), {}), (((x,),), {}), (({"a": x},), {}), ((), {}),
        ((c,), {"b": x}),
        ((), {"a": x, "b": 3}), ((), {"b": x, "a": c}), ((x, x), {}),
    ]]  # fmt: skip
    with t.no_grad():
        fn.apply(x, c)
    return seen, [(y.requires_grad, y.grad_fn and y.grad_fn.next_functions[0][1]) for y in made]


@agree
def test_tensors_in_lists_have_no_gradient(t):
    x, y = leaf(t, [1.0]), leaf(t, [2.0])
    function(t, lambda ctx, several, y: several[0] * 2 + y, lambda ctx, g: (None, g * 3)).apply([x], y).backward()
    return x.grad, y.grad


@agree
def test_the_same_argument_twice(t):
    x = leaf(t, [1.0])
    function(t, lambda ctx, a, b: a + b, lambda ctx, g: (g, g * 2)).apply(x, x).backward()
    return x.grad


@agree
def test_arguments_are_the_very_tensors(t):
    seen, x, p = [], leaf(t, [1.0]), t.nn.Parameter(t.ones(2))
    z = x * 2
    for given in (x, z, p):
        function(t, lambda ctx, a, given=given: (seen.append((a is given, type(a).__name__, a.requires_grad)), a * 2)[1], None).apply(given)
    return seen


@agree
def test_keyword_arguments(t):
    """Their gradients come in the order of the parameters."""
    x, y = leaf(t, [1.0]), leaf(t, [5.0])
    fn = function(t, lambda ctx, a, b=None, k=3: a * k + (0 if b is None else b), lambda ctx, g: (g * 2, g * 7))
    fn.apply(x, b=y).backward()
    fn.apply(b=y, a=x).backward()
    one = function(t, lambda ctx, a, k=3: a * k, lambda ctx, g: g * 2)
    one.apply(a=x).backward()
    return [x.grad, y.grad, one.apply(x, k=5), one.apply(x, 5), fails(TypeError, "unexpected keyword argument 'q'", one.apply, x, q=1),
            fails(TypeError, "multiple values for argument 'a'", one.apply, x, a=1),
            fails(TypeError, "missing", one.apply, k=1)]  # fmt: skip


def test_keyword_arguments_that_pytorch_does_not_take():
    """Defaults may be left out between, there may be keywords only, and any."""
    x, y = leaf(ag, [1.0]), leaf(ag, [5.0])

    def forward(ctx, a, b=None, k=3, *, z=1, **more):
        seen.append((ctx.needs_input_grad, b, k, z, list(more)))
        return a * k * z

    seen = []
    fn = function(ag, forward, lambda ctx, *g: tuple(g[0] * (n + 2) for n in range(len(ctx.needs_input_grad))))
    fn.apply(x, k=y).backward()
    fn.apply(x, z=y, q=x).backward()
    assert (x.grad.item(), y.grad.item()) == (2 + 2 + 4, 3 + 3)
    assert [s[0] for s in seen] == [(True, True), (True, True, True)]
    assert [s[4] for s in seen] == [[], ["q"]]


@agree
def test_setup_context_with_defaults(t):
    """The inputs are all parameters, in their order, however they were given."""

    class Scale(t.autograd.Function):
        @staticmethod
        def forward(x, k=3, w=None):
            return x * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            seen.append((inputs, output, ctx.needs_input_grad, t.is_grad_enabled()))
            ctx.k = inputs[1]
            return 5

        @staticmethod
        def backward(ctx, g):
            return g * ctx.k, None, g * 2 if ctx.needs_input_grad[2] else None

    seen, x, w = [], leaf(t, [1.0]), leaf(t, [2.0])
    out = [Scale.apply(x), Scale.apply(x, 4), Scale.apply(x, k=5), Scale.apply(k=6, x=x), Scale.apply(x, w=w)]
    sum(out).backward()
    return out, seen, x.grad, w.grad, [
        fails(TypeError, "missing a required argument: 'x'", Scale.apply),
        fails(TypeError, "got an unexpected keyword argument 'q'", Scale.apply, x, q=2),
        fails(TypeError, "too many positional arguments", Scale.apply, x, 1, 2, 3),
    ]  # fmt: skip


def test_setup_context_with_keywords_only():
    """PyTorch does not take them."""

    class Scale(ag.autograd.Function):
        @staticmethod
        def forward(x, *more, k=3):
            return x * k + sum(more)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.count = len(inputs)

        @staticmethod
        def backward(ctx, g):
            return (g,) * ctx.count

    x = leaf(ag, [1.0])
    assert Scale.apply(x).item() == 3 and Scale.apply(x, 1, x, k=5).item() == 7


@agree
def test_setup_context_is_inherited(t):
    class Base(t.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2, x * 3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0], output[0])

    class Heir(Base):
        @staticmethod
        def vjp(ctx, a, b):
            return a * ctx.saved_tensors[1] + b

    x = leaf(t, [1.0, 2.0])
    a, b = Heir.apply(x)
    (a + b).sum().backward()
    return a, a.grad_fn.name(), x.grad


@agree
def test_classmethods_mixins_and_plain_functions(t):
    class Mixin:
        @staticmethod
        def twice(v):
            return v * 2

    class Mixed(Mixin, t.autograd.Function):
        @classmethod
        def call(cls, v):
            return cls.apply(v)

        @staticmethod
        def forward(ctx, x):
            return Mixed.twice(x)

        @staticmethod
        def backward(ctx, g):
            return Mixed.twice(g)

    class Method(t.autograd.Function):
        @classmethod
        def forward(cls, ctx, x):
            return x * 2

        @classmethod
        def backward(cls, ctx, g):
            return g * 2

    class Plain(t.autograd.Function):
        def forward(ctx, x):
            return x * 2

        def backward(ctx, g):
            return g * 2

    x = leaf(t, [1.0])
    apply = Mixed.apply
    sum([Mixed.call(x), apply(x), Method.apply(x), Plain.apply(x)]).backward()
    return x.grad


@agree
def test_both_names_of_backward(t):
    class Both(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g

        @staticmethod
        def vjp(ctx, g):
            return g

    return fails(RuntimeError, "Implementing both 'backward' and 'vjp'", Both.apply(leaf(t, [1.0])).backward)


@agree
def test_what_is_not_overridden(t):
    F = t.autograd.Function
    none = NotImplementedError
    return [
        fails(none, "You must implement the forward function", F.apply, leaf(t, [1.0])),
        fails(none, "You must implement the forward function", F.forward, None),
        fails(none, "You must implement either the backward or vjp", F.backward, None),
        fails(none, "You must implement either the backward or vjp", F.vjp, None),
        fails(none, "You must implement the jvp function", F.jvp, None),
        fails(none, "setup_context is not implemented", F.setup_context, None, (), None),
        fails(none, "override the vmap staticmethod or set generate_vmap_rule=True", F.vmap, None, (), None),
        F.generate_vmap_rule,
    ]


@agree
def test_instances_are_of_the_past(t):
    fn = function(t, lambda ctx, x: x * 2, lambda ctx, g: g * 2)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        one = fn()
        fn(1, 2, k=3)
    names = ["saved_tensors", "needs_input_grad", "to_save", "next_functions", "metadata", "requires_grad", "dirty_tensors",
             "non_differentiable", "saved_for_forward"]  # fmt: skip
    return [
        [(w.category.__name__, "should not be instantiated" in str(w.message)) for w in seen],
        fails(RuntimeError, "Legacy autograd function with non-static forward method is deprecated", one, leaf(t, [1.0])),
        one.apply(leaf(t, [1.0])), one.name(), hasattr(one.register_hook(lambda *a: None), "remove"),
        [getattr(one, n) for n in names],
    ]  # fmt: skip


@agree
def test_arguments_that_do_not_fit(t):
    fn = function(t, lambda ctx, x: x, lambda ctx, g: g)
    return works(fn.apply), works(fn.apply, 1, 2)


@agree
def test_lists_of_gradients(t):
    """`boxed_grads_call`: backward may free each as it goes."""

    class Boxed(t.autograd.Function):
        boxed_grads_call = True

        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, grads):
            seen.append(list(grads))
            return grads.pop() + grads.pop() * 10

    seen, x = [], leaf(t, [1.0, 2.0])
    a, b = Boxed.apply(x)
    a.sum().backward()
    return seen, x.grad


@agree
def test_save_for_forward(t):
    """What `jvp` will be given; tensors only."""
    seen = []

    def forward(ctx, x):
        ctx.save_for_forward(x, None)
        seen.append(len(ctx.saved_for_forward))
        ctx.save_for_forward(3)

    fails(AssertionError, "save_for_forward expects all arguments to be tensors", function(t, forward, None).apply, leaf(t, [1.0]))
    return seen


def modules(t):
    from importlib import import_module

    return import_module(t.__name__ + ".autograd.function")


@agree
def test_a_ctx_of_its_own(t):
    """Programs make one to call forward by hand."""
    ctx, x = modules(t).FunctionCtx(), leaf(t, [1.0])
    ctx.save_for_backward(x, None)
    ctx.mark_dirty(x)
    ctx.mark_non_differentiable(x)
    ctx.save_for_forward(x)
    ctx.set_materialize_grads(False)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        ctx.mark_shared_storage((x, x))
    return [ctx.to_save, ctx.dirty_tensors, ctx.non_differentiable, ctx.saved_for_forward, ctx.materialize_grads,
            [w.category.__name__ for w in seen], "deprecated" in str(seen[0].message)]  # fmt: skip


@agree
def test_names_that_old_programs_import(t):
    m, x = modules(t), leaf(t, [1.0, 2.0])

    class Old(m.InplaceFunction):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    class Nested(m.NestedIOFunction):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    (Old.apply(x) + Nested.apply(x)).sum().backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old, plain, nested = Old(True), Old(), m.NestedIOFunction()
    nested.save_for_backward([x, (x, None)], {"a": x})
    nested.mark_dirty([x])
    nested.mark_non_differentiable((x, [x]))
    return [
        x.grad, old.inplace, plain.inplace, Old.apply(x).grad_fn.name(), nested.to_save, nested.dirty_tensors, nested.non_differentiable,
        fails(NotImplementedError, "", nested.forward_extended, 1), fails(NotImplementedError, "", nested.backward_extended, 1),
        fails(ValueError, "", nested.save_for_backward, 5), callable(t.autograd.Function.name), hasattr(t.autograd.Function, "metadata"),
        callable(t.autograd.Function.register_hook), sorted(m.__all__),
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["grad", "no_grad", "inference"])
@agree
def test_modes_are_restored(t, mode):
    """Whatever forward and backward do to the mode, and whatever they raise."""
    x, seen = leaf(t, [1.0]), []

    def leave(on, error):
        def call(ctx, v):
            seen.append(t.is_grad_enabled())
            t.set_grad_enabled(on)
            if error is not None:
                raise error("left")
            return v * 2

        return call

    with {"grad": t.enable_grad, "no_grad": t.no_grad, "inference": t.inference_mode}[mode]():
        for on in (True, False):
            for error in (None, ValueError, KeyboardInterrupt):
                fn = function(t, leave(on, error), leave(on, None))
                try:
                    seen.append(fn.apply(x))
                except BaseException as found:
                    seen.append(type(found).__name__)
                seen.append((t.is_grad_enabled(), t.is_inference_mode_enabled()))
    for on in (True, False):
        for error in (None, ValueError, KeyboardInterrupt):
            y = function(t, lambda ctx, x: x * 2, leave(on, error)).apply(x)
            for recorded in (True, False):
                try:
                    y.sum().backward(retain_graph=True, create_graph=recorded)
                except BaseException as found:
                    seen.append(type(found).__name__)
                seen.append((t.is_grad_enabled(), t.is_inference_mode_enabled()))
    return seen, (x * 2).requires_grad
