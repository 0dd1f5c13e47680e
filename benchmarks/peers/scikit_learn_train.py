"""scikit-learn's side of `cargo xtask bench train`: `MLPClassifier` with Adam (see README.md).

`partial_fit` on all rows is one shuffled epoch in batches, so that what it checks of its input is paid once an epoch.
"""

import numpy as np
import sklearn
import threadpoolctl
from sklearn.neural_network import MLPClassifier

import train_protocol as protocol


def main():
    args = protocol.options()
    shape, hidden, classes, batch = protocol.NETWORKS[args.network]
    if hidden is None or args.task == "fashion":
        return protocol.say({"absent": "it has no convolutions"})
    x, y = protocol.made_up(shape, classes)
    with threadpoolctl.threadpool_limits(args.threads):
        run(args, x, y, hidden, classes, batch)


def run(args, x, y, hidden, classes, batch):
    model = MLPClassifier(
        hidden, solver="adam", alpha=0.0, batch_size=batch, learning_rate_init=protocol.RATE, random_state=args.seed
    )
    steps = len(x) // batch

    def epoch():
        model.partial_fit(x, y, classes=np.arange(classes))
        return model.loss_

    # Nothing tells a network's loss before its first step; the first epoch's mean stands for it.
    losses = [epoch() for _ in range(2)]
    protocol.say({
        "version": sklearn.__version__,
        "parameters": sum(part.size for part in model.coefs_ + model.intercepts_),
        "loss_start": None,
        "loss_epoch_1": losses[0],
        "loss_epoch_2": losses[1],
        "accuracy": model.score(x, y),
    })
    at = 0

    def train():
        epoch()
        return steps, len(x)

    def infer():
        nonlocal at
        part = x[at : at + batch]
        at = (at + batch) % len(x)
        return 1, len(model.predict_proba(part))

    protocol.serve(args.seconds, infer if args.task == "infer" else train)


if __name__ == "__main__":
    main()
