"""Parameter groups, as lists of dicts; beside PyTorch's own they are tested in test_torch.py."""

import numpy as np
import pytest
from thalweg import optim


def test_a_group_may_have_another_rule():
    w, b = np.ones((2, 2)), np.ones(3)
    opt = optim.Muon([{"params": [w]}, {"params": [b], "optimizer": "sgd", "lr": 0.5, "wrap": "clip-norm=1"}], 0.1)
    opt.step([np.eye(2), np.array([3.0, 4.0, 0.0])])
    np.testing.assert_allclose(b, [0.7, 0.6, 1.0], rtol=1e-6)
    alone = np.ones((2, 2))
    optim.Muon([alone], 0.1).step([np.eye(2)])
    assert np.array_equal(w, alone)
    assert all(np.array_equal(x, y) for x, y in zip(opt.average(), [w, b]))


@pytest.mark.parametrize(
    "groups, keywords, error, match",
    [
        ([{}], {}, KeyError, "group 0 has no «params»"),
        ([{"params": [np.ones(2)]}, {"params": []}], {}, ValueError, "group 1 has no parameters"),
        ([{"params": [np.ones(2)]}, np.ones(2)], {}, TypeError, "item 1 is none"),
        ([{"params": np.ones(2), "lr": -1.0}], {}, ValueError, "group 0: .*learning_rate = -1 is out of range"),
        ([{"params": np.ones(2), "lr": 1.0}], {"lr": 0.0}, ValueError, "give a positive lr"),
        ([{"params": np.ones(2), "beta1": 2.0}], {}, ValueError, "group 0: adam: beta1 = 2 is out of range"),
        ([{"params": np.ones(2), "beta3": 0.5}], {}, ValueError, "group 0: .*no hyperparameter «beta3»"),
        ([{"params": np.ones(2), "betas": 0.5}], {}, ValueError, r"group 0: betas = 0.5 must be 2 numbers"),
        ([{"params": np.ones(2), "optimizer": "sdg"}], {}, ValueError, "group 0: .*did you mean «sgd»"),
        ([{"params": np.ones(2), "wrap": "clip"}], {}, ValueError, "group 0: there is no wrapper «clip»"),
        ([{"params": np.ones(2)}, {"params": np.ones(2, np.float32)}], {}, TypeError, "parameter 1 has dtype float32"),
    ],
)  # fmt: skip
def test_groups_that_cannot_be_are_refused(groups, keywords, error, match):
    with pytest.raises(error, match=match):
        optim.Adam(groups, **keywords)
