"""A chip as one layer of a user's own PyTorch model: a digital layer, a fabricated mesh with errors, detectors, a digital
layer.  Only phases and digital weights are trained; the chip's errors stay what they are.

    python examples/own_model.py
"""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import cuonn
import cuonn.torch

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, Xt, y, yt = (torch.tensor(a) for a in train_test_split(X / 16, y, random_state=0))

chip = cuonn.Mesh.haar(16, seed=1)
generator = torch.Generator().manual_seed(2)
chip.coupler_error[:] = 0.05 * torch.randn(chip.coupler_error.shape, generator=generator).numpy()
chip.loss_db[:] = 0.1


class Detector(torch.nn.Module):
    """What photodiodes see: powers."""

    def forward(self, fields):
        return fields.abs().square()


model = torch.nn.Sequential(torch.nn.Linear(64, 16), cuonn.torch.Mesh(chip, dtype=torch.float32), Detector(),
                            torch.nn.Linear(16, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
X, Xt = X.float(), Xt.float()
for epoch in range(30):
    for batch in torch.randperm(len(X)).split(64):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(X[batch]), y[batch])
        loss.backward()
        optimizer.step()
accuracy = (model(Xt).argmax(1) == yt).double().mean().item()
print(f"test accuracy {accuracy:.3f}; coupler errors as before: {(model[1].to_mesh().coupler_error == chip.coupler_error).all()}")
