import torch


class LeakyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input, slope):
        ctx.save_for_backward(input)
        ctx.slope = slope
        return torch.where(input > 0, input, input * slope)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return torch.where(input > 0, grad_output, grad_output * ctx.slope), None


class Wrong(LeakyReLU):
    @staticmethod
    def backward(ctx, grad_output):
        return grad_output, None


x = torch.tensor([[-2.0, 1.0], [0.5, -0.25]], dtype=torch.float64, requires_grad=True)
y = LeakyReLU.apply(x, 0.1)
print(y, y.grad_fn.name())
y.backward(torch.ones_like(y))
print(x.grad)
check = lambda f: torch.autograd.gradcheck(
    lambda v: f.apply(v, 0.1), x, eps=1e-6, atol=1e-4, raise_exception=False
)
print(check(LeakyReLU), check(Wrong))
print(torch.autograd.gradgradcheck(lambda v: LeakyReLU.apply(v, 0.1), x))
try:
    torch.autograd.gradcheck(lambda v: Wrong.apply(v, 0.1), x)
except Exception as error:
    print(type(error).__name__, str(error).splitlines()[0])
