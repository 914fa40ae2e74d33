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
