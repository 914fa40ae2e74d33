import torch

w = torch.tensor([[0.5, -1.0], [2.0, 0.25]], requires_grad=True)
x = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
loss = (x @ w).sigmoid().mean()
(grad,) = torch.autograd.grad(loss, w, create_graph=True)
print(grad)
total = loss + grad.pow(2).sum().sqrt()
total.backward()
print(w.grad)
