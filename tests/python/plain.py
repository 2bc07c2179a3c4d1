"""The mesh written plainly, for NumPy, JAX and PyTorch alike: every node multiplies two rows of a matrix.  Nothing of the
package, and of the arrays no more than arithmetic, exp, cos and sin.  Formulas: docs/physics.md, sections 1 and 2."""

import math


def columns(n, architecture="rectangular", n_columns=None):
    """The pairs of waveguides that the nodes of each column couple, in the order of the nodes: docs/physics.md,
    section 2."""
    if architecture == "rectangular":
        return [[(top, top + 1) for top in range(c % 2, n - 1, 2)] for c in range(n_columns or n)]
    if architecture == "triangular":
        return [[(top, top + 1) for top in range(c % 2, min(c, 2 * n - 4 - c) + 1, 2)] for c in range(2 * n - 3)]
    m = (n - 1).bit_length()
    if architecture == "butterfly":
        return [[(a, a + (n >> c + 1)) for a in range(n) if not a & n >> c + 1] for c in range(m)]
    assert architecture == "tree"
    return [[(a, a + 2**c) for a in range(0, n - 2**c, 2 ** (c + 1))] for c in range(m)]


def coupler(error, xp):
    c, s = xp.cos(math.pi / 4 + error), 1j * xp.sin(math.pi / 4 + error)
    return ((c, s), (s, c))


def product(a, b):
    return tuple(tuple(a[i][0] * b[0][j] + a[i][1] * b[1][j] for j in range(2)) for i in range(2))


def node(theta, phi, errors, losses, style, xp, kind="mzi"):
    """right coupler x theta stage x left coupler x phi stage; mzi3: x third coupler; mzix: crossing x all that."""
    at, ap = (10.0 ** (-loss / 20) for loss in losses)
    if style == "top":
        t, p = (at * xp.exp(1j * theta), 1), (ap * xp.exp(1j * phi), 1)
    elif style == "bottom":
        t, p = (1, at * xp.exp(1j * theta)), (1, ap * xp.exp(1j * phi))
    elif style == "symmetric":
        t = (at * xp.exp(0.5j * theta), xp.exp(-0.5j * theta))
        p = (ap * xp.exp(1j * phi), ap * xp.exp(1j * phi))
    else:
        t = (at * xp.exp(0.5j * theta), xp.exp(-0.5j * theta))
        p = (ap * xp.exp(-0.5j * phi), ap * xp.exp(0.5j * phi))
    diagonal = lambda d: ((d[0], 0), (0, d[1]))  # noqa: E731
    left, right = coupler(errors[0], xp), coupler(errors[1], xp)
    m = product(product(product(right, diagonal(t)), left), diagonal(p))
    return product(m, coupler(errors[2], xp)) if kind == "mzi3" else (m[1], m[0]) if kind == "mzix" else m


def matrix(theta, phi, gamma, coupler_error, loss_db, style, xp, rows, of=None, kind="mzi"):
    """The matrix of a mesh as a list of rows; rows: those of the unit matrix, arrays of the package xp; of: its
    columns, None: rectangular; kind: of its nodes."""
    rows = list(rows)
    for k, (top, bottom) in enumerate(pair for column in of or columns(len(rows)) for pair in column):
        m = node(theta[k], phi[k], coupler_error[k], loss_db[k], style, xp, kind)
        a, b = rows[top], rows[bottom]
        rows[top], rows[bottom] = m[0][0] * a + m[0][1] * b, m[1][0] * a + m[1][1] * b
    return [xp.exp(1j * gamma[i]) * row for i, row in enumerate(rows)]
