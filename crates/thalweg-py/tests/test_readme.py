"""What the README shows runs as it stands."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
OF_TORCH = [example for example in EXAMPLES if "import torch" in example]


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = [example for example in EXAMPLES if example not in OF_TORCH]
    assert len(examples) == 4
    exec("\n".join(examples), {})
    assert (tmp_path / "iris.html").stat().st_size > 10_000


def test_the_example_with_torch_runs():
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    assert len(OF_TORCH) == 1
    exec("import thalweg\n" + OF_TORCH[0], {})
