"""PyTorch: the tree product of jax_tree.py with real and imaginary parts apart, eagerly and by torch.compile; on a GPU a whole
step (forward, backward, Adam) is one CUDA graph."""
import functools
import sys

import numpy as np
import torch

import common

HALF = common.N // 2
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.backends.cuda.matmul.allow_tf32 = False  # FP32 as cuONN
torch.backends.cudnn.allow_tf32 = False

UNIT = torch.eye(common.N, device=DEVICE)
ACROSS = UNIT[torch.arange(common.N, device=DEVICE) ^ 1]


def times(a, b):
    """Complex numbers as (real, imaginary)."""
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def pair_matrices(phases):
    """(real, imaginary) of [layer][pair][N][N] = odd column x even column."""
    theta, phi = phases.reshape(2, common.LAYERS, HALF, common.N - 1)
    s, c = torch.sin(theta / 2), torch.cos(theta / 2)
    factor = (-s, c)  # i e^{i theta/2}
    outer = times(factor, (torch.cos(phi), torch.sin(phi)))
    own = [torch.stack([s * o, -s * f], -1).flatten(-2) for o, f in zip(outer, factor)]  # by waveguide: top, bottom
    other = [torch.stack([c * f, c * o], -1).flatten(-2) for o, f in zip(outer, factor)]
    even = [(a[..., : common.N, None] * UNIT + b[..., : common.N, None] * ACROSS) for a, b in zip(own, other)]
    inner = [e[:, :, 1:-1].reshape(*e.shape[:2], HALF - 1, 2, common.N) for e in even]
    swapped = [i.flip(3).flatten(2, 3) for i in inner]
    inner = [i.flatten(2, 3) for i in inner]
    own_odd, other_odd = ([a[..., common.N :, None] for a in part] for part in (own, other))
    first, second = times(own_odd, inner), times(other_odd, swapped)
    return [torch.cat([e[:, :, :1], f + g, e[:, :, -1:]], 2) for e, f, g in zip(even, first, second)]


def matrices(phases):
    re, im = pair_matrices(phases)
    while re.shape[1] > 1:
        a_re, a_im, b = re[:, 1::2], im[:, 1::2], torch.cat([re[:, 0::2], im[:, 0::2]], -2)
        full = torch.cat([torch.cat([a_re, -a_im], -1), torch.cat([a_im, a_re], -1)], -2)
        re, im = (full @ b).split(common.N, -2)
    return re[:, 0], im[:, 0]


def loss(phases, x_re, x_im, label):
    re, im = matrices(phases)
    y_re, y_im = x_re @ re[0].T - x_im @ im[0].T, x_re @ im[0].T + x_im @ re[0].T
    for layer in range(1, common.LAYERS):
        h = torch.sqrt(y_re * y_re + y_im * y_im)
        n = common.N if layer + 1 < common.LAYERS else common.CLASSES
        y_re, y_im = h @ re[layer, :n].T, h @ im[layer, :n].T
    return torch.nn.functional.cross_entropy(y_re * y_re + y_im * y_im, label) / common.CLASSES


def step(phases, m, v, i, x_re, x_im, label):
    """One step; all state in place, so that it can be captured."""
    value = loss(phases, x_re, x_im, label)
    (g,) = torch.autograd.grad(value, phases)
    with torch.no_grad():
        i += 1
        m.mul_(common.BETA1).add_(g, alpha=1 - common.BETA1)
        v.mul_(common.BETA2).addcmul_(g, g, value=1 - common.BETA2)
        c1, c2 = 1 - common.BETA1**i, 1 - common.BETA2**i
        phases -= common.RATE * (m / c1) / (torch.sqrt(v / c2) + common.EPSILON)
    return value.detach()


def variant(problem, compiled, captured):
    phases = torch.tensor(np.stack([problem.theta, problem.phi]), device=DEVICE, requires_grad=True)
    m, v = torch.zeros_like(phases, requires_grad=False), torch.zeros_like(phases, requires_grad=False)
    i = torch.zeros((), device=DEVICE)
    x, label = problem.epoch()
    batches = [torch.tensor(a, device=DEVICE) for a in (x.real.copy(), x.imag.copy(), label.astype(np.int64))]
    one = torch.compile(step, dynamic=False) if compiled else step

    def reset():
        with torch.no_grad():
            phases.copy_(torch.tensor(np.stack([problem.theta, problem.phi])))
            m.zero_(), v.zero_(), i.zero_()

    if captured:
        batch = [b[0].clone() for b in batches]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                one(phases, m, v, i, *batch)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            value = one(phases, m, v, i, *batch)

        def take(k):
            for to, b in zip(batch, batches):
                to.copy_(b[k])
            graph.replay()
            return value
    else:

        def take(k):
            return one(phases, m, v, i, *(b[k] for b in batches))

    def run():
        for k in range(common.EPOCH):
            take(k)
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()

    reset()
    losses = [float(take(k)) for k in range(len(problem.loss))]
    return losses, run


def main():
    problem = common.Problem(sys.argv[1])
    graph = ", CUDA graph" if DEVICE.type == "cuda" else ""
    variants = {"eager": functools.partial(variant, problem, False, bool(graph)),
                "compiled": functools.partial(variant, problem, True, bool(graph))}
    name, samples = common.samples_of(variants, problem, common.EPOCH)
    device = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "cpu"
    common.print_row("torch tree", name + graph, f"torch {torch.__version__}", device, samples, common.EPOCH, problem.label.shape[1])


main()
