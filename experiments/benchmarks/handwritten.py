"""The article's network as a straight line of NumPy calls into buffers made beforehand: no layers, no shuffling, no log.

What a step costs when nothing but NumPy is paid for; a bound for what any framework on NumPy can reach.
"""

import time

import numpy as np
from scipy.special import expit


def gender(runs: tuple[int, ...], steps: int) -> float:
    """Seconds a step, one sample a step, for one network (`runs` is ()) or a stack (R,)."""
    rng = np.random.default_rng(0)
    p = rng.normal(size=(*runs, 9))
    g, u = np.zeros_like(p), np.zeros_like(p)
    places = ((0, 4, (2, 2)), (4, 6, (1, 2)), (6, 8, (2, 1)), (8, 9, (1, 1)))
    W1, b1, W2, b2 = (p[..., start:stop].reshape(*runs, *shape) for start, stop, shape in places)
    dW1, db1, dW2, db2 = (g[..., start:stop].reshape(*runs, *shape) for start, stop, shape in places)
    x, target = rng.normal(size=(*runs, 1, 2)), np.ones((*runs, 1, 1))
    wide, thin = [np.empty((*runs, 1, 2)) for _ in range(4)], [np.empty((*runs, 1, 1)) for _ in range(6)]
    (a, h, d, e), (z, o, k, error, square, dz) = wide, thin
    one, share, lr = np.ones(()), np.full((), 2.0), np.full((*runs, 1) if runs else (), 0.1)

    def sigmoid_back(dy: np.ndarray, y: np.ndarray, t: np.ndarray, dx: np.ndarray) -> None:
        np.subtract(one, y, dx)
        np.multiply(dx, y, t)
        np.multiply(t, dy, dx)

    start = time.perf_counter()
    with np.errstate(all="ignore"):
        for _ in range(steps):
            np.matmul(x, W1, d)
            np.add(d, b1, a)
            expit(a, h)
            np.matmul(h, W2, k)
            np.add(k, b2, z)
            expit(z, o)
            np.subtract(o, target, error)
            np.multiply(error, error, square)
            square.reshape(runs)[()] / 1.0
            np.multiply(error, share, dz)
            sigmoid_back(dz, o, k, z)
            np.matmul(h.mT, z, dW2)
            db2[...] = z
            np.matmul(z, W2.mT, d)
            sigmoid_back(d, h, e, a)
            np.matmul(x.mT, a, dW1)
            db1[...] = a
            np.multiply(g, lr, u)
            np.subtract(p, u, p)
    return (time.perf_counter() - start) / steps
