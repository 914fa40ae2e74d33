import torch

x = torch.tensor([2.0], requires_grad=True)
y = x**3 + 2 * x
(first,) = torch.autograd.grad(y, x, create_graph=True)
print(first)
(second,) = torch.autograd.grad(first, x, create_graph=True)
print(second)
(third,) = torch.autograd.grad(second, x)
print(third)
a, b = torch.tensor(1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)
f = a**2 * b**3
fa, fb = torch.autograd.grad(f, (a, b), create_graph=True)
print(fa, fb)
print(torch.autograd.grad(fa, b, retain_graph=True), torch.autograd.grad(fb, (a, b)))
