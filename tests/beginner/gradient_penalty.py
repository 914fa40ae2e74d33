import torch
from torch import nn

torch.manual_seed(0)
critic = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
real, fake = torch.randn(5, 2), torch.randn(5, 2)
mix = torch.rand(5, 1)
between = (mix * real + (1 - mix) * fake).requires_grad_(True)
score = critic(between)
(gradient,) = torch.autograd.grad(
    score, between, torch.ones_like(score), create_graph=True, retain_graph=True
)
print(gradient.shape, gradient.requires_grad)
penalty = ((gradient.norm(2, dim=1) - 1) ** 2).mean()
loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
loss.backward()
print(f"{penalty.item():.4f} {loss.item():.4f}")
print(critic[0].weight.grad)
print(critic[2].bias.grad)
