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
