"""The mesh written plainly, for NumPy, JAX and PyTorch alike: every node multiplies two rows of a matrix.  Nothing of the
package, and of the arrays no more than arithmetic, exp, cos and sin.  Formulas: docs/physics.md, sections 1 and 2."""

import math


def nodes(n):
    """Top waveguide of each node of a rectangular mesh, in the order of the nodes."""
    return [top for column in range(n) for top in range(column % 2, n - 1, 2)]


def coupler(error, xp):
    c, s = xp.cos(math.pi / 4 + error), 1j * xp.sin(math.pi / 4 + error)
    return ((c, s), (s, c))


def product(a, b):
    return tuple(tuple(a[i][0] * b[0][j] + a[i][1] * b[1][j] for j in range(2)) for i in range(2))


def node(theta, phi, errors, losses, style, xp):
    """right coupler x theta stage x left coupler x phi stage."""
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
    return product(product(product(right, diagonal(t)), left), diagonal(p))


def matrix(theta, phi, gamma, coupler_error, loss_db, style, xp, rows):
    """The matrix of a mesh as a list of rows; rows: those of the unit matrix, arrays of the package xp."""
    rows = list(rows)
    for k, top in enumerate(nodes(len(rows))):
        m = node(theta[k], phi[k], coupler_error[k], loss_db[k], style, xp)
        a, b = rows[top], rows[top + 1]
        rows[top], rows[top + 1] = m[0][0] * a + m[0][1] * b, m[1][0] * a + m[1][1] * b
    return [xp.exp(1j * gamma[i]) * row for i, row in enumerate(rows)]
