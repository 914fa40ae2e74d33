import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 5)
        self.fc2 = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


torch.manual_seed(0)
net = Net()
print(net)
print(len(list(net.parameters())), net.fc1.weight.size())
x, target = torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
criterion = nn.CrossEntropyLoss()
for _ in range(50):
    optimizer.zero_grad()
    loss = criterion(net(x), target)
    loss.backward()
    optimizer.step()
print(f"{loss.item():.3f}", net(x).argmax(1))
net.zero_grad()
print(net.fc1.bias.grad)
