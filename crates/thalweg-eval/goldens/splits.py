"""Fold indices of scikit-learn's TimeSeriesSplit, and the sizes of its StratifiedKFold.

Run: python splits.py (needs numpy and scikit-learn)
"""

import numpy as np
import sklearn
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit

from common import write

windows = []
for rows in [3, 4, 6, 7, 10, 11, 23, 24, 60, 131]:
    for folds in [2, 3, 5, 9]:
        for gap in [0, 1, 2, 5]:
            case = {"rows": rows, "folds": folds, "gap": gap, "splits": None}
            try:
                parts = list(TimeSeriesSplit(folds, gap=gap).split(np.zeros(rows)))
                # Training parts always start at row 0, so their length tells them.
                assert all((a == np.arange(len(a))).all() for a, _ in parts)
                assert all((b == np.arange(b[0], b[0] + len(b))).all() for _, b in parts)
                case["splits"] = [[len(a), int(b[0]), int(b[-1]) + 1] for a, b in parts]
            except ValueError:
                pass  # refused: too few rows
            windows.append(case)

stratified = []
rng = np.random.default_rng(20030815)
for folds in [2, 3, 5, 10]:
    for classes in [1, 2, 3, 7]:
        counts = rng.integers(folds, 40, classes)
        y = rng.permutation(np.repeat(np.arange(classes), counts))
        parts = StratifiedKFold(folds, shuffle=True, random_state=0).split(np.zeros(len(y)), y)
        # The shuffles differ, but the multiset of the folds' class counts need not.
        table = sorted([np.bincount(y[b], minlength=classes).tolist() for _, b in parts])
        stratified.append({"folds": folds, "classes": y.tolist(), "counts": table})

write("splits", [sklearn, np], {"windows": windows, "stratified": stratified})
