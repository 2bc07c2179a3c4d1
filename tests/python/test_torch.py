"""cuonn.torch against a mesh written plainly in PyTorch: values, gradients, gradcheck, opcheck, torch.compile."""

import numpy as np
import pytest
import torch

import cuonn
import cuonn.torch
import plain
from common import DOUBLE, SHAPE_IDS, SHAPES, SINGLE, STYLES, close, close_all, columns_of, fields, mesh, shaped
from cuonn.torch import propagate


def arguments(m, x):
    return tuple(torch.tensor(v).requires_grad_() for v in (m.theta, m.phi, m.gamma, x))


def chip(m):
    return {"coupler_error": torch.tensor(m.coupler_error), "loss_db": torch.tensor(m.loss_db)}


def plainly(m, theta, phi, gamma, x, backward=False, columns=None):
    errors, losses = torch.tensor(m.coupler_error), torch.tensor(m.loss_db)
    rows = torch.eye(m.n_modes, dtype=torch.complex128)
    u = torch.stack(plain.matrix(theta, phi, gamma, errors, losses, m.style, torch, rows, columns,
                                 m.shape.node))
    return x @ (u if backward else u.T)


def loss(y):
    """Real, of complex fields, with a weight that tells real from imaginary parts: a cotangent that is not conjugated
    gives another gradient."""
    return ((y[..., 0] * (2 + 1j)).real ** 2).sum() + (y[..., 1:].abs() ** 4).sum()


@pytest.mark.parametrize("backward", (False, True))
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("n", (2, 5, 6))
def test_values_and_gradients(n, style, backward):
    m = mesh(n, style)
    a, b = arguments(m, fields((3, n))), arguments(m, fields((3, n)))
    got, want = propagate(*a, style=style, backward=backward, **chip(m)), plainly(m, *b, backward)
    close(got.detach(), want.detach(), DOUBLE)
    loss(got).backward()
    loss(want).backward()
    close_all([p.grad for p in a], [q.grad for q in b], DOUBLE)
    assert a[3].grad.imag.abs().max() > 1e-3  # or a conjugate would not be noticed


@pytest.mark.parametrize("backward", (False, True))
@pytest.mark.parametrize("n, how", SHAPES, ids=SHAPE_IDS)
def test_shapes(n, how, backward):
    m = shaped(n, how)
    a, b = arguments(m, fields((3, n))), arguments(m, fields((3, n)))
    got = propagate(*a, backward=backward, shape=m.shape, **chip(m))
    want = plainly(m, *b, backward, columns_of(n, how))
    close(got.detach(), want.detach(), DOUBLE)
    loss(got).backward()
    loss(want).backward()
    close_all([p.grad for p in a], [q.grad for q in b], DOUBLE)


@pytest.mark.parametrize("n, how", (SHAPES[3], SHAPES[-1]))
def test_a_module_of_another_shape(n, how):
    """Its graph, its matrix, and the mesh that it gives back."""
    m = shaped(n, how)
    layer = cuonn.torch.Mesh(m)
    x = torch.tensor(fields((3, n)))
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    close(compiled(x).detach(), m.propagate(x.numpy()), DOUBLE)
    close(layer.matrix().detach(), m.matrix(), DOUBLE)
    again = layer.to_mesh()
    assert again.shape == m.shape and np.array_equal(again.matrix(), m.matrix())
    assert m.shape.architecture in repr(layer)


def test_single_precision():
    m = mesh(6)
    a = [torch.tensor(v, dtype=torch.float32).requires_grad_() for v in (m.theta, m.phi, m.gamma)]
    x = torch.tensor(fields((3, 6), dtype=np.complex64)).requires_grad_()
    b = arguments(m, fields((3, 6)))
    got, want = propagate(*a, x, **chip(m)), plainly(m, *b)
    assert got.dtype == torch.complex64
    loss(got).backward()
    loss(want).backward()
    close(got.detach(), want.detach(), SINGLE)
    wide = [p.grad.to(q.grad.dtype) for p, q in zip((*a, x), b)]
    close_all(wide, [q.grad for q in b], SINGLE)


@pytest.mark.parametrize("backward", (False, True))
def test_gradcheck(backward):
    m = mesh(4)
    assert torch.autograd.gradcheck(lambda *a: propagate(*a, backward=backward, **chip(m)), arguments(m, fields((2, 4))))


def test_opcheck():
    m = mesh(4)
    for backward in (False, True):
        torch.library.opcheck(cuonn.torch._propagate,
                              (*arguments(m, fields((2, 4))), *chip(m).values(), [], 0, backward, 1))


def test_module():
    m = mesh(5, "bottom")
    layer = cuonn.torch.Mesh(m)
    x = torch.tensor(fields((3, 5)))
    close(layer(x).detach(), m.propagate(x.numpy()), DOUBLE)
    close(layer.matrix().detach(), m.matrix(), DOUBLE)
    assert [n for n, _ in layer.named_parameters()] == ["theta", "phi", "gamma"]
    assert [n for n, _ in layer.named_buffers()] == ["coupler_error", "loss_db"]
    assert np.array_equal(layer.to_mesh().matrix(), m.matrix())
    other = cuonn.torch.Mesh(mesh(5, "bottom", seed=1))
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(x), layer(x))
    assert "5 waveguides" in repr(layer)


def test_compile():
    """The whole layer as one graph, values and gradients to the bit."""
    layer = cuonn.torch.Mesh(mesh(4))
    x = torch.tensor(fields((3, 4)))
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    want = layer(x)
    loss(want).backward()
    gradient = layer.theta.grad.clone()
    layer.zero_grad()
    got = compiled(x)
    loss(got).backward()
    assert torch.equal(got, want) and torch.equal(layer.theta.grad, gradient)


def test_training_in_torch():
    target = torch.tensor(cuonn.Mesh.haar(4, seed=2).matrix())
    layer = cuonn.torch.Mesh(cuonn.Mesh.haar(4, seed=1))
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.02)
    distances = []
    for _ in range(200):
        optimizer.zero_grad()
        distance = (layer.matrix() - target).abs().square().sum()
        distance.backward()
        optimizer.step()
        distances.append(distance.item())
    assert distances[-1] < 0.5 * distances[0]


def test_any_layout():
    m = mesh(5)
    layer = cuonn.torch.Mesh(m)
    x = torch.tensor(fields((4, 3, 5)))
    want = layer(x)
    assert torch.equal(layer(x.transpose(0, 1).contiguous().transpose(0, 1)), want)
    assert torch.equal(layer(x[::2]), want[::2])
    assert torch.equal(layer(x.conj().clone().conj()), layer(x.conj().resolve_conj().conj().resolve_conj()))
    assert layer(torch.zeros(0, 5)).shape == (0, 5)
    assert layer(torch.ones(5)).dtype == torch.complex64


def test_views_that_conjugate_or_negate_later():
    """PyTorch marks such tensors, and the numbers behind them are others."""
    theta, phi, gamma, x = (a.detach() for a in arguments(mesh(4), fields((2, 4))))
    want = propagate(theta, phi, gamma, x.conj().resolve_conj())
    assert torch.equal(propagate(theta, phi, gamma, x.conj()), want)
    negated = torch._neg_view(-theta)
    assert negated.is_neg() and torch.equal(propagate(negated, phi, gamma, x), propagate(theta, phi, gamma, x))


def test_nothing_is_copied_without_need(monkeypatch):
    """The library gets the tensors' own memory where it is contiguous."""
    theta, phi, gamma, x = arguments(mesh(5), fields((3, 5)))
    given, real = [], cuonn.torch._buffer
    monkeypatch.setattr(cuonn.torch, "_buffer", lambda t: (given.append(t.data_ptr()), real(t))[1])
    y = propagate(theta, phi, gamma, x)
    assert given == [y.data_ptr(), theta.data_ptr(), phi.data_ptr(), gamma.data_ptr(), x.data_ptr()]
    given.clear()
    y.backward(y.detach())
    assert {t.data_ptr() for t in (theta, phi, gamma, x)} < set(given)
    given.clear()
    propagate(theta, phi, gamma, x[:, ::2].repeat(1, 2)[:, :5].T.contiguous().T)
    assert x.data_ptr() not in given and theta.data_ptr() in given


def test_no_second_derivative():
    theta, phi, gamma, x = arguments(mesh(4), fields((2, 4)))
    first, = torch.autograd.grad(loss(propagate(theta, phi, gamma, x)), theta, create_graph=True)
    with pytest.raises(RuntimeError, match="cuonn.vjp"):
        first.sum().backward()


def test_refuses():
    m = mesh(4)
    theta, phi, gamma, x = (a.detach() for a in arguments(m, fields((2, 4))))
    with pytest.raises(cuonn.ShapeError, match="theta has the shape"):
        propagate(theta[1:], phi, gamma, x)
    with pytest.raises(cuonn.ArgumentError, match="phi is torch.float16"):
        propagate(theta, phi.half(), gamma, x)
    with pytest.raises(cuonn.ShapeError, match="loss_db"):
        propagate(theta, phi, gamma, x, loss_db=torch.zeros(6))
    with pytest.raises(cuonn.ArgumentError, match="coupler_error is ndarray"):
        propagate(theta, phi, gamma, x, coupler_error=m.coupler_error)
    with pytest.raises(cuonn.DeviceError, match="x lies on meta"):
        propagate(theta, phi, gamma, x.to("meta"))
    with pytest.raises(cuonn.NonFiniteError, match="coupler_error"):
        propagate(theta, phi, gamma, x, coupler_error=torch.full((6, 2), torch.nan))
    with pytest.raises(cuonn.ShapeError, match="must be the 5 waveguides"):
        propagate(theta, phi, gamma, x, shape=cuonn.Shape(5, "tree"))
    with pytest.raises(cuonn.ShapeError, match="theta has the shape"):
        propagate(theta, phi, gamma, x, shape=cuonn.Shape(4, "tree"))
    with pytest.raises(cuonn.ArgumentError, match="it must be a cuonn.Shape"):
        propagate(theta, phi, gamma, x, shape="triangular")
