"""The scikit-learn peer: MLPClassifier with its own solvers. Prints one JSON object."""

import warnings

import numpy as np
import sklearn
from protocol import BATCH_SIZE, HIDDEN, MOMENTUM, arguments, main
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

SOLVERS = {
    "sgd": {"solver": "sgd", "momentum": 0.0, "nesterovs_momentum": False},
    "momentum": {"solver": "sgd", "momentum": MOMENTUM, "nesterovs_momentum": False},
    "nag": {"solver": "sgd", "momentum": MOMENTUM, "nesterovs_momentum": True},
    "adam": {"solver": "adam"},
}


def train(x, y, method, learning_rate, epochs, seed):
    model = MLPClassifier(
        hidden_layer_sizes=(HIDDEN,),
        alpha=0.0,
        batch_size=BATCH_SIZE,
        learning_rate_init=learning_rate,
        max_iter=epochs,
        tol=0.0,
        n_iter_no_change=epochs + 1,
        random_state=seed,
        **SOLVERS[method],
    )
    try:
        model.fit(x, y)
    except ValueError as error:
        # It trains to the last epoch, then refuses weights that are not finite.
        if "non-finite" not in str(error):
            raise
        return lambda x: np.full((len(x), 10), np.nan)
    assert model.n_iter_ == epochs, "it stopped before the last epoch"
    return lambda x: model.predict_proba(x).astype(np.float64)


if __name__ == "__main__":
    args = arguments()
    warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is the protocol's
    warnings.simplefilter("ignore", RuntimeWarning)  # overflow of a diverging trial is expected
    with threadpool_limits(limits=args.threads):
        main(args, train, sklearn.__version__)
