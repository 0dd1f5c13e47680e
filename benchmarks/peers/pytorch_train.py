"""PyTorch's side of `cargo xtask bench train`: the loop of its tutorials with its fused Adam (see README.md).

Batches are taken from one tensor by a shuffled index; predictions are made in `torch.inference_mode`.
"""

import time

import torch
from torch import nn

import train_protocol as protocol


class Block(nn.Module):
    """Two convolutions around which the input is added (He et al. 2016, option B)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        changes = stride != 1 or inputs != outputs
        self.shortcut = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            if changes
            else nn.Identity()
        )

    def forward(self, x):
        return torch.relu_(self.body(x) + self.shortcut(x))


def resnet8():
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    blocks = [Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def lenet():
    layers = []
    for inputs, outputs in ((1, 32), (32, 64)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(inplace=True), nn.Linear(128, 10))


def mlp(inputs, hidden, outputs):
    layers = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU(inplace=True)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


class Training:
    def __init__(self, args, x, y):
        shape, hidden, classes, self.batch = protocol.NETWORKS[args.network]
        torch.manual_seed(args.seed)
        self.binary, self.args = classes == 2, args
        if hidden is None:
            self.model = {"lenet": lenet, "resnet8": resnet8}[args.network]()
        else:
            self.model = mlp(shape[0], hidden, 1 if self.binary else classes)
        self.x, self.y = self.tensors(x, y)
        if args.layout == "channels-last":
            self.model = self.model.to(memory_format=torch.channels_last)
        self.loss = nn.BCEWithLogitsLoss() if self.binary else nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=protocol.RATE, fused=True)
        self.forward = torch.compile(self.model) if args.compile else self.model
        self.at, self.order = len(self.x), None

    def tensors(self, x, y):
        x, y = torch.from_numpy(x), torch.from_numpy(y)
        if x.ndim == 4:
            x = x.permute(0, 3, 1, 2)
            last = self.args.layout == "channels-last"
            x = x.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
        return x, y.float()[:, None] if self.binary else y

    def step(self):
        if self.at >= len(self.x):
            self.order, self.at = torch.randperm(len(self.x)), 0
        rows = self.order[self.at : self.at + self.batch]
        self.at += self.batch
        x, y = self.x[rows], self.y[rows]
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.forward(x), y)
        loss.backward()
        self.optimizer.step()
        return len(rows), loss.item()

    def epoch(self):
        total = rows = 0
        self.model.train()
        while rows < len(self.x):
            count, loss = self.step()
            total += count * loss
            rows += count
        return total / rows

    @torch.inference_mode()
    def judge(self, x, y, batch=None):
        """Mean loss and accuracy in evaluation mode."""
        self.model.eval()
        loss = right = 0
        for x_part, y_part in zip(x.split(batch or self.batch), y.split(batch or self.batch)):
            z = self.forward(x_part)
            loss += self.loss(z, y_part).item() * len(z)
            right += ((z > 0) == (y_part > 0) if self.binary else z.argmax(1) == y_part).sum().item()
        self.model.train()
        return loss / len(x), right / len(x)


def check(training):
    start = time.perf_counter()
    before, _ = training.judge(training.x, training.y)
    losses = [training.epoch() for _ in range(2)]
    _, accuracy = training.judge(training.x, training.y)
    protocol.say({
        "version": torch.__version__,
        "parameters": sum(p.numel() for p in training.model.parameters()),
        "loss_start": before,
        "loss_epoch_1": losses[0],
        "loss_epoch_2": losses[1],
        "accuracy": accuracy,
        "seconds": time.perf_counter() - start,
    })


def train(training, seconds):
    training.model.train()

    def turn():
        return 1, training.step()[0]

    protocol.serve(seconds, turn)


def infer(training, seconds):
    training.model.eval()
    starts, at = range(0, len(training.x), training.batch), 0

    def turn():
        nonlocal at
        start = starts[at]
        at = (at + 1) % len(starts)
        return 1, len(training.forward(training.x[start : start + training.batch]))

    with torch.inference_mode():
        protocol.serve(seconds, turn)


def fashion(args):
    args.network = "lenet"
    training = Training(args, *protocol.idx(args.folder, "train"))
    test = training.tensors(*protocol.idx(args.folder, "t10k"))
    quarter = -(-(-(-len(training.x) // training.batch)) // 4)
    spent = looked = 0.0
    accuracies = []
    for _ in range(4 * protocol.EPOCHS_MAX):
        start = time.perf_counter()
        for _ in range(quarter):
            training.step()
        spent += time.perf_counter() - start
        start = time.perf_counter()
        accuracies.append(training.judge(*test, batch=1000)[1])
        looked += time.perf_counter() - start
        if accuracies[-1] >= protocol.WANTED:
            break
    protocol.say({
        "version": torch.__version__,
        "steps": quarter * len(accuracies),
        "seconds": spent,
        "seconds_looking": looked,
        "reached": accuracies[-1] >= protocol.WANTED,
        "accuracies": accuracies,
    })


def main():
    args = protocol.options()
    torch.set_num_threads(args.threads)
    if args.task == "fashion":
        return fashion(args)
    shape, _, classes, _ = protocol.NETWORKS[args.network]
    training = Training(args, *protocol.made_up(shape, classes))
    check(training)
    (infer if args.task == "infer" else train)(training, args.seconds)


if __name__ == "__main__":
    main()
