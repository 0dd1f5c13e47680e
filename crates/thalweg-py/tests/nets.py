"""A small model of PyTorch, and the ways to train it. To be imported where PyTorch is there."""

import numpy as np
import torch


def model(dtype=torch.float64, seed=1):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).to(dtype)


DATA = torch.tensor(np.random.default_rng(5).standard_normal((16, 5)))


def loss_of(net):
    x = DATA.to(next(net.parameters()).dtype)
    return ((net(x[:, :3]) - x[:, 3:]) ** 2).mean()


def train(net, opt, steps):
    for _ in range(steps):
        opt.zero_grad()
        loss_of(net).backward()
        opt.step()
    return net


def apart(one, two):
    return max((a - b).abs().max().item() for a, b in zip(one.parameters(), two.parameters()))


def closure_of(net, opt=None):
    """PyTorch's standard closure; of a model that no optimizer has without `opt`."""

    def closure():
        (opt or net).zero_grad()
        loss = loss_of(net)
        loss.backward()
        return loss

    return closure
