"""Functions on the stand-in device: arguments of two devices, gradients that come from another, and what
is saved on the host."""

import pytest

import autograd_gpu as ag

from ..autograd.agree import fails, function


def there(values, **options):
    return ag.tensor(values, device="cuda", **options)


def test_arguments_of_two_devices(cuda):
    """Each gradient is where its argument is."""

    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x.cpu() * y, x * y.cuda()

    def backward(ctx, a, b):
        x, y = ctx.saved_tensors
        seen.append((a.device.type, b.device.type, x.device.type, y.device.type))
        return a.cuda() * y.cuda(), b.cpu() * x.cpu()

    seen = []
    x, y = there([1.0, 2.0], requires_grad=True), ag.tensor([3.0, 4.0], requires_grad=True)
    a, b = function(ag, forward, backward).apply(x, y)
    (a.sum() + b.cpu().sum()).backward()
    assert seen == [("cpu", "cuda", "cuda", "cpu")]
    assert (x.grad.is_cuda, x.grad.tolist()) == (True, [3, 4])
    assert (y.grad.is_cuda, y.grad.tolist()) == (False, [1, 2])


def test_zeros_are_made_where_the_output_is(cuda):
    def backward(ctx, a, b):
        seen.append((b.device.type, b.tolist(), b.dtype))
        return a

    seen = []
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    fn = function(ag, lambda ctx, x: (x * 2, x.double().cuda()), backward)
    fn.apply(x)[0].sum().backward()
    assert seen == [("cuda", [0, 0], ag.float64)]


@pytest.mark.parametrize("place", ["cpu", "cuda"])
def test_a_gradient_of_another_device(cuda, place):
    """An error; a 0-d one is moved."""
    other = {"cpu": "cuda", "cuda": "cpu"}[place]
    name = {"cpu": "cpu", "cuda": "cuda:0"}
    x = ag.tensor([1.0, 2.0], device=place, requires_grad=True)
    wrong = function(ag, lambda ctx, x: x * 2, lambda ctx, g: g.to(other), "Away")
    fails(
        RuntimeError,
        f"Function AwayBackward returned an invalid gradient at index 0 - expected device {name[place]} but got {name[other]}",
        wrong.apply(x).sum().backward,
    )
    z = ag.tensor(1.0, device=place, requires_grad=True)
    wrong.apply(z).backward()
    assert z.grad.device.type == place and z.grad.item() == 1


@pytest.mark.parametrize("recorded", [False, True])
def test_gradients_are_summed_and_cast_on_the_device(cuda, recorded):
    x, y = there([1.0, 2.0, 3.0], requires_grad=True), there([[1.0], [2.0]], requires_grad=True, dtype=ag.float64)
    fn = function(ag, lambda ctx, a, b: a * b.float(), lambda ctx, g: (g * 2, g * 3))
    gx, gy = ag.autograd.grad(fn.apply(x, y).sum(), [x, y], create_graph=recorded)
    assert (gx.is_cuda, gx.dtype, gx.tolist()) == (True, ag.float32, [4, 4, 4])
    assert (gy.is_cuda, gy.dtype, gy.tolist()) == (True, ag.float64, [[9], [9]])


def test_what_is_saved_may_wait_on_the_host(cuda):
    def forward(ctx, x):
        y = x * x
        ctx.save_for_backward(x, y)
        return y

    def backward(ctx, g):
        x, y = ctx.saved_tensors
        seen.append((x.is_cuda, y.is_cuda))
        return g * 2 * x

    seen = []
    x = there([1.0, 2.0], requires_grad=True)
    with ag.autograd.graph.save_on_cpu():
        y = function(ag, forward, backward).apply(x)
    kept = ag.autograd.function_saved.kept_arrays(y.grad_fn)
    assert [k.value[1].is_cpu for k in kept] == [True, True]
    y.sum().backward()
    assert seen == [(True, True)] and x.grad.is_cuda and x.grad.tolist() == [2, 4]


def test_a_write_on_the_device_is_noticed(cuda):
    x = there([1.0, 2.0], requires_grad=True)
    b = x * 1
    fn = function(ag, lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1], lambda ctx, g: (ctx.saved_tensors, g)[1])
    y = fn.apply(b)
    b.add_(1)
    fails(RuntimeError, "[torch.cuda.FloatTensor [2]], which is output 0 of Mul, is at version 1", y.sum().backward)


def test_the_second_device(two_devices):
    """Everything happens on the device of the arguments, whichever is the current one."""

    def forward(ctx, x, y):
        ctx.save_for_backward(x)
        return x * 2, x + y, x.argmax()

    def backward(ctx, a, b, none):
        seen.append((a.device.index, b.device.index, b.tolist(), none.device.index))
        return a * ctx.saved_tensors[0], b

    seen = []
    x = ag.tensor([1.0, 2.0], device="cuda:1", requires_grad=True)
    y = ag.tensor([1.0, 2.0], device="cuda:1", requires_grad=True)
    fn = function(ag, forward, backward, "Second")
    fn.apply(x, y)[0].sum().backward()
    assert seen == [(1, 1, [0, 0], 1)]
    assert x.grad.device.index == 1 and x.grad.tolist() == [1, 2]
    away = function(ag, lambda ctx, x: x * 2, lambda ctx, g: g.to("cuda:0"), "Away")
    fails(RuntimeError, "expected device cuda:1 but got cuda:0", away.apply(x).sum().backward)
