import torch

w = torch.ones(4, requires_grad=True)
for _ in range(3):
    out = (w * 3).sum()
    out.backward()
    print(w.grad)
w.grad.zero_()
(w * 2).sum().backward()
print(w.grad)
w.grad = None
(w**2).mean().backward()
print(w.grad)
