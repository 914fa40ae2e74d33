"""The programs that beginners learn autograd from: each must print what it prints with PyTorch.

The expected text is PyTorch's; where PyTorch is installed the programs are run with it too.
"""

import contextlib
import io
import re
import warnings

import pytest

PROGRAMS = {}

PROGRAMS["leaf_gradients"] = (
    """
import torch

x = torch.ones(2, 2, requires_grad=True)
print(x)
y = x + 2
print(y)
print(y.grad_fn is not None, x.grad_fn)
z = y * y * 3
out = z.mean()
print(z, out)
out.backward()
print(x.grad)
print(x.is_leaf, y.is_leaf, z.requires_grad)
""",
    """\
tensor([[1., 1.],
        [1., 1.]], requires_grad=True)
tensor([[3., 3.],
        [3., 3.]], grad_fn=<AddBackward0>)
True None
tensor([[27., 27.],
        [27., 27.]], grad_fn=<MulBackward0>) tensor(27., grad_fn=<MeanBackward0>)
tensor([[4.5000, 4.5000],
        [4.5000, 4.5000]])
True False True
""",
)

PROGRAMS["flags"] = (
    """
import torch

a = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
b = (a * 3) / (a - 0.5)
print(b.requires_grad)
a.requires_grad_(True)
print(a.requires_grad, a)
c = (a * a).sum()
print(c)
print(c.grad_fn.name(), [n.name() for n, _ in c.grad_fn.next_functions])
print(c.grad_fn.next_functions[0][0].next_functions[0][0].variable is a)
try:
    torch.tensor([1, 2], requires_grad=True)
except RuntimeError as error:
    print(type(error).__name__)
""",
    """\
False
True tensor([[1., 2.],
        [3., 4.]], requires_grad=True)
tensor(30., grad_fn=<SumBackward0>)
SumBackward0 ['MulBackward0']
True
RuntimeError
""",
)

PROGRAMS["non_leaf_gradients"] = (
    """
import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = x * 2
z = (y ** 2).sum()
y.retain_grad()
z.backward()
print(x.grad, y.grad)
print(z, z.item(), float(z))
print(y.is_leaf, y.retains_grad, x.retains_grad)
""",
    """\
tensor([ 8., 16., 24.]) tensor([ 4.,  8., 12.])
tensor(56., grad_fn=<SumBackward0>) 56.0 56.0
False True False
""",
)

PROGRAMS["accumulation"] = (
    """
import torch

w = torch.ones(4, requires_grad=True)
for epoch in range(3):
    out = (w * 3).sum()
    out.backward()
    print(w.grad)
w.grad.zero_()
(w * 2).sum().backward()
print(w.grad)
w.grad = None
(w ** 2).mean().backward()
print(w.grad)
""",
    """\
tensor([3., 3., 3., 3.])
tensor([6., 6., 6., 6.])
tensor([9., 9., 9., 9.])
tensor([2., 2., 2., 2.])
tensor([0.5000, 0.5000, 0.5000, 0.5000])
""",
)

PROGRAMS["vector_jacobian"] = (
    """
import torch

x = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
y = x * 2
while y.norm() < 1000:
    y = y * 2
print(y)
v = torch.tensor([0.1, 1.0, 0.0001], dtype=torch.float)
y.backward(v)
print(x.grad)
inp = torch.eye(4, 5, requires_grad=True)
out = (inp + 1).pow(2).t()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"First call\\n{inp.grad}")
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\\nSecond call\\n{inp.grad}")
inp.grad.zero_()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\\nCall after zeroing gradients\\n{inp.grad}")
try:
    (x * 2).backward()
except RuntimeError as error:
    print(error)
""",
    """\
tensor([ 256., -512., 1024.], grad_fn=<MulBackward0>)
tensor([5.1200e+01, 5.1200e+02, 5.1200e-02])
First call
tensor([[4., 2., 2., 2., 2.],
        [2., 4., 2., 2., 2.],
        [2., 2., 4., 2., 2.],
        [2., 2., 2., 4., 2.]])

Second call
tensor([[8., 4., 4., 4., 4.],
        [4., 8., 4., 4., 4.],
        [4., 4., 8., 4., 4.],
        [4., 4., 4., 8., 4.]])

Call after zeroing gradients
tensor([[4., 2., 2., 2., 2.],
        [2., 4., 2., 2., 2.],
        [2., 2., 4., 2., 2.],
        [2., 2., 2., 4., 2.]])
grad can be implicitly created only for scalar outputs
""",
)

PROGRAMS["retain_graph"] = (
    """
import torch

x = torch.tensor(2.0, requires_grad=True)
y = x ** 3
y.backward(retain_graph=True)
print(x.grad)
y.backward()
print(x.grad)
try:
    y.backward()
except RuntimeError as error:
    print(str(error).split(" (")[0])
""",
    """\
tensor(12.)
tensor(24.)
Trying to backward through the graph a second time
""",
)

PROGRAMS["create_graph"] = (
    """
import torch

x = torch.tensor([2.0], requires_grad=True)
y = x ** 3 + 2 * x
(first,) = torch.autograd.grad(y, x, create_graph=True)
print(first)
(second,) = torch.autograd.grad(first, x, create_graph=True)
print(second)
(third,) = torch.autograd.grad(second, x)
print(third)
a, b = torch.tensor(1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)
f = a ** 2 * b ** 3
fa, fb = torch.autograd.grad(f, (a, b), create_graph=True)
print(fa, fb)
print(torch.autograd.grad(fa, b, retain_graph=True), torch.autograd.grad(fb, (a, b)))
""",
    """\
tensor([14.], grad_fn=<AddBackward0>)
tensor([12.], grad_fn=<MulBackward0>)
tensor([6.])
tensor(16., grad_fn=<MulBackward0>) tensor(12., grad_fn=<MulBackward0>)
(tensor(24.),) (tensor(24.), tensor(12.))
""",
)

PROGRAMS["detach"] = (
    """
import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = x * 3
d = y.detach()
print(d, d.requires_grad, y.requires_grad)
(x * d).sum().backward()
print(x.grad)
d[0] = 100.0
print(y)
print(d.data_ptr() == y.data_ptr())
n = y.detach().numpy()
print(n, n.dtype)
try:
    x.numpy()
except RuntimeError as error:
    print(str(error).split(".")[0])
""",
    """\
tensor([3., 6.]) False True
tensor([3., 6.])
tensor([100.,   6.], grad_fn=<MulBackward0>)
True
[100.   6.] float32
Can't call numpy() on Tensor that requires grad
""",
)

PROGRAMS["no_grad"] = (
    """
import torch

x = torch.tensor([1.0], requires_grad=True)
print((x ** 2).requires_grad)
with torch.no_grad():
    y = x * 2
    print(y.requires_grad, y)
    with torch.enable_grad():
        print((x * 2).requires_grad)


@torch.no_grad()
def double(v):
    return v * 2


@torch.no_grad
def triple(v):
    return v * 3


print(double(x).requires_grad, triple(x).requires_grad, torch.is_grad_enabled())
with torch.set_grad_enabled(False):
    print((x + 1).requires_grad)
""",
    """\
True
False tensor([2.])
True
False False True
False
""",
)

PROGRAMS["in_place"] = (
    """
import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
try:
    x += 1
except RuntimeError as error:
    print(error)
y = x * 2
print(y._version)
y += 1
y[0] = 0
print(y, y._version)
y.sum().backward()
print(x.grad)
a = torch.tensor([1.0, 2.0], requires_grad=True)
b = a.exp()
b.mul_(2)
try:
    b.sum().backward()
except RuntimeError as error:
    print(str(error).split(":")[0])
base = torch.zeros(3)
view = base[1:]
view += x[:2]
print(base)
base.sum().backward()
print(x.grad)
""",
    """\
a leaf Variable that requires grad is being used in an in-place operation.
0
tensor([0., 5., 7.], grad_fn=<CopySlices>) 2
tensor([0., 2., 2.])
one of the variables needed for gradient computation has been modified by an inplace operation
tensor([0., 1., 2.], grad_fn=<CopySlices>)
tensor([1., 3., 2.])
""",
)

PROGRAMS["relu"] = (
    """
import torch


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


x = torch.tensor([-1.5, -0.2, 0.3, 2.0], dtype=torch.double, requires_grad=True)
y = MyReLU.apply(x)
print(y)
y.sum().backward()
print(x.grad)
print(torch.autograd.gradcheck(MyReLU.apply, (x,)))
""",
    """\
tensor([0.0000, 0.0000, 0.3000, 2.0000], dtype=torch.float64,
       grad_fn=<MyReLUBackward>)
tensor([0., 0., 1., 1.], dtype=torch.float64)
True
""",
)

PROGRAMS["leaky_relu"] = (
    """
import torch


class LeakyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input, slope):
        ctx.save_for_backward(input)
        ctx.slope = slope
        return torch.where(input > 0, input, input * slope)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return torch.where(input > 0, grad_output, grad_output * ctx.slope), None


class Wrong(LeakyReLU):
    @staticmethod
    def backward(ctx, grad_output):
        return grad_output, None


x = torch.tensor([[-2.0, 1.0], [0.5, -0.25]], dtype=torch.float64, requires_grad=True)
y = LeakyReLU.apply(x, 0.1)
print(y, y.grad_fn.name())
y.backward(torch.ones_like(y))
print(x.grad)
check = lambda f: torch.autograd.gradcheck(lambda v: f.apply(v, 0.1), x, eps=1e-6, atol=1e-4, raise_exception=False)
print(check(LeakyReLU), check(Wrong))
print(torch.autograd.gradgradcheck(lambda v: LeakyReLU.apply(v, 0.1), x))
try:
    torch.autograd.gradcheck(lambda v: Wrong.apply(v, 0.1), x)
except Exception as error:
    print(type(error).__name__, str(error).splitlines()[0])
""",
    """\
tensor([[-0.2000,  1.0000],
        [ 0.5000, -0.0250]], dtype=torch.float64, grad_fn=<LeakyReLUBackward>) LeakyReLUBackward
tensor([[0.1000, 1.0000],
        [1.0000, 0.1000]], dtype=torch.float64)
True False
True
GradcheckError Jacobian mismatch for output 0 with respect to input 0,
""",
)

PROGRAMS["legendre"] = (
    """
import math

import torch


class LegendrePolynomial3(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input ** 3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input ** 2 - 1)


x = torch.linspace(-math.pi, math.pi, 200, dtype=torch.float64)
y = torch.sin(x) + 0.5
a = torch.full((), 0.0, dtype=torch.float64, requires_grad=True)
b = torch.full((), -1.0, dtype=torch.float64, requires_grad=True)
c = torch.full((), 0.0, dtype=torch.float64, requires_grad=True)
d = torch.full((), 0.3, dtype=torch.float64, requires_grad=True)
for t in range(500):
    y_pred = a + b * LegendrePolynomial3.apply(c + d * x)
    loss = (y_pred - y).pow(2).sum()
    if t % 100 == 99:
        print(t, f"{loss.item():.4f}")
    loss.backward()
    with torch.no_grad():
        for p in (a, b, c, d):
            p -= 1e-5 * p.grad
            p.grad = None
print(f"y = {a.item():.4f} + {b.item():.4f} * P3({c.item():.3f} + {d.item():.4f} x)")
""",
    """\
99 50.8883
199 36.3161
299 28.8078
399 24.5332
499 21.7781
y = 0.4326 + -1.2186 * P3(-0.000 + 0.2459 x)
""",
)

PROGRAMS["linear_regression"] = (
    """
import torch
import torch.nn as nn

torch.manual_seed(0)
x = torch.randn(10, 3)
y = torch.randn(10, 2)
linear = nn.Linear(3, 2)
print("w:", linear.weight)
print("b:", linear.bias)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(linear.parameters(), lr=0.01)
pred = linear(x)
loss = criterion(pred, y)
print(f"loss: {loss.item():.5f}")
loss.backward()
print("dL/dw:", linear.weight.grad)
print("dL/db:", linear.bias.grad)
optimizer.step()
loss = criterion(linear(x), y)
print(f"loss after 1 step: {loss.item():.5f}")
print(linear)
""",
    """\
w: Parameter containing:
tensor([[ 0.4390, -0.5759,  0.1081],
        [-0.0973, -0.0950, -0.2643]], requires_grad=True)
b: Parameter containing:
tensor([ 0.2220, -0.3420], requires_grad=True)
loss: 1.30832
dL/dw: tensor([[-0.0679, -0.0033, -0.3047],
        [ 0.5527,  0.1675, -0.0602]])
dL/db: tensor([ 0.1617, -1.1591])
loss after 1 step: 1.29038
Linear(in_features=3, out_features=2, bias=True)
""",
)

PROGRAMS["training_loop"] = (
    """
import torch
from torch import nn

torch.manual_seed(1)
x = torch.linspace(-1, 1, 20).unsqueeze(1)
y = 3 * x + 0.5
model = nn.Linear(1, 1)
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(60):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    if epoch % 20 == 19:
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}")
for name, parameter in model.named_parameters():
    print(name, parameter.shape, f"{parameter.item():.3f}")
with torch.no_grad():
    print(model(torch.tensor([[2.0]])).round(decimals=2))
""",
    """\
epoch 20: loss 0.1457
epoch 40: loss 0.0116
epoch 60: loss 0.0042
weight torch.Size([1, 1]) 3.080
bias torch.Size([1]) 0.534
tensor([[6.6900]])
""",
)

PROGRAMS["manual_updates"] = (
    """
import math

import torch

torch.manual_seed(0)
x = torch.linspace(-math.pi, math.pi, 100)
y = torch.sin(x)
a, b, c, d = (torch.randn((), requires_grad=True) for _ in range(4))
print(a, b)
for t in range(300):
    y_pred = a + b * x + c * x ** 2 + d * x ** 3
    loss = (y_pred - y).pow(2).sum()
    if t % 100 == 99:
        print(t, f"{loss.item():.2f}")
    loss.backward()
    with torch.no_grad():
        a -= 1e-5 * a.grad
        b -= 1e-5 * b.grad
        c -= 1e-5 * c.grad
        d -= 1e-5 * d.grad
        a.grad = None
        b.grad = None
        c.grad = None
        d.grad = None
print(f"{a.item():.3f} + {b.item():.3f} x + {c.item():.3f} x^2 + {d.item():.3f} x^3")
""",
    """\
tensor(1.5410, requires_grad=True) tensor(-0.2934, requires_grad=True)
99 195.45
199 161.11
299 133.97
1.432 + -0.033 x + -0.242 x^2 + 0.031 x^3
""",
)

PROGRAMS["gradient_penalty"] = (
    """
import torch
from torch import nn

torch.manual_seed(0)
critic = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
real, fake = torch.randn(5, 2), torch.randn(5, 2)
mix = torch.rand(5, 1)
between = (mix * real + (1 - mix) * fake).requires_grad_(True)
score = critic(between)
(gradient,) = torch.autograd.grad(score, between, torch.ones_like(score), create_graph=True, retain_graph=True)
print(gradient.shape, gradient.requires_grad)
penalty = ((gradient.norm(2, dim=1) - 1) ** 2).mean()
loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
loss.backward()
print(f"{penalty.item():.4f} {loss.item():.4f}")
print(critic[0].weight.grad)
print(critic[2].bias.grad)
""",
    """\
torch.Size([5, 2]) True
0.5964 6.0491
tensor([[ 6.3690, -1.0954],
        [ 3.5780, -0.2241],
        [ 1.9559, -0.2303],
        [-0.2218,  0.0378]])
tensor([0.])
""",
)

PROGRAMS["l2_penalty"] = (
    """
import torch

w = torch.tensor([[0.5, -1.0], [2.0, 0.25]], requires_grad=True)
x = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
loss = (x @ w).sigmoid().mean()
(grad,) = torch.autograd.grad(loss, w, create_graph=True)
print(grad)
total = loss + grad.pow(2).sum().sqrt()
total.backward()
print(w.grad)
""",
    """\
tensor([[ 0.1790,  0.0857],
        [-0.0533,  0.1085]], grad_fn=<MmBackward0>)
tensor([[ 0.2878,  0.1204],
        [-0.0915,  0.1407]])
""",
)

PROGRAMS["hooks"] = (
    """
import torch

v = torch.tensor([0.0, 0.0, 0.0], requires_grad=True)
h = v.register_hook(lambda grad: grad * 2)
v.backward(torch.tensor([1.0, 2.0, 3.0]))
print(v.grad)
h.remove()
v.grad = None
v.backward(torch.tensor([1.0, 2.0, 3.0]))
print(v.grad)
x = torch.tensor([1.0, 2.0], requires_grad=True)
y = x ** 2
y.register_hook(lambda g: print("gradient of y:", g))
x.register_hook(lambda g: print("gradient of x:", g))
(3 * y).sum().backward()
""",
    """\
tensor([2., 4., 6.])
tensor([1., 2., 3.])
gradient of y: tensor([3., 3.])
gradient of x: tensor([ 6., 12.])
""",
)

PROGRAMS["control_flow"] = (
    """
import torch


def f(v):
    total = v.sum()
    n = 0
    while total.abs() < 50:
        total = total * 2 if n % 2 else total + v.max()
        n += 1
    return total, n


x = torch.tensor([1.0, 3.0, 2.0], requires_grad=True)
y, n = f(x)
print(y, n)
y.backward()
print(x.grad)
""",
    """\
tensor(90., grad_fn=<MulBackward0>) 6
tensor([ 8., 22.,  8.])
""",
)

PROGRAMS["jacobian_by_rows"] = (
    """
import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = torch.stack([x[0] ** 2, x[0] * x[1], x[2].exp()])
print(y)
rows = [torch.autograd.grad(y[i], x, retain_graph=True)[0] for i in range(3)]
print(torch.stack(rows))
w = torch.tensor(1.0, requires_grad=True)
print(torch.autograd.grad(y.sum(), [x, w], allow_unused=True))
""",
    """\
tensor([ 1.0000,  2.0000, 20.0855], grad_fn=<StackBackward0>)
tensor([[ 2.0000,  0.0000,  0.0000],
        [ 2.0000,  1.0000,  0.0000],
        [ 0.0000,  0.0000, 20.0855]])
(tensor([ 4.0000,  1.0000, 20.0855]), None)
""",
)

PROGRAMS["two_layers"] = (
    """
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 5)
        self.fc2 = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


torch.manual_seed(0)
net = Net()
print(net)
print(len(list(net.parameters())), net.fc1.weight.size())
x, target = torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
criterion = nn.CrossEntropyLoss()
for _ in range(50):
    optimizer.zero_grad()
    loss = criterion(net(x), target)
    loss.backward()
    optimizer.step()
print(f"{loss.item():.3f}", net(x).argmax(1))
net.zero_grad()
print(net.fc1.bias.grad)
""",
    """\
Net(
  (fc1): Linear(in_features=4, out_features=5, bias=True)
  (fc2): Linear(in_features=5, out_features=3, bias=True)
)
4 torch.Size([5, 4])
0.092 tensor([0, 1, 2, 0, 1, 2])
None
""",
)



def printed(source, library):
    """What a program prints; `import torch` means the library."""
    if library != "torch":
        source = re.sub(r"^import torch$", f"import {library} as torch", source, flags=re.M)
        source = re.sub(r"^(import|from) torch\b", rf"\1 {library}", source, flags=re.M)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(source, library, "exec"), {"__name__": "program"})
    return out.getvalue()


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_prints_what_pytorch_prints(name):
    source, expected = PROGRAMS[name]
    assert printed(source, "autograd_gpu") == expected


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_expected_text_is_pytorchs(torch, name):
    source, expected = PROGRAMS[name]
    assert printed(source, "torch") == expected
