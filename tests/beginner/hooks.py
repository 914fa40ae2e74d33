import torch

v = torch.tensor([0.0, 0.0, 0.0], requires_grad=True)
h = v.register_hook(lambda grad: grad * 2)
v.backward(torch.tensor([1.0, 2.0, 3.0]))
print(v.grad)
h.remove()
v.grad = None
v.backward(torch.tensor([1.0, 2.0, 3.0]))
print(v.grad)
x = torch.tensor([1.0, 2.0], requires_grad=True)
y = x**2
y.register_hook(lambda g: print("gradient of y:", g))
x.register_hook(lambda g: print("gradient of x:", g))
(3 * y).sum().backward()
