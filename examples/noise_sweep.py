"""How much coupler error a chip may have: a small sweep, its results an xarray Dataset over the grid's dimensions.

    python examples/noise_sweep.py [FOLDER]
"""

import sys

import matplotlib
import numpy as np

import cuonn

matplotlib.use("Agg")
folder = sys.argv[1] if len(sys.argv) > 1 else "runs/python-sweep"
results = cuonn.sweep("configs/fashion-mnist.yaml", output=folder, progress=True, settings={
    "data.radius": 2, "network.modes": 16, "network.layers": 2,  # 16 waveguides, for a quick look
    "training.epochs": 3, "training.optimizer.learning_rate": 0.01,
    "training.gradient": ["exact", "ideal"],  # errors known, and not known
    "training.seed": [0, 1, 2],
    "chip.coupler_std": np.linspace(0, 0.2, 5).tolist(),
})
accuracy = 1 - results.test_error.isel(epoch=-1)
print(accuracy.mean("seed").to_pandas().round(3))
accuracy.mean("seed").plot.line(x="coupler_std", marker="o")[0].figure.savefig(f"{folder}/accuracy.png")
