"""The PyTorch peer: the plain training loop of its tutorials, on tensors in memory. Prints one JSON object."""

import torch
from protocol import BATCH_SIZE, HIDDEN, MOMENTUM, arguments, main
from torch import nn

OPTIMIZERS = {
    "sgd": lambda p, lr: torch.optim.SGD(p, lr=lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=MOMENTUM),
    "nag": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=MOMENTUM, nesterov=True),
    "adagrad": lambda p, lr: torch.optim.Adagrad(p, lr=lr),
    "adadelta": lambda p, lr: torch.optim.Adadelta(p, lr=lr),
    "rmsprop": lambda p, lr: torch.optim.RMSprop(p, lr=lr),
    "adam": lambda p, lr: torch.optim.Adam(p, lr=lr),
}


def train(x, y, method, learning_rate, epochs, seed):
    torch.manual_seed(seed)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    model = nn.Sequential(nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))
    optimizer = OPTIMIZERS[method](model.parameters(), learning_rate)
    loss_of = nn.CrossEntropyLoss()
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH_SIZE):
            optimizer.zero_grad()
            loss = loss_of(model(x.index_select(0, batch)), y.index_select(0, batch))
            loss.backward()
            optimizer.step()

    def predict(x):
        with torch.no_grad():
            return model(torch.from_numpy(x)).double().softmax(dim=1).numpy()

    return predict


if __name__ == "__main__":
    args = arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
    main(args, train, torch.__version__.split("+")[0])
