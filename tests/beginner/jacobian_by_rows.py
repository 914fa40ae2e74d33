import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = torch.stack([x[0] ** 2, x[0] * x[1], x[2].exp()])
print(y)
rows = [torch.autograd.grad(y[i], x, retain_graph=True)[0] for i in range(3)]
print(torch.stack(rows))
w = torch.tensor(1.0, requires_grad=True)
print(torch.autograd.grad(y.sum(), [x, w], allow_unused=True))
