"""Does onnxruntime say of raw rows what `thalweg predict` says?

    python check.py MODEL.onnx ROWS PREDICTIONS.csv

ROWS is a CSV file, plain or gzipped, of which every cell goes in as it stands in the file, or an NPY file of images. Prints the largest
difference; exits with 1 and a sentence if a probability differs by more than 1e-5, a value by more than 1e-5 of itself and
of the predictions' spread, or a label at all.
"""

import csv
import datetime
import gzip
import math
import sys

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-5
MISSING = {"", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "null", "NULL", "Null"}
BOOLEANS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def number(cell):
    """A cell of numbers, booleans or dates as the input wants it."""
    if cell in MISSING:
        return math.nan
    if cell.lower() in BOOLEANS:
        return BOOLEANS[cell.lower()]
    try:
        return float(cell)
    except ValueError:
        return float((datetime.date.fromisoformat(cell) - datetime.date(1970, 1, 1)).days)


def feeds(session, path):
    """Every input's tensor, from a file of raw rows."""
    inputs = session.get_inputs()
    if path.endswith(".npy"):
        images = np.load(path).astype(np.float32)
        assert [input.name for input in inputs] == ["image"], [input.name for input in inputs]
        return {"image": images.reshape(-1, *inputs[0].shape[1:])}
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", newline="", encoding="utf-8") as file:
        rows = [{name: cell.strip() for name, cell in row.items()} for row in csv.DictReader(file, skipinitialspace=True)]
    if [input.name for input in inputs] == ["image"]:
        # The columns of a table, in their order, are the pixels; the target is the last.
        pixels = np.array([[number(cell) for cell in list(row.values())[:-1]] for row in rows], dtype=np.float32)
        return {"image": pixels.reshape(-1, *inputs[0].shape[1:])}
    made = {}
    for input in inputs:
        column = [row[input.name] for row in rows]
        if input.type == "tensor(string)":
            made[input.name] = np.array(column, dtype=object).reshape(-1, 1)
        else:
            assert input.type == "tensor(float)", input.type
            made[input.name] = np.array([number(cell) for cell in column], dtype=np.float32).reshape(-1, 1)
    return made


def main(model, rows, predictions):
    onnx.checker.check_model(onnx.load(model), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    found = dict(zip(outputs, session.run(None, feeds(session, rows))))
    with open(predictions, newline="", encoding="utf-8") as file:
        header, *expected = list(csv.reader(file))
    assert expected, "there is no prediction"
    if "value" in found:
        expected = np.array([float(row[0]) for row in expected])
        value = found["value"]
        assert value.shape == (len(expected), 1), value.shape
        scale = np.abs(expected) + expected.std()
        worst = float((np.abs(value[:, 0] - expected) / scale).max())
    else:
        probabilities = found["probabilities"]
        expected_labels = [row[0] for row in expected]
        expected = np.array([[float(cell) for cell in row[1:]] for row in expected])
        assert probabilities.shape == expected.shape, (probabilities.shape, expected.shape)
        worst = float(np.abs(probabilities - expected).max())
        assert found["label"].shape == (len(expected),), found["label"].shape
        # A tie may fall either way within the tolerance.
        names = [name[2:-1] for name in header[1:]]
        for row, (label, wanted) in enumerate(zip(found["label"], expected_labels)):
            apart = abs(expected[row][names.index(label)] - expected[row].max())
            assert label == wanted or apart <= TOLERANCE, f"row {row}: {label!r}, expected {wanted!r}"
    if not worst <= TOLERANCE:
        print(f"onnxruntime differs by {worst:.3g}, at most {TOLERANCE} is allowed", file=sys.stderr)
        return 1
    print(f"{len(expected)} rows, largest difference {worst:.3g}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
