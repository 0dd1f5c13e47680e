"""Parameters of 16 bits: PyTorch's, those of ml_dtypes, and bits."""

import numpy as np
import pytest
from thalweg import optim

torch = pytest.importorskip("torch")
from nets import closure_of, loss_of, model, train  # noqa: E402


def bits_of(tensor):
    return tensor.detach().view(torch.int16).numpy().view(np.uint16)


@pytest.mark.parametrize("kind", ["tensors", "ml_dtypes", "uint16"])
@pytest.mark.parametrize("name, keywords", [("adamw", {"lr": 0.01}), ("muon", {"lr": 0.01}), ("momentum", {"lr": 0.01, "wrap": "clip-norm=0.5"})])
def test_a_master_copy_walks_as_float32_does(kind, name, keywords):
    full = [torch.randn(shape, generator=torch.manual_seed(4)).bfloat16().float() for shape in [(40, 30), (17,)]]
    half = [p.bfloat16() for p in full]
    if kind == "ml_dtypes":
        ml_dtypes = pytest.importorskip("ml_dtypes")
        half = [bits_of(p).copy().view(ml_dtypes.bfloat16) for p in half]
    elif kind == "uint16":
        half = [bits_of(p).copy() for p in half]
    bits = [bits_of(p) if kind == "tensors" else p.view(np.uint16) for p in half]
    one = optim.make(name, full, **keywords)
    two = optim.make(name, half, **keywords, threads=2, **({"keep": "master"} if kind == "uint16" else {}))
    draw = torch.manual_seed(9)
    for step in range(30):
        grads = [torch.randn(p.shape, generator=draw).bfloat16() for p in full]
        one.step([g.float() for g in grads])
        own = [g.numpy() if kind != "tensors" else g for g in map(torch.Tensor.float, grads)] if step % 2 else grads
        two.step(own)
    for p, found, w in zip(full, two.average(), bits):
        assert np.array_equal(p.numpy(), np.asarray(found)) and np.asarray(found).dtype == np.float32
        assert np.array_equal(bits_of(p.bfloat16()), w)
    again = optim.make(name, [w.copy() for w in bits], keep="master", **keywords)
    again.load_state_dict(two.state_dict())
    assert all(np.array_equal(a, np.asarray(b)) for a, b in zip(again.average(), two.average()))


@pytest.mark.parametrize("keep, most", [("kahan", 0.004), ("stochastic", 0.03), ("master", 0.004)])
def test_small_steps_are_not_lost(keep, most):
    """A step of 0.001 is a quarter of what a bfloat16 at 1 can move by: rounded to the nearest, none would count."""
    p = torch.nn.Parameter(torch.ones(1000, dtype=torch.bfloat16))
    opt = optim.Adam([p], keep=keep)
    for _ in range(100):
        p.grad = torch.full_like(p, 0.5)
        opt.step()
    assert abs(p.float().mean().item() - 0.9) < most
    assert opt.keep == keep and optim.Adam([p]).keep == "master" and optim.Adam(np.ones(2)).keep is None
    other = torch.nn.Parameter(torch.ones(1000, dtype=torch.bfloat16))
    another = optim.Adam([other], keep="kahan" if keep != "kahan" else "master")
    with pytest.raises(ValueError, match="«.*» is (missing|not part of it)"):
        another.load_state_dict(opt.state_dict())


@pytest.mark.parametrize("keep", ["master", "kahan"])
def test_what_did_not_fit_is_forgotten_when_the_parameters_are_others(keep):
    p = torch.ones(8, dtype=torch.bfloat16)
    opt = optim.SGD(p, 0.001, keep=keep)
    opt.step(torch.ones(8))
    p.fill_(1.0)  # a checkpoint
    assert opt.average()[0] != 1.0
    opt.forget()
    assert (opt.average() == 1.0).all() and opt.steps == 1
    plain = torch.ones(2)
    optim.Adam(plain).forget()
    assert plain.tolist() == [1.0, 1.0]


def test_a_model_of_bfloat16_trains():
    mine, full = model(torch.bfloat16), model(torch.float32)
    with torch.no_grad():
        for p, q in zip(full.parameters(), mine.parameters()):
            p.copy_(q)
    opt = optim.AdamW(mine.parameters(), lr=0.01)
    first = loss_of(mine).item()
    for _ in range(60):
        opt.step(closure_of(mine, opt))
    train(full, torch.optim.AdamW(full.parameters(), lr=0.01), 60)
    assert loss_of(mine).item() == pytest.approx(loss_of(full).item(), abs=0.03)
    assert loss_of(mine).item() < first - 0.15
    points = []
    opt.step_with(lambda w: points.append(w) or (1.0, [torch.zeros_like(p) for p in w]))
    assert all(p.dtype == torch.float32 for p in points[0])


@pytest.mark.parametrize(
    "make, error, match",
    [
        (lambda: optim.Adam(torch.ones(3), keep="master"), ValueError, "keep is for parameters of 16 bits .* these are float32"),
        (lambda: optim.Adam(torch.ones(3).bfloat16(), keep="nothing"), ValueError, "there are: master, kahan, stochastic"),
        (lambda: optim.Adam(np.ones(3, np.uint16)), TypeError, "dtype uint16; if these are the bits of bf16 numbers"),
        (lambda: optim.Adam([torch.ones(3).bfloat16(), torch.ones(3)]), TypeError, "parameter 1 has dtype float32, expected bfloat16"),
        (lambda: optim.Adam(torch.ones(3).bfloat16()).step(torch.ones(3).half()), TypeError, "gradient 0 has dtype float16, expected bfloat16"),
        (lambda: optim.Adam(torch.ones(3).bfloat16()).load_torch_state_dict({"state": {}}), ValueError, "float32 or float64 parameters"),
        (lambda: optim.LBFGS(torch.ones(3).bfloat16()).step_with(lambda w: (0.0, w)), ValueError, "lbfgs asks the objective elsewhere"),
        (lambda: optim.LBFGS(torch.ones(3).bfloat16()).step(torch.ones(3)), ValueError, "give it the objective"),
    ],
)  # fmt: skip
def test_what_16_bits_cannot_do_is_refused(make, error, match):
    with pytest.raises(error, match=match):
        make()
