"""Eight threads at once, each with meshes of its own: the bits of one thread alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from common import fields, mesh


def work(i):
    m = mesh(5 + i % 3, seed=i % 4, real=i % 2 == 0)
    dtype = np.complex64 if i % 5 == 0 else np.complex128
    x, g = fields((7, m.n_modes), i, dtype), fields((7, m.n_modes), i + 1, dtype)
    return [m.propagate(x, threads=1), *m.vjp(x, g, threads=1)]


def test_as_alone():
    alone = [work(i) for i in range(24)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            for got, want in zip(pool.map(work, range(24)), alone):
                assert all(np.array_equal(a, b) for a, b in zip(got, want))
