"""PyTorch's states go on here as they would there."""

import pytest
from thalweg import optim

torch = pytest.importorskip("torch")
from nets import loss_of, model, train  # noqa: E402


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
