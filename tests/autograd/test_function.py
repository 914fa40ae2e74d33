"""Function: forward and backward of one's own, what ctx keeps and says, checks of results, and
nesting.
"""

from .agree import agree, fails, function, leaf, works


@agree
def test_cube(t):
    class Cube(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 3 * x**2

    x = leaf(t, [1.0, 2.0])
    y = Cube.apply(x)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x)
    return [y, y.grad_fn.name(), type(y.grad_fn).__name__, isinstance(y.grad_fn, Cube._backward_cls), g.detach(), h, repr(y),
            [n.name() for n, _ in y.grad_fn.next_functions]]  # fmt: skip


@agree
def test_setup_context(t):
    class Scale(t.autograd.Function):
        @staticmethod
        def forward(x, factor):
            return x * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.factor = inputs
            ctx.save_for_backward(x, output)

        @staticmethod
        def backward(ctx, grad):
            x, y = ctx.saved_tensors
            return grad * ctx.factor + 0 * x + 0 * y, None

    x = leaf(t, [1.0, 2.0])
    y = Scale.apply(x, 3.0)
    y.sum().backward()
    return y, x.grad, y.grad_fn.factor


@agree
def test_needs_input_grad(t):
    seen = []

    def forward(ctx, a, number, b, none, text):
        seen.append(ctx.needs_input_grad)
        return a * number + b

    def backward(ctx, grad):
        seen.append(ctx.needs_input_grad)
        return grad * 2, None, grad if ctx.needs_input_grad[2] else None, None, None

    fn = function(t, forward, backward)
    a, b = leaf(t, [1.0]), t.ones(1, dtype=t.float64)
    fn.apply(a, 2, b, None, "s").backward()
    with t.no_grad():
        fn.apply(a, 2, b, None, "s")
    fn.apply(b, 2, b, None, "s")
    fn.apply(b, 2, a * 2, None, "s")
    return seen, a.grad


@agree
def test_several_outputs(t):
    fn = function(
        t,
        lambda ctx, x: (x * 2, 5, x * 3, None),
        lambda ctx, a, n, b, m: (seen.append((a, n, b, m)), a * 2 + b * 3)[1],
    )
    seen, x = [], leaf(t, [1.0, 2.0])
    a, n, b, m = fn.apply(x)
    b.sum().backward()
    return a, n, b, m, x.grad, seen, a.output_nr, b.output_nr, a.grad_fn is b.grad_fn


@agree
def test_a_list_and_a_tuple_of_one(t):
    one = function(t, lambda ctx, x: (x * 2,), lambda ctx, g: g * 2)
    x = leaf(t, [1.0])
    out = one.apply(x)
    out[0].backward()
    return type(out) is tuple, x.grad


@agree
def test_undefined_gradients_are_zeros_unless_asked_otherwise(t):
    seen = []

    def make(materialize):
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        def backward(ctx, a, b):
            seen.append((a, b))
            return b * 3

        return function(t, forward, backward)

    x = leaf(t, [1.0, 2.0])
    for materialize in (True, False):
        make(materialize).apply(x)[1].sum().backward()
    return seen, x.grad


@agree
def test_mark_non_differentiable(t):
    seen = []

    def forward(ctx, x):
        values, places = x.sort()
        rounded = x.round()
        ctx.mark_non_differentiable(places, rounded)
        ctx.save_for_backward(places)
        return values, places, rounded

    def backward(ctx, grad, none, zero):
        (places,) = ctx.saved_tensors
        seen.append((none, zero))
        out = t.zeros_like(grad)
        out[places] = grad
        return out

    x = leaf(t, [3.0, 1.0, 2.0])
    values, places, rounded = function(t, forward, backward).apply(x)
    (values * t.tensor([1.0, 10.0, 100.0], dtype=t.float64) + rounded).sum().backward()
    return values, places, rounded, x.grad, seen[0][1]


@agree
def test_integer_outputs_need_no_mark(t):
    x = leaf(t, [3.0, 1.0])
    fn = function(t, lambda ctx, x: (x * 2, x.argmax()), lambda ctx, g, _: g * 2)
    a, b = fn.apply(x)
    a.sum().backward()
    return a, b, x.grad


@agree
def test_mark_dirty(t):
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    fn = function(t, forward, lambda ctx, g: g * 2)
    a = leaf(t, [1.0, 2.0])
    b = a * 1
    same = fn.apply(b)
    (b**2).sum().backward()
    return (
        same is b,
        b,
        b.grad_fn.name(),
        b._version,
        a.grad,
        fails(RuntimeError, "a leaf Variable that requires grad", fn.apply, a),
    )


@agree
def test_mark_dirty_on_views(t):
    def forward(ctx, x, y):
        x.mul_(y)
        ctx.mark_dirty(x)
        ctx.save_for_backward(y)
        return x

    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y, None

    fn = function(t, forward, backward)
    a = leaf(t, [1.0, 2.0, 3.0])
    b = a * 1
    v = b[:2]
    w = fn.apply(v, t.tensor([10.0, 20.0], dtype=t.float64))
    (b * t.tensor([1.0, 1.0, 5.0], dtype=t.float64)).sum().backward()
    return w is v, b, v, a.grad, b.grad_fn.name()


@agree
def test_mark_dirty_of_a_plain_tensor(t):
    def forward(ctx, x, y):
        x.add_(y)
        ctx.mark_dirty(x)
        return x

    fn = function(t, forward, lambda ctx, g: (None, g * 3))
    x, y = t.zeros(2, dtype=t.float64), leaf(t, [1.0, 2.0])
    same = fn.apply(x, y)
    x.sum().backward()
    return same is x, x, y.grad


@agree
def test_mark_dirty_with_several_outputs(t):
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x, x * 3

    fn = function(t, forward, lambda ctx, a, b: a * 2 + b * 6)
    a = leaf(t, [1.0, 2.0])
    b = a * 1
    x, y = fn.apply(b)
    (x * y.detach() + y).sum().backward()
    return x is b, b, y, a.grad


@agree
def test_dirty_inputs_must_be_returned(t):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x * 2

    fn = function(t, forward, lambda ctx, g: g)
    return fails(RuntimeError, "marked as dirty during the forward", fn.apply, leaf(t, [1.0]) * 1)


@agree
def test_an_input_returned_as_it_is(t):
    """E52."""
    fn = function(t, lambda ctx, x: x, lambda ctx, g: g * 7)
    x = leaf(t, [1.0])
    y = fn.apply(x)
    y.sum().backward()
    return y is x, y.grad_fn.name(), y._is_view(), x.grad, y


@agree
def test_an_input_returned_twice(t):
    fn = function(t, lambda ctx, x: (x, x * 2), lambda ctx, a, b: a * 5 + b * 2)
    x = leaf(t, [1.0])
    y, z = fn.apply(x)
    (y + z).sum().backward()
    return y is x, x.grad


@agree
def test_views_returned_by_a_function_may_not_be_written(t):
    fn = function(t, lambda ctx, x: x.view(-1), lambda ctx, g: g.view(2, 1) * 3)
    same = function(t, lambda ctx, x: x, lambda ctx, g: g)
    x = leaf(t, [[1.0], [2.0]])
    b = x * 1
    v, w = fn.apply(b), same.apply(b)
    words = "This view was created inside a custom Function"
    seen = [
        v._is_view(),
        fails(RuntimeError, words, v.mul_, 2),
        fails(RuntimeError, words, w.add_, 1),
    ]
    v.sum().backward()
    b.mul_(2)
    seen.append(
        fails(
            RuntimeError,
            "its base or another view of its base has been modified inplace",
            lambda: v.grad_fn,
        )
    )
    return seen, x.grad


@agree
def test_what_is_saved(t):
    def forward(ctx, x, w):
        y = x * w
        extra = t.full((2,), 3.0, dtype=t.float64)
        ctx.save_for_backward(x, None, w, y, extra)
        ctx.note = "kept"
        return y

    def backward(ctx, g):
        x, none, w, y, extra = ctx.saved_tensors
        assert none is None and ctx.note == "kept"
        return g * w * extra, g * x + 0 * y

    fn = function(t, forward, backward)
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    y = fn.apply(x, w)
    ga, gb = t.autograd.grad(y.sum(), [x, w], create_graph=True)
    return y, ga.detach(), gb.detach(), t.autograd.grad((ga * gb).sum(), [x, w])


@agree
def test_saved_tensors_after_the_pass(t):
    fn = function(
        t,
        lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1],
        lambda ctx, g: g * 2 * ctx.saved_tensors[0],
    )
    x = leaf(t, [1.0, 2.0])
    y = fn.apply(x)
    saved = y.grad_fn.saved_tensors
    y.sum().backward()
    words = "Trying to backward through the graph a second time"
    return [saved, saved[0] is x, fails(RuntimeError, words, lambda: y.grad_fn.saved_tensors),
            fails(RuntimeError, words, y.sum().backward)]  # fmt: skip


@agree
def test_a_second_pass_without_saved_tensors(t):
    fn = function(t, lambda ctx, x: x * 2, lambda ctx, g: g * 2)
    x = leaf(t, [1.0])
    y = fn.apply(x)
    y.backward()
    return works(y.backward), x.grad


@agree
def test_saved_tensors_are_checked_for_writes(t):
    fn = function(
        t,
        lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1],
        lambda ctx, g: g * ctx.saved_tensors[0],
    )
    out = function(t, lambda ctx, x: keep(ctx, x.exp()), lambda ctx, g: g * ctx.saved_tensors[0])

    def keep(ctx, y):
        ctx.save_for_backward(y)
        return y

    a = leaf(t, [1.0, 2.0])
    b = a * 1
    y = fn.apply(b)
    b.add_(1)
    words = "has been modified by an inplace operation"
    z = out.apply(a)
    z.mul_(2)
    return fails(RuntimeError, words, y.sum().backward), fails(
        RuntimeError, words, z.sum().backward
    )


@agree
def test_saving_what_is_no_tensor(t):
    fn = function(t, lambda ctx, x: (ctx.save_for_backward(3.0), x * 2)[1], lambda ctx, g: g)
    return fails(TypeError, "save_for_backward can only save variables", fn.apply, leaf(t, [1.0]))
