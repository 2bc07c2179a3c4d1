"""What all peers share: the problem, the comparison of losses, the clock, and the row that `cuonn bench --json` would write."""
import json
import sys
import time

import numpy as np

N, LAYERS, CLASSES = 64, 3, 10
NODES = N * (N - 1) // 2
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8
EPOCH = 117  # steps of an epoch of the study
TOLERANCE = 2e-5  # of a loss: what cuONN's own float backends are held to


class Problem:
    def __init__(self, path):
        with np.load(path) as file:
            self.theta, self.phi = file["theta"].astype(np.float32), file["phi"].astype(np.float32)
            self.input, self.label, self.loss = file["input"], file["label"].astype(np.int32), file["loss"]

    def epoch(self):
        """An epoch of batches (the few of the problem over and over): [step][example][N], [step][example]."""
        which = np.arange(EPOCH) % len(self.input)
        return self.input[which], self.label[which]


def check(name, losses, problem):
    """Refuses losses that are not cuONN's."""
    wanted = problem.loss
    apart = np.abs(np.asarray(losses, np.float64)[: len(wanted)] / wanted - 1).max()
    print(f"{name}: {len(wanted)} losses within {apart:.1e} of cuONN's", file=sys.stderr)
    if not apart <= TOLERANCE:
        sys.exit(f"{name}: the losses differ by {apart:.1e}, more than {TOLERANCE:g}; it is not timed")


def measure(run, steps, seconds=10.0, most=30):
    """Seconds a step: run() does so many steps and returns when they are done. One more run before, to warm up."""
    samples, begin = [], time.perf_counter()
    run()
    while len(samples) < 3 or (len(samples) < most and time.perf_counter() - begin < seconds):
        start = time.perf_counter()
        run()
        samples.append((time.perf_counter() - start) / steps)
    return samples


def samples_of(variants, problem, steps):
    """Of several ways to write the same, {name: make}, where make() is (losses, run): the one that the command line names
    after the problem, its losses checked, and its seconds a step."""
    name = sys.argv[2]
    losses, run = variants[name]()
    check(name, losses, problem)
    samples = measure(run, steps)
    print(f"{name}: {1e6 * np.median(samples):.1f} us a step", file=sys.stderr)
    return name, samples


def print_row(name, variant, versions, device, samples, steps, batch):
    samples = np.sort(samples)
    p10, median, p90 = (float(samples[round(q * (len(samples) - 1))]) for q in (0.1, 0.5, 0.9))
    print(json.dumps({"case": "train_step", "modes": N, "batch": batch, "layers": LAYERS, "backend": name, "variant": variant,
                      "versions": versions, "device": device, "median_s": median, "p10_s": p10, "p90_s": p90,
                      "samples": len(samples), "steps_per_sample": steps, "examples_per_second": batch / median}))
