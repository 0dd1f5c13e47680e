"""What the golden scripts share: writing JSON next to the script, with the versions it came from."""

import json
import platform
from pathlib import Path


def write(name, packages, content):
    """Writes goldens/<name>.json; floats keep all their digits."""
    versions = {"python": platform.python_version()} | {p.__name__: p.__version__ for p in packages}
    path = Path(__file__).with_name(f"{name}.json")
    path.write_text(json.dumps({"versions": versions} | content, allow_nan=False, separators=(",", ":")) + "\n")
