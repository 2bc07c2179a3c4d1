"""The study in twelve lines: 50 epochs of a three-layer network on Fashion-MNIST, and what came of it.

    python examples/study.py [FOLDER]
"""

import sys

import cuonn

folder = sys.argv[1] if len(sys.argv) > 1 else "runs/python-study"
run = cuonn.train("configs/fashion-mnist.yaml", output=folder, progress=True)
print(run.history.test_accuracy.sel(epoch=[1, 10, 50]).to_series())
for layer, mesh in enumerate(run.meshes()):
    print(layer, mesh, "largest theta:", mesh.wrap().theta.max())
run.plot().savefig(f"{folder}/curves.png")
