import torch
from torch import nn

torch.manual_seed(1)
x = torch.linspace(-1, 1, 20).unsqueeze(1)
y = 3 * x + 0.5
model = nn.Linear(1, 1)
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(60):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    if epoch % 20 == 19:
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}")
for name, parameter in model.named_parameters():
    print(name, parameter.shape, f"{parameter.item():.3f}")
with torch.no_grad():
    print(model(torch.tensor([[2.0]])).round(decimals=2))
