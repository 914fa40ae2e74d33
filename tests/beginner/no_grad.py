import torch

x = torch.tensor([1.0], requires_grad=True)
print((x**2).requires_grad)
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
