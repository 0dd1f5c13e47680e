"""`thalweg.compare`: the same study as the command, on arrays, names and files."""

import inspect
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import thalweg
from sklearn import datasets as sklearn_datasets

SMALL = {"optimizers": ["sgd", "adam"], "learning_rates": [0.01, 0.1], "folds": 3, "epochs": 5, "hidden": [8]}
FLAGS = "--optimizers sgd,adam --learning-rates 0.01,0.1 --folds 3 --epochs 5 --hidden 8".split()


@pytest.fixture(scope="session")
def command():
    """The command, built from this tree: it must say the same as the package."""
    root = Path(__file__).parents[3]
    build = ["cargo", "build", "--release", "--quiet", "--package", "thalweg", "--message-format", "json"]
    lines = subprocess.run(build, cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()
    found = [json.loads(line).get("executable") for line in lines]
    return next(path for path in found if path)


def without(value, *keys):
    """The value without what differs from run to run (`seconds`), and without `keys`."""
    if isinstance(value, dict):
        return {key: without(item, *keys) for key, item in value.items() if key not in ("seconds", *keys)}
    return [without(item, *keys) for item in value] if isinstance(value, list) else value


def test_a_built_in_set_gives_the_command_s_json(command, tmp_path):
    told = subprocess.run(
        [command, "compare", "iris", *FLAGS, "--format", "json", "--quiet", "--out", tmp_path / "a"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert without(thalweg.compare("iris", **SMALL).summary) == without(json.loads(told))


def test_a_file_gives_the_command_s_json(command, tmp_path):
    draw = np.random.default_rng(3)
    table = pd.DataFrame({"a": draw.normal(size=90), "b": draw.choice(["u", "v", "w"], 90), "g": np.arange(90) // 6})
    table["y"] = 2 * table["a"] + (table["b"] == "v") + draw.normal(size=90) * 0.1
    path = tmp_path / "made.csv"
    table.to_csv(path, index=False)
    told = subprocess.run(
        [command, "compare", path, "--target", "y", "--group", "g", *FLAGS]
        + ["--format", "json", "--quiet", "--out", tmp_path / "a"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = thalweg.compare(path, target="y", group="g", **SMALL)
    assert found.summary["protocol"]["cv"] == "group"
    assert without(found.summary) == without(json.loads(told))


@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_scikit_learn_s_arrays_give_the_built_in_set_s_ranking(name):
    # scaled=False: the built-in set holds the measured values.
    loader = getattr(sklearn_datasets, f"load_{name}")
    bunch = loader(scaled=False) if name == "diabetes" else loader()
    own = thalweg.compare(name, seed=5, **SMALL)
    theirs = thalweg.compare(bunch.data, bunch.target, feature_names=bunch.feature_names, seed=5, **SMALL)
    assert without(theirs.ranking) == without(own.ranking)
    assert theirs.best == own.best and theirs.summary["metric"] == own.summary["metric"]


@pytest.mark.parametrize("name", list(thalweg.datasets()))
def test_a_loaded_set_has_the_size_that_the_list_gives(name):
    x, y, names = thalweg.load(name)
    facts = thalweg.datasets()[name]
    assert x.shape == (facts["rows"], facts["features"]) and len(y) == len(x) and len(names) == x.shape[1]
    assert (y.dtype == np.float64) == (facts["task"] == "regression")


def test_a_loaded_set_gives_the_built_in_set_s_ranking():
    x, y, names = thalweg.load("wine")
    assert np.array_equal(x, sklearn_datasets.load_wine().data)
    found = thalweg.compare(x, y, feature_names=names, **SMALL)
    assert without(found.ranking) == without(thalweg.compare("wine", **SMALL).ranking)


def test_the_number_of_jobs_changes_no_bit():
    x, y, _ = thalweg.load("breast-cancer")
    one, two = (thalweg.compare(x, y, jobs=jobs, **SMALL).summary for jobs in (1, 2))
    # The call that reproduces the study is said as it was made.
    assert "jobs=2" in two["protocol"]["command"]
    assert without(one, "command") == without(two, "command")


def test_groups_stay_together_and_equal_labels_of_any_type_make_equal_folds():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 2))
    y = x[:, 0] > 0
    numbers = np.repeat(np.arange(10, 20), 6)
    found = thalweg.compare(x, y, groups=numbers, **SMALL).summary
    assert found["protocol"]["cv"] == "group" and all(rows % 6 == 0 for rows in found["protocol"]["test_rows"])
    assert found["data"]["classes"] == ["false", "true"]
    texts = thalweg.compare(x, y, groups=[f"g{group}" for group in numbers], **SMALL).summary
    assert without(texts["ranking"]) == without(found["ranking"])
    frame = pd.DataFrame(np.c_[x, numbers], columns=["a", "b", "who"])
    column = thalweg.compare(frame, y, group="who", **SMALL).summary
    assert without(column["ranking"]) == without(found["ranking"])


def test_missing_values_and_targets_are_seen():
    x, y, _ = thalweg.load("diabetes")
    x, y = x.copy(), y.copy()
    x[::7, 0], y[3] = np.nan, np.nan
    with pytest.warns(UserWarning, match="1 row has no value of the target «y»"):
        found = thalweg.compare(x, y, **SMALL)
    assert found.summary["data"]["rows"] == len(y) - 1 and found.best


def test_labels_may_be_texts_or_whole_numbers_too_large_for_a_float():
    x, y, _ = thalweg.load("iris")
    assert thalweg.compare(x, y, **SMALL).summary["data"]["classes"] == ["setosa", "versicolor", "virginica"]
    large = 2**60 + np.unique(y, return_inverse=True)[1]
    with pytest.raises(ValueError, match="task classification"):
        thalweg.compare(x, large, **SMALL)
    assert len(thalweg.compare(x, large, task="classification", **SMALL).summary["data"]["classes"]) == 3
    column = pd.Series(y).astype("category")
    assert thalweg.compare(x, column.to_frame(), **SMALL).summary["data"]["task"] == "classification"


def test_the_result_can_be_printed_shown_and_reported(tmp_path):
    x, y, _ = thalweg.load("iris")
    found = thalweg.compare(x, y, name="<mine>", seed=1, **SMALL)
    assert str(found).startswith("<mine>: 150 rows, 4 features, 3 classes") and "Verdict" in repr(found)
    assert found.best == found.ranking[0]["method"] == found.summary["verdict"]["best"]
    assert found.verdict.splitlines()[0] == found.summary["verdict"]["sentences"][0]
    shown = found._repr_html_()
    assert shown.count("<tr>") == 3 and "accuracy" in shown
    found.report(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.startswith("<!") and "&lt;mine&gt;" in page or "&#60;mine&#62;" in page
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]
    with pytest.raises(OSError, match="cannot be written"):
        found.report(tmp_path / "no" / "report.html")


def test_the_call_in_the_protocol_runs_the_study_again():
    X, y, names = thalweg.load("iris")
    found = thalweg.compare(X, y, metric="f1", **SMALL)
    again = eval(found.summary["protocol"]["command"])
    assert without(again.summary) == without(found.summary)


def test_trials_are_kept_in_out_and_not_run_again(command, tmp_path):
    x, y, _ = thalweg.load("iris")
    found = thalweg.compare(x, y, out=tmp_path / "kept", **SMALL)
    again = thalweg.compare(x, y, out=str(tmp_path / "kept"), **SMALL)
    assert again.summary == found.summary  # seconds too: they come from the store
    told = subprocess.run(
        [command, "report", tmp_path / "kept", "--format", "json", "--quiet"], check=True, capture_output=True, text=True
    ).stdout
    assert json.loads(told) == found.summary


def test_nothing_is_written_without_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    thalweg.compare("iris", **SMALL)
    assert list(tmp_path.iterdir()) == []


def test_techniques_of_regularization_are_compared():
    settings = {**SMALL, "optimizers": None, "regularize": {"l2": 1e-4}, "train_size": 60, "label_noise": 0.1}
    network = [{"layer": "dense", "units": 6}, "batch-norm", "relu"]
    found = thalweg.compare("iris", regularizers=["dropout", "mixup=0.2"], network=network, **settings)
    assert {method["method"] for method in found.ranking} == {"none", "dropout", "mixup"}
    tested = [method for method in found.ranking if method["method"] != "none"]
    assert all(method["versus_none"]["gap"]["low"] <= method["versus_none"]["gap"]["high"] for method in tested)
    assert found.summary["protocol"]["train_rows"] == [60, 60, 60]
    with pytest.raises(ValueError, match="did you mean «dropout»"):
        thalweg.compare("iris", regularizers="dropot")


def test_the_settings_are_those_of_the_command():
    own = set(inspect.signature(thalweg.compare).parameters) - {"X", "y", "feature_names", "groups", "name"}
    assert own == set(thalweg._thalweg.settings()) - {"data", "format", "quiet"}
    stub = (Path(thalweg.__file__).with_suffix(".pyi")).read_text("utf-8")
    assert all(f"    {key}: " in stub for key in own)


X, Y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2


@pytest.mark.parametrize(
    "arguments, settings, match",
    [
        ((X,), {}, "y is missing"),
        ((X[0], Y), {}, "X has 1 dimensions, expected 2"),
        (([["a"], ["b"]], [0, 1]), {}, "X must be a matrix of numbers"),
        ((np.where(X == 6, np.inf, X), Y), {}, r"column «x0» is inf at row 3 \(counted from 0\)"),
        ((X[:0], Y[:0]), {}, "there are 0 rows"),
        ((X, Y[:-1]), {}, "«x0» has 20 rows, but «y» has 19"),
        ((X, np.c_[Y, Y]), {}, "y has 2 dimensions"),
        ((X, np.ones(20)), {}, "is «1» in every row"),
        ((X, Y * 1j), {}, "y has dtype complex128"),
        ((X, Y), {"feature_names": ["a"]}, "there are 1 feature_names for 2 columns"),
        ((X, Y), {"feature_names": ["a", "a"]}, "two columns are named «a»"),
        ((X, Y), {"feature_names": ["a", "y"]}, "two columns are named «y»"),
        ((X, Y), {"ignore": "x2"}, r"no column «x2» \(ignore\)"),
        ((X, Y), {"groups": Y, "group": "x0"}, "exclude each other"),
        ((X, Y), {"groups": [0, 1]}, "«groups» has 2"),
        ((X, Y), {"header": "no"}, "header goes with a file"),
        ((X, Y), {"folds": 30}, "30 folds|folds"),
        ((X, Y), {"folds": "three"}, "folds: invalid type"),
        ((X, Y), {"optimizers": "adm"}, "did you mean «adam»"),
        ((X, Y), {"learning_rates": [float("nan")]}, "learning_rates: .*NaN is not a learning rate"),
        ((X, Y), {"metric": "rmse"}, "rmse"),
        ((X, Y), {"hidden": [0]}, "hidden 0"),
        ((X, Y), {"jobs": 0}, "jobs 0"),
        ((X, Y), {"task": "cluster"}, "task: unknown variant"),
        (("no-such-set",), {}, "no built-in data set «no-such-set»"),
        (("iris", Y), {}, "y goes with a matrix"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, settings, match):
    with pytest.raises(ValueError, match=match) as raised:
        thalweg.compare(*arguments, **settings)
    assert "--" not in str(raised.value)


def test_unknown_names_are_refused():
    with pytest.raises(TypeError, match="fold"):
        thalweg.compare("iris", fold=3)
    with pytest.raises(ValueError, match="there are: digits, iris"):
        thalweg.load("iriss")


def test_other_threads_run_meanwhile():
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.005)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.monotonic()
    thalweg.compare("digits", optimizers="sgd", learning_rates=[0.1], epochs=10, folds=3, jobs=1)
    took = time.monotonic() - start
    done.set()
    thread.join()
    longest = max(b - a for a, b in zip(ticks, ticks[1:]))
    assert longest < max(0.5 * took, 0.05), f"Python stood still for {longest:.3f} of {took:.3f} s"


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX's Ctrl-C")
def test_ctrl_c_ends_a_long_trial_and_the_study_goes_on_later(tmp_path):
    code = (
        "import thalweg, sys; print('ready', flush=True)\n"
        f"try: thalweg.compare('digits', epochs=100_000, patience=0, hidden=256, jobs=2, out={str(tmp_path / 'o')!r})\n"
        "except KeyboardInterrupt: sys.exit(77)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        assert process.wait(timeout=20) == 77
        assert time.monotonic() - start < 5
    finally:
        process.kill()
    assert (tmp_path / "o" / "study.sqlite").exists()


def test_no_warning_where_nothing_is_to_be_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        thalweg.compare("wine", **SMALL)
