#!/usr/bin/env python3
"""Makes preparation.csv (mixed, damaged data) and preparation.json (what scikit-learn makes of it)."""

import json
import pathlib

import numpy as np
import pandas as pd
import sklearn
from sklearn.preprocessing import StandardScaler

from reference import prepare

HERE = pathlib.Path(__file__).parent
ROWS, TRAIN = 220, 140


def frame():
    rng = np.random.default_rng(20260)
    late = np.arange(ROWS) >= TRAIN
    pick = lambda levels, **more: rng.choice(np.array(levels, dtype=object), ROWS, **more)
    hole = lambda values, share: np.where(rng.random(ROWS) < share, None, values)
    data = {
        "plain": rng.normal(3.0, 2.0, ROWS).round(4),
        "far": (1e6 + rng.normal(0.0, 1.0, ROWS)).round(3),
        "count": rng.poisson(4.0, ROWS),
        "gaps": hole(rng.exponential(5.0, ROWS).round(3), 0.2),
        "gaps_later": np.where(late & (rng.random(ROWS) < 0.3), None, rng.normal(size=ROWS).round(3)),
        "constant_early": np.where(late, rng.normal(size=ROWS).round(3), 7.0),
        "empty_early": np.where(late, 1.5, None),
        "one_value_or_none": hole(np.full(ROWS, 2.0), 0.4),
        "colour": hole(pick(["red", "green", "blue"], p=[0.5, 0.3, 0.2]), 0.15),
        "new_later": np.where(late & (rng.random(ROWS) < 0.5), "unseen", pick(["a", "b"])),
        "many": np.where(late & (rng.random(ROWS) < 0.2), "zz_unseen", pick([f"level {i:02}" for i in range(70)])),
        "one_text_early": np.where(late, pick(["x", "y"]), "x"),
        "tie": np.where(np.arange(ROWS) % 5 == 4, None, np.where(np.arange(ROWS) % 2 == 0, "even", "odd")),
        # Sixty equally frequent levels: what is imputed decides which of them is frequent.
        "tied": [None if 120 <= i < TRAIN else f"t{i % 60:02}" for i in range(ROWS)],
        "y": rng.normal(150.0, 70.0, ROWS).round(2),
    }
    return pd.DataFrame(data)


def main():
    path = HERE / "preparation.csv"
    frame().to_csv(path, index=False)
    data = pd.read_csv(path)
    train = np.arange(TRAIN)
    x = prepare(data.drop(columns="y"), train)
    y = StandardScaler().fit(data[["y"]].iloc[train]).transform(data[["y"]])[:, 0]
    short = lambda values: [int(value) if float(value).is_integer() else float(f"{value:.10g}") for value in values]
    golden = {
        "made_by": f"scikit-learn {sklearn.__version__}",
        "train_rows": TRAIN,
        "y_scaled": short(y),
        "columns": {name: short(values) for name, values in x.items()},
    }
    (HERE / "preparation.json").write_text(json.dumps(golden, separators=(",", ":")).replace("],", "],\n") + "\n")


if __name__ == "__main__":
    main()
