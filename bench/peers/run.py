#!/usr/bin/env python3
"""Measures cuONN and its peers on the same machine in one run, and prints them beside each other.

    bench/peers/run.py                          makes a virtual environment in build/peers (network; some GB for PyTorch)
    bench/peers/run.py --python python3         takes what this Python has, and installs nothing
    --cuonn PROGRAM     cuonn, for its own rows and for the problem (build/release/src/cli/cuonn)
    --problem FILE.npz  a problem made before (problem.py), where cuonn or SciPy is missing
    --bench FILE.json   rows of `cuonn bench --case train_step --modes 64 --method auto`, where --cuonn cannot give them
    --json FILE         all rows, in the form of `cuonn bench --json`; written after every row
    --gpu               a peer that computes on the processor has failed
    --longest SECONDS   of one way to write the step, compiling included (1500)
    --within SECONDS    none is begun later, and none goes on (for ever)
"""
import argparse
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Program, way to write the step; those that may well be the fastest come first.
PEERS = [("torch_tree", "compiled"), ("jax_tree", "real_product"), ("jax_pairs", "unroll 4"), ("jax_tree", "complex_product"),
         ("jax_pairs", "unroll 32"), ("torch_tree", "eager"), ("jax_pairs", "unroll 1"), ("jax_study", "columns")]


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def installed(folder):
    """A Python with the pinned packages; what cannot be installed is left out, and its peers are skipped with a reason."""
    python = folder / "bin" / "python3"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    for part in ("jax", "torch"):
        print(f"installing bench/peers/requirements-{part}.txt into {folder} ...", file=sys.stderr)
        command = [python, "-m", "pip", "install", "-q", "-r", HERE / f"requirements-{part}.txt"]
        if part == "jax" and shutil.which("nvidia-smi"):
            command.append("jax[cuda13]")
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            print(f"requirements-{part}.txt could not be installed: {last_line(done.stderr)}", file=sys.stderr)
    return python


def has(python, package):
    code = f"import importlib.util; raise SystemExit(importlib.util.find_spec({package!r}) is None)"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def cuonn_rows(args, folder):
    """What `cuonn bench` wrote, without peers of an earlier run, or an empty record."""
    path = args.bench
    if path is None and args.cuonn.exists():
        path = folder / "cuonn.json"
        command = [args.cuonn, "bench", "--case", "train_step", "--modes", "64", "--batch", "512", "--layers", "3"]
        command += ["--method", "auto"]
        subprocess.run(command + ["--samples", "50", "--json", path], check=True, stdout=sys.stderr)
    record = json.loads(path.read_text()) if path else {"results": []}
    return record | {"results": [row for row in record["results"] if "variant" not in row]}


def peer_row(python, name, variant, problem, seconds):
    """The row of one way to write the step, or why there is none. What it started ends with it."""
    if seconds <= 0:
        return None, "no time was left"
    process = subprocess.Popen([python, HERE / f"{name}.py", problem, variant], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
    try:
        out, said = process.communicate(timeout=None if math.isinf(seconds) else seconds)
    except subprocess.TimeoutExpired:
        return None, f"it was not done after {seconds:.0f} s"
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    sys.stderr.write("".join(f"  {line}\n" for line in said.splitlines() if " us a step" in line or "within" in line))
    if process.returncode != 0:
        return None, last_line(said)
    try:
        return json.loads(last_line(out)), None
    except ValueError:
        return None, f"it wrote no row: {last_line(out)}"


def print_table(results):
    rows = [row for row in results if row["case"] == "train_step" and "median_s" in row]
    cuonn = min((row["median_s"] for row in rows if "variant" not in row), default=None)
    print(f"{'train_step':14}{'median_us':>12}  {'p10..p90':22}{'examples/s':>12}  {'of cuONN':>9}  how")
    for row in sorted(rows, key=lambda row: row["median_s"]):
        ratio = f"{row['median_s'] / cuonn:.3g} x" if cuonn else "-"
        spread = f"{1e6 * row['p10_s']:.1f}..{1e6 * row['p90_s']:.1f}"
        name = row["backend"] if "variant" in row else "cuONN " + row["backend"]
        how = ", ".join(row[key] for key in ("variant", "versions", "device", "method") if row.get(key))
        print(f"{name:16}{1e6 * row['median_s']:10.1f}  {spread:22}{row['examples_per_second']:12.0f}  {ratio:>9}  {how}")


def write(file, record):
    if file:
        new = file.with_name(file.name + ".new")
        new.write_text(json.dumps(record, indent=2) + "\n")
        os.replace(new, file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python")
    parser.add_argument("--cuonn", type=pathlib.Path, default=ROOT / "build/release/src/cli/cuonn")
    parser.add_argument("--problem", type=pathlib.Path)
    parser.add_argument("--bench", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--longest", type=float, default=1500)
    parser.add_argument("--within", type=float, default=math.inf)
    args = parser.parse_args()
    end = time.monotonic() + args.within
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and the peer with it
    folder = ROOT / "build" / "peers"
    if not (args.python and args.problem and args.bench):
        folder.mkdir(parents=True, exist_ok=True)
    python = args.python or installed(folder)
    problem = args.problem
    if problem is None:
        problem = folder / "problem.npz"
        if not args.cuonn.exists():
            sys.exit(f"{args.cuonn} is missing; build it, or give --cuonn PROGRAM or --problem FILE.npz")
        command = [python, HERE / "problem.py", "--cuonn", args.cuonn, problem]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"the problem could not be made (problem.py needs NumPy and SciPy): {last_line(done.stderr)}")

    record, skipped, failed = cuonn_rows(args, folder), [], False
    write(args.json, record)
    there = {package: has(python, package) for package in ("jax", "torch")}
    for name, variant in PEERS:
        print(f"{name}, {variant} ...", file=sys.stderr)
        package = name.partition("_")[0]
        if there[package]:
            row, reason = peer_row(python, name, variant, problem.resolve(), min(args.longest, end - time.monotonic()))
        else:
            row, reason = None, f"this Python has no {package}"
        if row and args.gpu and row["device"].lower() == "cpu":
            row, reason, failed = None, "it computed on the processor, not on the GPU", True
        if row:
            record["results"].append(row)
            write(args.json, record)
        else:
            skipped.append((f"{name}, {variant}", reason))
    print_table(record["results"])
    for name, reason in skipped:
        print(f"skipped: {name}: {reason}")
    if failed:
        sys.exit("a peer computed on the processor")


main()
