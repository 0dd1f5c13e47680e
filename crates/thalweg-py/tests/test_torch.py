"""PyTorch's tensors as parameters, against PyTorch itself."""

import gc

import numpy as np
import pytest
from thalweg import optim

torch = pytest.importorskip("torch")
from nets import apart, closure_of, loss_of, model, train  # noqa: E402


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


@pytest.mark.filterwarnings("error")
def test_a_closure_serves_methods_that_ask_more_than_once():
    net = model()
    first = loss_of(net).item()
    opt = optim.LBFGS(net.parameters())
    assert opt.step(closure_of(net, opt)) == first
    for _ in range(30):
        opt.step(closure_of(net, opt))
    assert loss_of(net).item() < 0.6 * first
    with pytest.raises(ValueError, match="give it the objective"):
        opt.step()

    mine, sam = model(), None
    sam = optim.SGD(mine.parameters(), 0.1, wrap="sam=0.05")
    sam.step(closure_of(mine, sam))
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
        return closure_of(net, opt)()

    with pytest.raises(LookupError):
        opt.step(fails_later)
    assert apart(net, model()) == 0.0 and opt.steps == 0
    with pytest.raises(TypeError, match="must return the loss"):
        opt.step(lambda: None)
    assert apart(net, model()) == 0.0 and opt.steps == 0


def test_a_closure_reads_the_optimizer_and_is_asked_with_gradients_on():
    mine, theirs = model(), model()
    own, other = optim.Adam(mine.parameters(), 0.01), torch.optim.Adam(theirs.parameters(), 0.01)
    seen = []

    def closure():
        seen.append((own.lr, own.next_lr, own.steps, own.threads, own.keep, torch.is_grad_enabled()))
        assert repr(own).startswith("Adam(") and own.hyper["beta1"] == 0.9
        for use in (own.step, own.average, own.state_dict, lambda: setattr(own, "lr", 1.0)):
            with pytest.raises(RuntimeError, match="was called within a step of the same optimizer"):
                use()
        return closure_of(mine, own)()

    for _ in range(3):
        with torch.no_grad():
            own.step(closure)
            other.step(closure_of(theirs, other))
        assert torch.is_grad_enabled()
    assert seen == [(0.01, 0.01, step, 1, None, True) for step in range(3)]
    assert apart(mine, theirs) < 1e-12 and own.lr == 0.01

    def fails():
        raise LookupError("no data")

    with torch.no_grad():
        with pytest.raises(LookupError):
            own.step(fails)
        assert not torch.is_grad_enabled()
    own.step(closure)
    assert own.steps == 4


@pytest.mark.parametrize(
    "name, keywords",
    [
        ("AdamW", {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3, "fused": True, "amsgrad": False}),
        ("RMSprop", {"alpha": 0.9, "eps": 1e-3, "momentum": 0, "centered": False, "foreach": None, "weight_decay": 0}),
        ("Rprop", {"etas": (0.4, 1.3), "step_sizes": (1e-5, 1.0), "maximize": False}),
        ("Adagrad", {"initial_accumulator_value": 0.3, "eps": 1e-3, "capturable": False}),
        ("Adafactor", {"eps": (None, 0.01), "d": 1.5}),
    ],
)
def test_keywords_may_be_pytorchs(name, keywords):
    mine, theirs = model(), model()
    their_keywords = {key: value for key, value in keywords.items() if (name, key) != ("Adagrad", "capturable")}
    train(mine, getattr(optim, name)(mine.parameters(), lr=0.01, **keywords), 20)
    train(theirs, getattr(torch.optim, name)(theirs.parameters(), lr=0.01, **their_keywords), 20)
    assert apart(mine, theirs) < 1e-10


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_sparse_gradient_is_refused(dtype):
    net = torch.nn.Embedding(4, 2, sparse=True, dtype=dtype)
    opt = optim.Adam(net.parameters())
    net(torch.tensor([1])).sum().backward()
    with pytest.raises(ValueError, match="parameter 0 has a sparse gradient, .* make the embedding with sparse=False"):
        opt.step()
    with pytest.raises(ValueError, match="gradient 0 is sparse; make it dense"):
        opt.step([net.weight.grad])
    assert opt.steps == 0
    opt.step([net.weight.grad.to_dense()])
    assert opt.steps == 1


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


@pytest.mark.parametrize("unusual", ["mode", "subclass", "large", "given", "some numpy"])
def test_memory_by_address_and_as_arrays_gives_the_same_bits(unusual):
    """Plain tensors of small steps are taken by their addresses, all others as arrays."""

    class Own(torch.Tensor):
        pass

    size = (1 << 20) + 1 if unusual == "large" else 7
    draw = torch.manual_seed(3)
    starts = [torch.randn(size, generator=draw), torch.randn(3, 2, generator=draw)]
    grads = [torch.randn(size, generator=draw), torch.randn(2, 3, generator=draw).T]
    results = []
    for way in ("plain", unusual):
        params = [torch.nn.Parameter(p.clone()) for p in starts]
        if way == "subclass":
            params[0] = params[0].data.as_subclass(Own)
        if way == "some numpy":
            params[1] = params[1].detach().numpy()
        opt = optim.Adam(params, 0.1)
        for _ in range(3):
            if way in ("given", "some numpy"):
                opt.step([g.contiguous() for g in grads])
                continue
            for p, g in zip(params, grads):
                p.grad = g
            if way == "mode":
                with torch.device("cpu"):
                    opt.step()
            else:
                opt.step()
        results.append(params)
    for one, other in zip(*results):
        found = other if isinstance(other, np.ndarray) else other.detach().numpy()
        assert np.array_equal(one.detach().numpy(), found)


def test_what_became_of_a_tensor_is_seen():
    def fresh():
        p = torch.nn.Parameter(torch.ones(4))
        opt = optim.SGD(p, 1.0)
        p.grad = torch.ones(4)
        opt.step()
        return p, opt

    p, opt = fresh()
    p.data = p.data[:2]  # at the same address
    with pytest.raises(ValueError, match="parameter 0 was resized to 2 numbers"):
        opt.step(torch.ones(2))
    p, opt = fresh()
    p.data = torch.ones(8)[::2]
    with pytest.raises(ValueError, match="parameter 0 is not contiguous"):
        opt.step(torch.ones(4))
    p, opt = fresh()
    for given, error, match in [
        (torch.ones(2, 2), ValueError, r"gradient 0 has shape \(2, 2\), expected \(4,\)"),
        (torch.ones(4).double(), TypeError, "gradient 0 has dtype float64"),
        (torch.ones(8)[::2], ValueError, "gradient 0 is not contiguous"),
        (torch.ones(4, device="meta"), ValueError, "gradient 0 lies on the device meta"),
        (p.data, ValueError, "gradient 0 shares memory with a parameter"),
        (torch._neg_view(torch.ones(4)), RuntimeError, "negative bit"),
    ]:
        with pytest.raises(error, match=match):
            opt.step(given)
        assert opt.steps == 1 and not p.any()


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


def test_an_empty_tensor_is_no_trouble():
    full = torch.ones(2)
    opt = optim.Adam([torch.zeros(0, 3), full], threads=2)
    opt.step([torch.zeros(0, 3), torch.ones(2)])
    opt.step_with(lambda w: (0.0, w))
    assert [p.shape for p in opt.average()] == [(0, 3), (2,)] and full[0] < 1
    bits = optim.Adam(torch.zeros(0).bfloat16())
    bits.step(torch.zeros(0))
    assert bits.steps == 1


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
