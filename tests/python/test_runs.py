"""cuonn.train and cuonn.sweep: the program's directories as xarray Datasets, and its refusals as exceptions."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import cuonn

SMALL = {"training.epochs": 2, "network.layers": 1, "data.radius": 2, "network.modes": 16, "backend.name": "cpu",
         "training.optimizer.learning_rate": 0.01}
CONFIG = "configs/fashion-mnist.yaml"


def test_train_and_resume(tmp_path):
    run = cuonn.train(CONFIG, output=tmp_path / "run", settings=SMALL)
    history = run.history
    assert list(history.epoch.values) == [1, 2] and history.train_loss[1] < history.train_loss[0]
    assert (history.test_accuracy > 0.5).all()
    meshes = run.meshes()
    assert len(meshes) == 1 and meshes[0].n_modes == 16
    again = cuonn.train(resume=tmp_path / "run", settings={"training.epochs": 3})
    assert again.history.sizes["epoch"] == 3
    assert not np.array_equal(again.meshes()[0].theta, meshes[0].theta)
    figure = run.plot()
    assert [a.get_xlabel() for a in figure.axes] == ["epoch", "epoch"]


def test_progress(tmp_path, capsys):
    """Bars know their ends, also of what is resumed."""
    cuonn.train(CONFIG, output=tmp_path / "run", settings=SMALL, progress=True)
    said = capsys.readouterr().err
    assert "| 2/2 [" in said and "test_accuracy=0." in said
    cuonn.train(resume=tmp_path / "run", settings={"training.epochs": 3}, progress=True)
    assert "| 3/3 [" in capsys.readouterr().err
    grid = {**SMALL, "training.epochs": 1, "training.seed": [0, 1, 2]}
    cuonn.sweep(CONFIG, output=tmp_path / "sweep", settings=grid, progress=True)
    assert "| 3/3 [" in capsys.readouterr().err
    (tmp_path / "sweep" / "runs" / "000001.nc").unlink()
    cuonn.sweep(resume=tmp_path / "sweep", progress=True)
    said = capsys.readouterr().err
    assert "| 2/" not in said.split("3/3")[1] and "| 3/3 [" in said


def test_interrupt(tmp_path):
    """Ctrl-C in a terminal, which reaches all programs there: Python says KeyboardInterrupt, and the run, whose step
    was finished and saved, goes on from there."""
    settings = {**SMALL, "training.epochs": 1000}
    script = f"import cuonn\ncuonn.train({CONFIG!r}, output={str(tmp_path / 'run')!r}, settings={settings!r})"
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True, stderr=subprocess.PIPE,
                               text=True)
    metrics = tmp_path / "run" / "metrics.csv"
    while not metrics.exists() or metrics.read_text().count("\n") < 3:
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode != 0 and said.strip().endswith("KeyboardInterrupt")
    epochs = metrics.read_text().count("\n") - 1
    again = cuonn.train(resume=tmp_path / "run", settings={"training.epochs": epochs + 1})
    assert again.history.sizes["epoch"] == epochs + 1


def test_a_terminals_ctrl_c_does_not_reach_the_program(tmp_path, monkeypatch):
    """It would be the second beside the one that is handed on, and a second ends the program at once."""
    (tmp_path / "program").write_text(f"#!{sys.executable}\nimport os\nprint(int(os.getsid(0) == os.getpid()))\n")
    (tmp_path / "program").chmod(0o755)
    monkeypatch.setenv("CUONN_PROGRAM", str(tmp_path / "program"))
    assert list(cuonn.runs._lines("train", [])) == [1]


def test_what_the_program_warns_of_is_a_warning(tmp_path, monkeypatch):
    """Here, that there is no gnuplot for a report."""
    monkeypatch.setenv("PATH", "/no/such/folder")
    with pytest.warns(UserWarning, match="gnuplot"):
        cuonn.train(CONFIG, output=tmp_path / "run", settings=SMALL)


def test_sweep(tmp_path):
    grid = {**SMALL, "training.epochs": 1, "training.seed": [0, 1], "chip.coupler_std": [0, 0.1, 0.3]}
    dataset = cuonn.sweep(CONFIG, output=tmp_path / "sweep", settings=grid)
    assert dict(dataset.test_error.sizes) == {"coupler_std": 3, "seed": 2, "epoch": 1}
    assert ((dataset.test_error > 0) & (dataset.test_error < 1)).all()


@pytest.mark.parametrize("settings, error, text", (
    ({"training.epoch": 3}, cuonn.ConfigError, "did you mean training.epochs"),
    ({"training.epochs": "many"}, cuonn.ConfigError, "training.epochs"),
    ({"data.path": "/no/such/folder"}, cuonn.DataError, "/no/such/folder"),
    ({"backend.name": "cuda"}, cuonn.DeviceError, "cuda"),
))
def test_refuses(tmp_path, settings, error, text):
    with pytest.raises(error, match=text):
        cuonn.train(CONFIG, output=tmp_path / "run", settings=settings)
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_no_run(tmp_path):
    with pytest.raises(cuonn.FileError, match="holds no run"):
        cuonn.runs.Run(tmp_path)


def test_the_program_is_looked_for(monkeypatch):
    monkeypatch.setenv("CUONN_PROGRAM", "/no/such/program")
    with pytest.raises(OSError):
        cuonn.train(CONFIG)
