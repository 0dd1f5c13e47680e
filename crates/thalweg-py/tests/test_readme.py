"""What the README shows runs as it stands."""

import re
from pathlib import Path


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 3
    exec("\n".join(examples), {})
    assert (tmp_path / "iris.html").stat().st_size > 10_000
