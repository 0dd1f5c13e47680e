"""What goes around a rule: threads, states of fewer bits, wrappers, schedules, averages."""

import json
import math
import multiprocessing
import threading
import time

import numpy as np
import pytest
from thalweg import optim


def walk(opt, w, steps, seed=0, start=0):
    """Steps with gradients that depend on w and on the step."""
    for step in range(start, start + steps):
        noise = np.random.default_rng([seed, step])
        opt.step([(p + 0.3 * noise.standard_normal(p.shape)).astype(p.dtype) for p in w])
    return w


def start(*more):
    draw = np.random.default_rng(3)
    return [draw.standard_normal(shape).astype(np.float32) for shape in [(70, 50), (3000,), (5,), *more]]


# Enough for a step to be shared out among threads.
BIG = (1000, 1000)


def test_threads_change_no_bit():
    ends = []
    for threads in (1, 2, 5):
        w = start(BIG)
        opt = optim.Adam(w, wrap="clip-norm=1", threads=threads)
        assert opt.threads == threads
        ends.append(walk(opt, w, 5))
    w = start(BIG)
    opt = optim.Adam(w, wrap="clip-norm=1")
    assert opt.threads == 1
    for step in range(5):
        opt.threads = 1 + step % 3
        walk(opt, w, 1, start=step)
    for other in [*ends[1:], w]:
        assert all(np.array_equal(a, b) for a, b in zip(ends[0], other))


@pytest.mark.parametrize("bad", [0, -1, 1.5, "two", 10**9, None])
def test_a_bad_number_of_threads_is_refused(bad):
    message = "threads = .* is out of range: it must be a whole number from 1 to 1024"
    opt = optim.Adam(np.ones(3), threads=2)
    with pytest.raises(ValueError, match=message):
        opt.threads = bad
    assert opt.threads == 2
    if bad is not None:
        with pytest.raises(ValueError, match=message):
            optim.Adam(np.ones(3), threads=bad)


def seconds_of_others(opt, w):
    """The time that other threads than this one work for a step, as a share of all."""
    opt.step([np.ones_like(p) for p in w])
    begin = time.process_time(), time.thread_time()
    for _ in range(5):
        opt.step([np.ones_like(p) for p in w])
    all_of_it, own = time.process_time() - begin[0], time.thread_time() - begin[1]
    return (all_of_it - own) / all_of_it


@pytest.mark.parametrize("make", [lambda w, **k: optim.Adam(w, **k), lambda w, **k: optim.Adam([{"params": w}], **k)])
def test_threads_do_the_work(make):
    """Those of a pool do all of a step: the caller waits."""
    w = [np.ones(3_000_000)]
    opt = make(w)
    assert seconds_of_others(opt, w) < 0.1
    opt.threads = 2
    assert seconds_of_others(opt, w) > 0.2
    other = make(w, threads=2)
    assert seconds_of_others(other, w) > 0.2
    other.load_state_dict(opt.state_dict())
    assert other.threads == 2 and seconds_of_others(other, w) > 0.2
    other.threads = 1
    assert seconds_of_others(other, w) < 0.1


def _step_in_child(opt, w, results):
    walk(opt, w, 1, start=1)
    results.put([float(p.sum()) for p in w])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork")
def test_a_forked_process_has_threads_of_its_own():
    w = start(BIG)
    opt = optim.Adam(w, threads=2)
    walk(opt, w, 1)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=_step_in_child, args=(opt, w, results))
    child.start()
    try:
        found = results.get(timeout=30)
    finally:
        child.kill()
    assert found == [float(p.sum()) for p in walk(opt, w, 1, start=1)]


def test_other_threads_run_during_a_step():
    """Another thread notes the time: also in the midst of a long step, in which the interpreter cannot switch by itself."""
    w = np.ones(20_000_000, np.float32)
    grad = np.ones_like(w)
    opt = optim.Adam(w)
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(1e-4)

    def seen_in_the_midst():
        begin = time.perf_counter()
        opt.step(grad)
        length = time.perf_counter() - begin
        return any(0.4 < (now - begin) / length < 0.6 for now in ticks)

    other = threading.Thread(target=tick)
    other.start()
    try:
        # On a busy machine the other thread may have to wait for a core: one step of many is enough.
        assert any(seen_in_the_midst() for _ in range(50))
    finally:
        done.set()
        other.join()


@pytest.mark.parametrize("precision, most", [("bf16", 0.02), ("byte", 0.05)])
def test_a_state_of_fewer_bits(precision, most):
    w, full = start(), start()
    opt, plain = optim.Adam(w, 0.01, state_precision=precision), optim.Adam(full, 0.01)
    assert (opt.state_precision, plain.state_precision) == (precision, "full")
    walk(opt, w, 20), walk(plain, full, 20)
    off = max(float(np.abs(a - b).max()) for a, b in zip(w, full))
    assert 0 < off < most
    sizes = [sum(a.nbytes for a in o.state_dict()["state"].values()) for o in (opt, plain)]
    assert sizes[0] < 0.51 * sizes[1]
    other = [p.copy() for p in w]
    again = optim.Adam(other, state_precision=precision)
    again.load_state_dict(opt.state_dict())
    walk(opt, w, 5), walk(again, other, 5)
    assert all(np.array_equal(a, b) for a, b in zip(w, other))
    with pytest.raises(ValueError, match="has the type"):
        plain.load_state_dict(opt.state_dict())


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: optim.Adam(np.ones(3), state_precision="bf16"), "adam cannot keep its state in so few bits: its parameters have 64"),
        (lambda: optim.Muon(np.ones((2, 2), np.float32), state_precision="bf16"), "takes norms or products of whole blocks"),
        (lambda: optim.ScheduleFreeSGD(np.ones(3, np.float32), state_precision="byte"), "choose bf16"),
        (lambda: optim.Adam(np.ones(3), state_precision="half"), "no state_precision «half»; there are: full, bf16, byte"),
        (lambda: optim.Adam(np.ones(3), wrap="clip-nrm=1"), "no wrapper «clip-nrm»; did you mean «clip-norm»"),
        (lambda: optim.Adam(np.ones(3), wrap=["ema=2"]), "wrap: ema: decay = 2 is out of range"),
        (lambda: optim.Adam(np.ones(3), wrap=3), "wrap: invalid type: integer `3`"),
        (lambda: optim.Adam(np.ones(3), wrap=object()), "wrap: .*not JSON serializable"),
        (lambda: optim.Adam(np.ones(3), schedule="cosin"), "schedule: there is no schedule «cosin»; did you mean"),
        (lambda: optim.Adam(np.ones(3), schedule="cosine"), "say total_steps"),
        (lambda: optim.Adam(np.ones(3), schedule={"name": "cosine", "steps": "2 epochs"}), "has a length in epochs"),
        (lambda: optim.Adam(np.ones(3), schedule={"name": "cosine", "finl": 0.1}), "did you mean «final»"),
        (lambda: optim.Adam(np.ones(3), schedule="reduce-on-plateau"), "goes by the validation loss"),
        (lambda: optim.Adam(np.ones(3), schedule={"name": "warm-up", "steps": 3, "times": "reduce-on-plateau"}), "goes by the validation loss"),
        (lambda: optim.Adam(np.ones(3), total_steps=3), "total_steps goes with a schedule"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()


@pytest.mark.parametrize("wrap", ["clip-norm=1.5,ema=0.9", ["clip-norm=1.5", "ema=0.9"], [{"clip-norm": 1.5}, {"ema": 0.9}]])
def test_wrappers_do_what_their_formulas_say(wrap):
    w = np.array([1.0, 2.0, -3.0])
    expected, average = w.copy(), None
    opt = optim.SGD(w, 0.1, wrap=wrap)
    assert opt.wrap == ["clip-norm=1.5", "ema=0.9"]
    for _ in range(20):
        grad = 2 * w
        opt.step(grad)
        expected = expected - 0.1 * grad * min(1.0, 1.5 / (np.linalg.norm(grad) + 1e-6))
        average = expected if average is None else 0.9 * average + 0.1 * expected
        np.testing.assert_allclose(w, expected, rtol=1e-12)
        np.testing.assert_allclose(opt.average(), average, rtol=1e-12)


def test_the_average_is_that_of_the_points():
    w = np.array([1.0, 2.0, -3.0])
    opt, points = optim.SGD(w, 0.1, wrap="swa"), []
    for _ in range(10):
        opt.step(2 * w)
        points.append(w.copy())
    found = opt.average()
    np.testing.assert_allclose(found, np.mean(points, axis=0), rtol=1e-12)
    found[:] = 7.0  # a copy
    assert not (w == 7.0).any() and not (opt.average() == 7.0).any()


def test_without_an_average_it_is_the_parameters():
    w = start()
    opt = optim.Adam(w)
    walk(opt, w, 3)
    found = opt.average()
    assert all(np.array_equal(a, b) and a is not b and a.shape == b.shape for a, b in zip(found, w))
    found[0][:] = 0.0
    assert w[0].any()
    assert isinstance(optim.Adam(np.ones(2)).average(), np.ndarray)


def test_schedule_free_is_judged_at_its_x():
    """y = (1 − β)z + βx, so that x = (y − (1 − β)z)/β."""
    w = [np.array([1.0, -2.0])]
    opt = optim.ScheduleFreeSGD(w, 0.1, beta=0.9)
    for _ in range(7):
        opt.step([2 * w[0]])
    (z,) = [value for value in opt.state_dict()["state"].values() if value.shape == (2,)]
    np.testing.assert_allclose(opt.average()[0], (w[0] - 0.1 * z) / 0.9, rtol=1e-12)


def test_a_schedule_multiplies_the_rate():
    w = np.array([10.0])
    opt = optim.SGD(w, 0.5, schedule={"name": "cosine", "steps": 8, "final": 0.1})
    for step in range(12):
        factor = 0.1 + 0.9 * (1 + math.cos(math.pi * min(step, 8) / 8)) / 2
        assert opt.next_lr == pytest.approx(0.5 * factor, rel=1e-12)
        before = w[0]
        opt.step(np.array([1.0]))
        assert before - w[0] == pytest.approx(0.5 * factor, rel=1e-9)
    assert opt.lr == 0.5
    opt.lr = 1.0
    assert opt.next_lr == pytest.approx(0.1)
    whole = optim.SGD(w, 0.5, schedule="cosine", total_steps=20)
    whole.step(np.array([1.0]))
    assert whole.next_lr == pytest.approx(0.25 * (1 + math.cos(math.pi / 20)))


def test_a_loaded_state_brings_all_that_goes_around_the_rule():
    def new(w, **more):
        return optim.AdamW(w, 0.02, **more)

    w = start()
    one = new(w, wrap="clip-norm=1,lookahead=4:0.5,ema=0.9", schedule="cosine", total_steps=20, beta1=0.8)
    walk(one, w, 7)
    saved, other = one.state_dict(), [p.copy() for p in w]
    assert json.dumps({key: value for key, value in saved.items() if key != "state"})
    two = new(other)
    two.load_state_dict(saved)
    assert (two.wrap, two.next_lr, two.hyper) == (one.wrap, one.next_lr, one.hyper)
    walk(one, w, 8, start=7), walk(two, other, 8, start=7)
    for a, b in [*zip(w, other), *zip(one.average(), two.average())]:
        assert np.array_equal(a, b)
    before = one.state_dict()
    for change, match in [
        ({"wrap": ["clip-norm=-1"]}, "clip-norm: limit = -1 is out of range|out of range"),
        ({"wrap": []}, "is not part of it"),
        ({"schedule": "cosin"}, "no schedule «cosin»"),
    ]:
        with pytest.raises(ValueError, match=match):
            one.load_state_dict({**saved, **change})
        assert repr(one.state_dict()) == repr(before)
    assert repr(one).startswith("AdamW(<3 float32 arrays, 6505 numbers>, lr=0.02, ")
    assert "wrap='clip-norm=1,lookahead=4:0.5,ema=0.9'" in repr(one)


def test_a_rate_that_the_number_type_cannot_hold_is_refused():
    w = np.ones(3, np.float32)
    with pytest.raises(ValueError, match="1e39 is infinite in f32"):
        optim.Adam([w], lr=1e39)
    opt = optim.Adam([w], lr=1e-3)
    with pytest.raises(ValueError, match="infinite in f32"):
        opt.lr = 1e39
    assert opt.lr == 1e-3
    wide = optim.Adam([np.ones(3)], lr=1e39)
    assert wide.lr == 1e39
