"""The scripts of examples/ run as they stand, and give what they promise."""

import os
import pathlib
import re
import subprocess
import sys

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


def run(name, *arguments):
    ended = subprocess.run([sys.executable, EXAMPLES / name, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_every_example_is_tested():
    here = pathlib.Path(__file__).read_text()
    assert all(f'"{p.name}"' in here for p in EXAMPLES.glob("*.py"))


def test_study(tmp_path):
    """The study's own seeds end between .846 and .854."""
    said = run("study.py", tmp_path / "run")
    accuracy = [float(v) for v in re.findall(r"^\d+ +(0\.\d+)$", said, re.M)]
    assert len(accuracy) == 3 and 0.84 < accuracy[-1] < 0.86
    assert said.count("<cuonn.Mesh: 64 waveguides") == 3
    assert (tmp_path / "run" / "curves.png").stat().st_size > 10_000


def test_noise_sweep(tmp_path):
    """A chip whose errors are not known loses more."""
    said = run("noise_sweep.py", tmp_path / "sweep")
    rows = {line.split()[0]: [float(v) for v in line.split()[1:]] for line in said.splitlines()
            if line.startswith(("exact", "ideal"))}
    assert len(rows["exact"]) == 5 and rows["exact"][-1] > rows["ideal"][-1] + 0.1
    assert (tmp_path / "sweep" / "accuracy.png").stat().st_size > 10_000


def test_own_model():
    accuracy = re.search(r"test accuracy (0\.\d+); coupler errors as before: True", run("own_model.py"))
    assert float(accuracy.group(1)) > 0.9


def test_readme_and_page_run(tmp_path):
    """Code blocks of docs/python.md, one after another in one program."""
    page = (EXAMPLES.parent / "docs" / "python.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    assert len(blocks) >= 5
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks))
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=tmp_path,
                           env={**os.environ, "CONFIGS": str(EXAMPLES.parent / "configs")})
    assert ended.returncode == 0, ended.stderr
