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
