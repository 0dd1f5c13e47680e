"""PyTorch's tensors as parameters, and its states, against PyTorch itself."""

import gc

import numpy as np
import pytest
from thalweg import optim

torch = pytest.importorskip("torch")


def model(dtype=torch.float64, seed=1):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).to(dtype)


DATA = torch.tensor(np.random.default_rng(5).standard_normal((16, 5)))


def loss_of(net):
    x = DATA.to(next(net.parameters()).dtype)
    return ((net(x[:, :3]) - x[:, 3:]) ** 2).mean()


def train(net, opt, steps):
    for _ in range(steps):
        opt.zero_grad()
        loss_of(net).backward()
        opt.step()
    return net


def apart(one, two):
    return max((a - b).abs().max().item() for a, b in zip(one.parameters(), two.parameters()))


def test_one_changed_line_trains_a_model():
    mine, theirs = model(), model()
    train(mine, optim.Adam(mine.parameters(), lr=0.01), 50)
    train(theirs, torch.optim.Adam(theirs.parameters(), lr=0.01), 50)
    assert apart(mine, theirs) < 1e-12 < apart(mine, model())


@pytest.mark.parametrize("dtype, most", [(torch.float32, 1e-5), (torch.float64, 1e-12)])
@pytest.mark.parametrize("way", ["grads", "step_with", "detached"])
@pytest.mark.filterwarnings("error")
def test_every_way_to_step_is_the_same(dtype, most, way):
    mine, theirs = model(dtype), model(dtype)
    train(theirs, torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9), 20)
    params = list(mine.parameters())
    opt = optim.Momentum([p.detach() for p in params] if way == "detached" else params, lr=0.1)

    def f(points):
        assert all(p.shape == q.shape and p.dtype == q.dtype for p, q in zip(points, params))
        copy = model(dtype)
        for p, q in zip(copy.parameters(), points):
            p.data = q
        value = loss_of(copy)
        value.backward()
        return value, [p.grad for p in copy.parameters()]

    for _ in range(20):
        if way == "step_with":
            assert opt.step_with(f) == pytest.approx(loss_of(mine).item(), rel=0.5)
            continue
        mine.zero_grad()
        loss_of(mine).backward()
        opt.step([p.grad.numpy() for p in params] if way == "detached" else [p.grad for p in params])
    assert apart(mine, theirs) < most


def closure_of(net):
    def closure():
        net.zero_grad()
        loss = loss_of(net)
        loss.backward()
        return loss

    return closure


@pytest.mark.filterwarnings("error")
def test_a_closure_serves_methods_that_ask_more_than_once():
    net = model()
    first = loss_of(net).item()
    opt = optim.LBFGS(net.parameters())
    assert opt.step(closure_of(net)) == first
    for _ in range(30):
        opt.step(closure_of(net))
    assert loss_of(net).item() < 0.6 * first
    with pytest.raises(ValueError, match="give it the objective"):
        opt.step()

    mine, sam = model(), None
    sam = optim.SGD(mine.parameters(), 0.1, wrap="sam=0.05")
    sam.step(closure_of(mine))
    theirs = model()  # the formula, by hand
    closure_of(theirs)()
    params = list(theirs.parameters())
    grads = [p.grad.clone() for p in params]
    norm = torch.sqrt(sum((g**2).sum() for g in grads))
    start = [p.detach().clone() for p in params]
    with torch.no_grad():
        for p, g in zip(params, grads):
            p += 0.05 * g / norm
    closure_of(theirs)()
    with torch.no_grad():
        for p, s in zip(params, start):
            p.copy_(s - 0.1 * p.grad)
    assert apart(mine, theirs) < 1e-9


def test_a_closure_that_fails_changes_nothing():
    net = model()
    opt = optim.LBFGS(net.parameters())
    asked = []

    def fails_later():
        asked.append(1)
        if len(asked) > 1:
            raise LookupError("no data")
        return closure_of(net)()

    with pytest.raises(LookupError):
        opt.step(fails_later)
    assert apart(net, model()) == 0.0 and opt.steps == 0
    with pytest.raises(TypeError, match="must return the loss"):
        opt.step(lambda: None)
    assert apart(net, model()) == 0.0 and opt.steps == 0


def test_a_missing_gradient_is_an_error():
    net = model()
    opt = optim.Adam(net.parameters())
    with pytest.raises(ValueError, match=r"parameter 0 has no gradient \(.grad is None\)"):
        opt.step()
    loss_of(net).backward()
    net[2].weight.grad = None
    with pytest.raises(ValueError, match="parameter 2 has no gradient"):
        opt.step()
    assert opt.steps == 0 and apart(net, model()) == 0.0
    with pytest.raises(TypeError, match=r"NumPy array, which has no gradient of its own: give the gradients"):
        optim.Adam(np.ones(3)).step()
    with pytest.raises(TypeError, match="NumPy array, which has no gradient"):
        optim.Adam(np.ones(3)).zero_grad()


def test_zero_grad_forgets_or_zeroes():
    net = model()
    opt = optim.Adam(net.parameters())
    opt.zero_grad()
    loss_of(net).backward()
    held = net[0].weight.grad
    opt.zero_grad(set_to_none=False)
    assert net[0].weight.grad is held and not held.any()
    opt.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_gradients_may_lie_otherwise_than_their_parameters():
    p = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    p.grad = torch.arange(6.0, dtype=torch.float64).reshape(3, 2).T
    optim.SGD([p], 1.0).step()
    assert p.tolist() == [[-0.0, -2.0, -4.0], [-1.0, -3.0, -5.0]]


def test_a_tensor_may_get_other_memory():
    p = torch.nn.Parameter(torch.zeros(3))
    opt = optim.SGD([p], 1.0)
    p.data = torch.full((3,), 5.0)
    gc.collect()
    opt.step([torch.ones(3)])
    assert p.tolist() == [4.0, 4.0, 4.0]
    p.data = torch.zeros(4)
    with pytest.raises(ValueError, match="parameter 0 was resized to 4 numbers"):
        opt.step([torch.ones(4)])
    p.data = torch.zeros(3, dtype=torch.float64)
    with pytest.raises(TypeError, match="has dtype float64, expected float32"):
        opt.step([torch.ones(3)])


def test_a_backward_pass_over_what_a_step_changed_fails():
    p = torch.ones(3, requires_grad=True)
    late = (p * p).sum()
    optim.SGD([p], 0.1).step([torch.ones(3)])
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        late.backward()


@pytest.mark.parametrize(
    "make, error, match",
    [
        (lambda: [torch.ones(3, device="meta")], ValueError, "parameter 0 lies on the device meta"),
        (lambda: [torch.ones(3).to_sparse()], ValueError, "parameter 0 is sparse"),
        (lambda: [torch.ones(3).half()], TypeError, r"dtype float16, expected float64; convert it with .to\(torch"),
        (lambda: [torch.ones(3), torch.ones(3).double()], TypeError, "parameter 1 has dtype float64, expected float32"),
        (lambda: [torch.ones(3), torch.ones(3).bfloat16()], TypeError, "parameter 1 has dtype bfloat16, expected float32"),
        (lambda: [torch.ones(2, 3).T], ValueError, "parameter 0 is not contiguous"),
        (lambda: [torch.ones(3)] * 2, ValueError, "parameter 1 shares memory with another parameter"),
        (lambda: [torch.ones(3), np.ones(3)], TypeError, "parameter 1 has dtype float64, expected float32"),
    ],
)
def test_tensors_that_cannot_be_stepped_are_refused(make, error, match):
    with pytest.raises(error, match=match):
        optim.Adam(make())


def test_views_of_one_memory_are_refused():
    base = torch.zeros(6)
    for parts in [(base[:4], base[3:]), (base[3:], base[:4]), (base, base[2:3])]:
        with pytest.raises(ValueError, match="parameter 1 shares memory with another parameter"):
            optim.SGD(list(parts))
    opt = optim.SGD([base[:3], base[3:]], 1.0)
    with pytest.raises(ValueError, match="gradient 1 shares memory with a parameter"):
        opt.step([torch.ones(3), base[2:5]])
    one = torch.ones(3)
    opt.step([one, one])
    assert base.tolist() == [-1.0] * 6


def test_the_average_is_of_tensors():
    net = model()
    opt = optim.AdamW(net.parameters(), 0.01, wrap="swa")
    points = []
    for _ in range(3):
        train(net, opt, 1)
        points.append([p.detach().clone() for p in net.parameters()])
    for found, *own in zip(opt.average(), *points):
        assert found.shape == own[0].shape and not found.requires_grad
        torch.testing.assert_close(found, sum(own) / 3)


def test_muon_takes_a_weight_for_out_in():
    """optax's form steps by √max(1, out/in): 2 for 8 outputs of 2 inputs, 1 for the reverse, as its own arrays lie."""
    grad = np.random.default_rng(1).standard_normal((8, 2))
    p, q = torch.zeros(8, 2, dtype=torch.float64), np.zeros((8, 2))
    optim.Muon([p], 0.1, dialect="optax").step([torch.tensor(grad)])
    optim.Muon([q], 0.1, dialect="optax").step([grad])
    np.testing.assert_allclose(p.numpy(), 2 * q, rtol=1e-12)
    assert q.any()


class Routed:
    """Matrices to Muon, the rest to AdamW, as PyTorch's documentation of Muon asks for."""

    def __init__(self, params, lr, momentum):
        params = list(params)
        self.muon = torch.optim.Muon([p for p in params if p.ndim == 2], lr=lr, momentum=momentum)
        self.adamw = torch.optim.AdamW([p for p in params if p.ndim != 2], lr=0.3 * lr, betas=(0.8, 0.99))

    def zero_grad(self):
        self.muon.zero_grad(), self.adamw.zero_grad()

    def step(self):
        self.muon.step(), self.adamw.step()

    def states(self):
        return self.muon.state_dict(), self.adamw.state_dict()


STATES = [
    ("sgd", {}, torch.optim.SGD, dict(lr=0.1)),
    ("sgd", dict(wrap="weight-decay=0.5"), torch.optim.SGD, dict(lr=0.1, weight_decay=0.2)),
    ("momentum", {}, torch.optim.SGD, dict(lr=0.1, momentum=0.8, dampening=0.3)),
    ("nag", {}, torch.optim.SGD, dict(lr=0.1, momentum=0.8, nesterov=True)),
    ("adam", {}, torch.optim.Adam, dict(lr=0.02, betas=(0.8, 0.95), eps=1e-4)),
    ("adam", dict(wrap="weight-decay=1"), torch.optim.Adam, dict(lr=0.02, weight_decay=0.1)),
    ("nadam", dict(wrap="decoupled-decay"), torch.optim.NAdam, dict(lr=0.02, weight_decay=0.1, decoupled_weight_decay=True)),
    ("amsgrad", {}, torch.optim.Adam, dict(lr=0.02, betas=(0.8, 0.8), amsgrad=True)),
    ("adamw", {}, torch.optim.AdamW, dict(lr=0.02, weight_decay=0.3)),
    ("rmsprop", {}, torch.optim.RMSprop, dict(lr=0.01, alpha=0.9, eps=1e-4)),
    ("rmsprop-momentum", {}, torch.optim.RMSprop, dict(lr=0.01, momentum=0.7)),
    ("rmsprop-centered", {}, torch.optim.RMSprop, dict(lr=0.01, momentum=0.7, centered=True)),
    ("rmsprop-centered", {}, torch.optim.RMSprop, dict(lr=0.01, eps=1e-3, centered=True)),
    ("adagrad", {}, torch.optim.Adagrad, dict(lr=0.1, lr_decay=0.05, initial_accumulator_value=0.2)),
    ("adadelta", {}, torch.optim.Adadelta, dict(lr=0.7, rho=0.8, eps=1e-3)),
    ("nadam", {}, torch.optim.NAdam, dict(lr=0.02, momentum_decay=0.1)),
    ("radam", {}, torch.optim.RAdam, dict(lr=0.02, betas=(0.8, 0.95))),
    ("adamax", {}, torch.optim.Adamax, dict(lr=0.02, betas=(0.8, 0.95))),
    ("rprop", {}, torch.optim.Rprop, dict(lr=0.01, etas=(0.4, 1.3), step_sizes=(1e-5, 0.2))),
    ("adafactor", {}, torch.optim.Adafactor, dict(lr=0.05, beta2_decay=-0.5, d=1.5, weight_decay=0.1)),
    ("adafactor", {}, torch.optim.Adafactor, dict(lr=0.05, eps=(1e-4, 1e-2))),
    ("muon", {}, Routed, dict(lr=0.02, momentum=0.9)),
]  # fmt: skip


@pytest.fixture
def wide(monkeypatch):
    """PyTorch as it computes in 64 bits: it rounds Muon's iteration to bf16, and NAdam's product to its default type."""
    from torch.optim import _muon

    class Lent:
        bfloat16 = torch.float64

        def __getattr__(self, name):
            return getattr(torch, name)

    monkeypatch.setattr(_muon, "torch", Lent())
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("tensors", [True, False], ids=["tensors", "numpy"])
@pytest.mark.parametrize("name, own, kind, keywords", STATES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_state_of_pytorch_goes_on_here(name, own, kind, keywords, tensors, wide):
    theirs = model()
    their_opt = kind(theirs.parameters(), **keywords)
    train(theirs, their_opt, 20)
    mine = model(seed=2)
    mine.load_state_dict(theirs.state_dict())
    params = list(mine.parameters())
    opt = optim.make(name, params if tensors else [p.detach().numpy() for p in params], **own)
    states = their_opt.states() if kind is Routed else [their_opt.state_dict()]
    if not tensors:  # as files of NumPy arrays would have them
        states = [
            {**sd, "state": {at: {k: v if v is None else v.numpy() for k, v in part.items()} for at, part in sd["state"].items()}}
            for sd in states
        ]
    opt.load_torch_state_dict(*states)
    assert opt.lr == keywords["lr"]
    # PyTorch's SGD counts no steps; all that matters is whether there was one.
    assert opt.steps == (20 if "step" in repr(states) else bool(states[0]["state"]))
    for _ in range(20):
        mine.zero_grad()
        loss_of(mine).backward()
        opt.step([p.grad for p in params])
    train(theirs, their_opt, 20)
    for p, q in zip(mine.parameters(), theirs.parameters()):
        torch.testing.assert_close(p, q, rtol=1e-10, atol=1e-12)


def adam_state(steps=1, **keywords):
    net = model()
    opt = torch.optim.Adam(net.parameters(), **{"lr": 0.01, **keywords})
    train(net, opt, steps)
    return opt.state_dict()


def without(state, index, name):
    del state["state"][index][name]
    return state


def two_groups():
    net = model()
    opt = torch.optim.Adam([{"params": net[0].parameters()}, {"params": net[2].parameters(), "lr": 0.5}])
    train(net, opt, 1)
    return opt.state_dict()


@pytest.mark.parametrize(
    "name, make, keywords, error, match",
    [
        ("adam", lambda: {}, {}, KeyError, "the state has no «state»"),
        ("adam", lambda: adam_state(weight_decay=0.1), {}, ValueError, 'adam here has none of its own; make it with wrap="weight-decay=0.1"'),
        ("adam", lambda: adam_state(amsgrad=True), {}, ValueError, "amsgrad = True, and adam here has not; make a «amsgrad»"),
        ("amsgrad", adam_state, {}, ValueError, "amsgrad = False, and amsgrad here has; make the rule without it"),
        ("adam", lambda: adam_state(maximize=True), {}, ValueError, "maximize = True, and adam here has nothing of that name"),
        ("sgd", adam_state, {}, ValueError, "betas = .* and sgd here has nothing of that name"),
        ("adam", two_groups, {}, ValueError, "groups differ"),
        ("adam", lambda: without(adam_state(), 1, "exp_avg"), {}, ValueError, "«exp_avg» of 1 is missing"),
        ("adam", adam_state, {"wrap": "ema"}, ValueError, "«ema/.*» is missing"),
        ("adam", adam_state, {"dialect": "keras"}, ValueError, "of the dialect torch, and this optimizer is of keras"),
        ("adam", lambda: {"state": {9: {}}}, {}, ValueError, "has a parameter 9, and there are 4 for it here"),
        ("adam", lambda: {"state": {"w": {}}}, {}, TypeError, "has a parameter w, expected its place"),
        ("lion", lambda: {"state": {0: {"exp_avg": torch.ones(3)}}}, {}, ValueError, "not to be had in PyTorch's form"),
        ("muon", lambda: torch.optim.Muon([torch.nn.Parameter(torch.ones(2, 2))]).state_dict(), {}, ValueError, "2 of the parameters are no matrices"),
    ],
)  # fmt: skip
def test_a_state_of_pytorch_that_does_not_fit_changes_nothing(name, make, keywords, error, match):
    net = model()
    opt = optim.make(name, net.parameters(), **keywords)
    train(net, opt, 2)
    before = repr(opt.state_dict())
    with pytest.raises(error, match=match):
        opt.load_torch_state_dict(make())
    assert repr(opt.state_dict()) == before


def test_a_state_before_the_first_step_brings_the_hyperparameters():
    net = model()
    opt = optim.Adam(net.parameters())
    train(net, opt, 3)
    opt.load_torch_state_dict(torch.optim.Adam(net.parameters(), lr=0.5, betas=(0.5, 0.6)).state_dict())
    assert (opt.steps, opt.lr, opt.hyper["beta1"], opt.hyper["beta2"]) == (0, 0.5, 0.5, 0.6)
    opt.load_torch_state_dict({"state": adam_state(4)["state"]})
    assert (opt.steps, opt.lr) == (4, 0.5)


def test_under_a_schedule_here_the_rate_is_the_one_before_theirs():
    net = model()
    theirs = torch.optim.Adam(net.parameters(), lr=0.4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, 20)
    for _ in range(8):
        train(net, theirs, 1)
        schedule.step()
    opt = optim.Adam(net.parameters(), schedule="cosine", total_steps=20)
    opt.load_torch_state_dict(theirs.state_dict())
    assert opt.lr == 0.4 and opt.next_lr == pytest.approx(schedule.get_last_lr()[0], rel=1e-12)
    plain = optim.Adam(net.parameters())
    plain.load_torch_state_dict(theirs.state_dict())
    assert plain.lr == schedule.get_last_lr()[0]


def test_a_state_of_a_float32_model_is_for_a_float32_model():
    net = model(torch.float32)
    theirs = torch.optim.Adam(net.parameters())
    train(net, theirs, 1)
    optim.Adam(net.parameters()).load_torch_state_dict(theirs.state_dict())
    with pytest.raises(ValueError, match="«exp_avg» of 0 has the type F32, expected F64"):
        optim.Adam(model().parameters()).load_torch_state_dict(theirs.state_dict())


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
    other = torch.nn.Parameter(torch.ones(1000, dtype=torch.bfloat16))
    another = optim.Adam([other], keep="kahan" if keep != "kahan" else "master")
    with pytest.raises(ValueError, match="«.*» is (missing|not part of it)"):
        another.load_state_dict(opt.state_dict())


def test_a_model_of_bfloat16_trains():
    mine, full = model(torch.bfloat16), model(torch.float32)
    with torch.no_grad():
        for p, q in zip(full.parameters(), mine.parameters()):
            p.copy_(q)
    opt = optim.AdamW(mine.parameters(), lr=0.01)
    first = loss_of(mine).item()
    for _ in range(60):
        opt.step(closure_of(mine))
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


@pytest.mark.parametrize("tensors", [True, False], ids=["tensors", "numpy"])
def test_groups_are_those_of_pytorch(tensors):
    def groups(net):
        return [
            {"params": net[0].parameters(), "lr": 0.003, "weight_decay": 0.3},
            {"params": [net[2].weight], "betas": (0.5, 0.9), "eps": 1e-3},
            {"params": net[2].bias},
        ]

    mine, theirs = model(), model()
    their_opt = torch.optim.AdamW(groups(theirs), lr=0.02)
    own = groups(mine)
    own[1].update(beta1=0.5, beta2=0.9, epsilon=1e-3)
    del own[1]["betas"], own[1]["eps"]
    if not tensors:
        for group in own:
            given = group["params"]
            group["params"] = [p.detach().numpy() for p in ([given] if isinstance(given, torch.Tensor) else given)]
    opt = optim.AdamW(own, lr=0.02, threads=2)
    params = list(mine.parameters())
    for step in range(30):
        mine.zero_grad()
        loss_of(mine).backward()
        opt.step([p.grad for p in params])
        train(theirs, their_opt, 1)
        opt.lr *= 0.9
        for group in their_opt.param_groups:
            group["lr"] *= 0.9
        if step == 14:
            saved = opt.state_dict()
            own = [{"params": g} for g in ([params[0], params[1]], [params[2]], [params[3]])]
            opt = optim.AdamW(own)
            opt.load_state_dict(saved)
    assert apart(mine, theirs) < 1e-12
    with pytest.raises(ValueError, match="of 3 parameter groups, and there are 0 here"):
        optim.AdamW(params).load_state_dict(saved)
    with pytest.raises(ValueError, match="without parameter groups only"):
        opt.load_torch_state_dict(their_opt.state_dict())
