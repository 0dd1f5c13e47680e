"""The preparation as scikit-learn does it, under the column names that thalweg gives."""

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def prepare(frame, train):
    """{column name: values over all rows}, fitted on the rows `train`."""
    columns = {}
    for name in frame.columns:
        cells = frame[[name]]
        fit_missing = cells.iloc[train][name].isna()
        if pd.api.types.is_numeric_dtype(cells[name]):
            columns |= numbers(name, cells, train)
        else:
            columns |= categories(name, cells, train)
        if fit_missing.any() and not fit_missing.all():
            columns[f"{name} is missing"] = cells[name].isna().to_numpy().astype(int)
    return columns


def numbers(name, cells, train):
    if cells.iloc[train][name].nunique() < 2:
        return {}
    imputer = SimpleImputer(strategy="median").fit(cells.iloc[train])
    scaler = StandardScaler().fit(imputer.transform(cells.iloc[train]))
    return {name: scaler.transform(imputer.transform(cells))[:, 0]}


def categories(name, cells, train):
    if cells.iloc[train][name].nunique() < 2:
        return {}
    cells = cells.astype(object).where(cells.notna(), np.nan)
    imputer = SimpleImputer(strategy="most_frequent").fit(cells.iloc[train])
    encoder = OneHotEncoder(max_categories=50, handle_unknown="infrequent_if_exist", sparse_output=False)
    encoder.fit(imputer.transform(cells.iloc[train]))
    hot = encoder.transform(imputer.transform(cells)).astype(int)
    levels = [level.removeprefix("x0_") for level in encoder.get_feature_names_out()]
    levels = ["infrequent" if level == "infrequent_sklearn" else level for level in levels]
    return {f"{name}={level}": hot[:, at] for at, level in enumerate(levels)}
