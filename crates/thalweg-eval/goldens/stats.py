"""Student's t by scipy, Holm by statsmodels, and the corrected paired test as a transcription of its formula.

Tails are taken from mpmath, with 40 digits: near t = 0 scipy's own have 10 only.

Run: python stats.py (needs numpy, mpmath, scipy and statsmodels)
"""

import mpmath
import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests

from common import write

rng = np.random.default_rng(2003)
FREEDOM = [1, 2, 3, 4, 5, 9, 14, 24, 29, 49, 99, 499]


def corrected(d, ratio, confidence=0.95):
    """Nadeau & Bengio (2003): t = mean / sqrt((1/J + n_test/n_train) s^2), J - 1 degrees of freedom."""
    d = np.asarray(d)
    se = np.sqrt((1 / len(d) + ratio) * d.var(ddof=1))
    t = d.mean() / se
    half = stats.t.ppf(0.5 + confidence / 2, len(d) - 1) * se
    return {"t": t, "p": 2 * stats.t.sf(abs(t), len(d) - 1), "low": d.mean() - half, "high": d.mean() + half}


quantiles = [
    [q, v, float(stats.t.ppf(q, v))]
    for v in FREEDOM
    for q in [0.5005, 0.6, 0.8, 0.9, 0.975, 0.99, 0.995, 1 - 0.05 / 12, 0.9999, 0.025, 0.1]
]


def tail(t, v):
    """P(|T| >= |t|), by the regularized incomplete beta function."""
    with mpmath.workdps(40):
        t, v = mpmath.mpf(t), mpmath.mpf(v)
        result = float(mpmath.betainc(v / 2, mpmath.mpf(1) / 2, 0, v / (v + t * t), regularized=True))
    assert abs(result - 2 * stats.t.sf(abs(float(t)), float(v))) < 1e-10
    return result


TS = [0.0, 1e-6, 1e-3, 0.3, -1.0, 2.0, 4.5, -12.0, 60.0]
tails = [[t, v, tail(t, v)] for v in FREEDOM for t in TS]

holm = []
for count in [1, 2, 3, 6, 6, 20]:
    p = rng.uniform(size=count) ** 3
    if count == 6:
        p[rng.integers(0, 6, 2)] = p[0]  # ties
    holm.append({"p": p.tolist(), "adjusted": multipletests(p, method="holm")[1].tolist()})
holm.append({"p": [0.0, 1.0, 0.5], "adjusted": multipletests([0.0, 1.0, 0.5], method="holm")[1].tolist()})

paired = []
for count in [2, 3, 5, 10, 30, 100]:
    for shift in [0.0, 0.4, 3.0]:
        a = rng.normal(size=count) * 0.02 + 0.9
        b = a + rng.normal(size=count) * 0.01 - shift * 0.01
        d = a - b
        ratio = float(rng.choice([0.25, 1 / 9, 1 / 2]))
        ordinary = stats.ttest_rel(a, b)
        ends = ordinary.confidence_interval(0.95)
        paired.append({
            "differences": d.tolist(),
            "ratio": ratio,
            "corrected": {k: float(x) for k, x in corrected(d, ratio).items()},
            "ttest_rel": {
                "t": float(ordinary.statistic), "p": float(ordinary.pvalue),
                "low": float(ends.low), "high": float(ends.high),
            },
        })

write("stats", [mpmath, scipy, statsmodels, np], {"quantiles": quantiles, "tails": tails, "holm": holm, "paired": paired})
