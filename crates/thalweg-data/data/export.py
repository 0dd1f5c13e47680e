#!/usr/bin/env python3
"""Writes the embedded data sets (*.csv.gz) again, bit for bit, from the packages that ship them.

Needs scikit-learn and the folder of an unpacked pmdarima wheel (only one source file of it is read):

    pip install scikit-learn
    pip install --no-deps --target pm pmdarima
    python export.py [--check] pm

--check compares the unpacked contents instead of writing (zlib versions may pack equal contents differently).
"""

import argparse
import ast
import gzip
import pathlib
import sys

HERE = pathlib.Path(__file__).parent


def number(value):
    """The shortest text that reads back as the same float; whole numbers without a point."""
    value = float(value)
    return str(int(value)) if value == int(value) else repr(value)


def table(columns, rows):
    """CSV text; no name or cell of these sets needs quotes."""
    lines = [",".join(columns)] + [",".join(row) for row in rows]
    assert all(line.count(",") == len(columns) - 1 and '"' not in line for line in lines)
    return "\n".join(lines) + "\n"


def from_sklearn(bunch, target, names=None, columns=None):
    columns = columns or [str(name).replace(" ", "_") for name in bunch.feature_names]
    label = (lambda y: str(names[int(y)])) if names is not None else number
    rows = ([number(x) for x in row] + [label(y)] for row, y in zip(bunch.data, bunch.target))
    return table(columns + [target], rows)


def air_passengers(folder):
    """pmdarima's list of 144 numbers, taken from its source: importing it would need all it depends on."""
    path = folder / "pmdarima" / "datasets" / "airpassengers.py"
    lists = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.List)]
    values = next(ast.literal_eval(node) for node in lists if len(node.elts) == 144)
    assert values[0] == 112 and values[-1] == 432 and sum(values) == 40363
    months = (f"{1949 + i // 12}-{1 + i % 12:02d}" for i in range(144))
    return table(["month", "passengers"], ([month, number(value)] for month, value in zip(months, values)))


def contents(folder):
    from sklearn import datasets

    iris, wine = datasets.load_iris(), datasets.load_wine()
    cancer = datasets.load_breast_cancer()
    iris_columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    return {
        "digits": from_sklearn(datasets.load_digits(), "digit"),
        "iris": from_sklearn(iris, "species", iris.target_names, iris_columns),
        "wine": from_sklearn(wine, "cultivar", wine.target_names),
        "breast-cancer": from_sklearn(cancer, "diagnosis", cancer.target_names),
        "diabetes": from_sklearn(datasets.load_diabetes(scaled=False), "progression"),
        "air-passengers": air_passengers(folder),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("pmdarima", type=pathlib.Path, help="folder that pmdarima was installed into")
    arguments = parser.parse_args()
    for name, text in contents(arguments.pmdarima).items():
        path = HERE / f"{name}.csv.gz"
        if arguments.check:
            same = gzip.decompress(path.read_bytes()).decode() == text
            print(f"{name}: {'same' if same else 'DIFFERENT'}")
            if not same:
                sys.exit(1)
        else:
            # No time and no name in the header: equal contents give equal bytes.
            path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
            print(f"{name}: {path.stat().st_size} bytes, {text.count(chr(10)) - 1} rows")


if __name__ == "__main__":
    main()
