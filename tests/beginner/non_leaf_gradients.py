import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = x * 2
z = (y**2).sum()
y.retain_grad()
z.backward()
print(x.grad, y.grad)
print(z, z.item(), float(z))
print(y.is_leaf, y.retains_grad, x.retains_grad)
