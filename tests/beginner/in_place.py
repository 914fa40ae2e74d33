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
