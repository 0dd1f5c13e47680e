#!/usr/bin/env python3
"""Makes small .npy files as NumPy writes them, and images.json: what NumPy and scikit-learn say of them."""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).parent
ROWS, TRAIN = 12, 8


def scaled(images):
    """Every image, standardized by channel with the training images' mean and population deviation."""
    channels = images.shape[-1]
    fitted = StandardScaler().fit(images[:TRAIN].reshape(-1, channels).astype("f8"))
    flat = fitted.transform(images.reshape(-1, channels).astype("f8"))
    short = lambda values: [float(f"{value:.10g}") for value in np.ravel(values)]
    return {"mean": short(fitted.mean_), "std": short(np.sqrt(fitted.var_)), "x": short(flat)}


def main():
    rng = np.random.default_rng(20261)
    grey = rng.integers(0, 256, (ROWS, 3, 4), dtype="u1")
    colour = rng.normal([1.0, -20.0, 300.0], [2.0, 5.0, 0.25], (ROWS, 2, 3, 3))
    rgb = rng.integers([0, 50, 100], [100, 200, 256], (ROWS, 2, 2, 3), dtype="u1")
    gaps = colour.astype("f4")
    gaps[rng.random(gaps.shape) < 0.1] = np.nan
    table = rng.normal(size=(ROWS, 12)).astype("f4")
    words = np.array(["cat", "dog", "Ölfass", "dog"] * (ROWS // 4))
    arrays = {
        "x_grey": grey,
        "y_grey": np.arange(ROWS) % 3,
        "x_rgb": rgb,
        "x_colour": colour,
        "y_colour": words,
        "x_gaps": gaps,
        "y_gaps": (np.arange(ROWS) % 2).astype(bool),
        "x_table": table,
        "y_table": rng.normal(size=ROWS),
        "x_fortran": np.asfortranarray(table),
    }
    for name, array in arrays.items():
        with open(HERE / f"{name}.npy", "wb") as file:
            version = (2, 0) if name == "x_colour" else (1, 0)
            np.lib.format.write_array(file, array, version=version, allow_pickle=False)
    mean = np.nanmean(gaps[:TRAIN].astype("f8"), axis=(0, 1, 2))
    std = np.nanstd(gaps[:TRAIN].astype("f8"), axis=(0, 1, 2))
    filled = np.where(np.isnan(gaps), 0.0, (gaps.astype("f8") - mean) / std)
    short = lambda values: [float(f"{value:.10g}") for value in np.ravel(values)]
    golden = {
        "made_by": f"NumPy {np.__version__}, scikit-learn {sklearn.__version__}",
        "train_rows": TRAIN,
        "images": {
            "x_grey": scaled(grey[..., None]),
            "x_rgb": scaled(rgb),
            # A data set holds pixels as f32.
            "x_colour": scaled(colour.astype("f4")),
            "x_gaps": {"mean": short(mean), "std": short(std), "x": short(filled)},
            # A table of 12 columns as images of 3 × 2 pixels in 2 channels.
            "x_table": scaled(table.reshape(ROWS, 3, 2, 2)),
        },
        "table": {"first_row": short(table[0]), "y": short(arrays["y_table"])},
    }
    (HERE / "images.json").write_text(json.dumps(golden, separators=(",", ":")).replace("],", "],\n") + "\n")


if __name__ == "__main__":
    main()
