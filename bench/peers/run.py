#!/usr/bin/env python3
"""Measures cuONN and its peers on the same machine in one run, and prints them beside each other.

    bench/peers/run.py                          makes a virtual environment in build/peers (network; some GB for PyTorch)
    bench/peers/run.py --python python3         takes what this Python has, and installs nothing
    --cuonn PROGRAM     cuonn, for its own rows and for the problem (build/release/src/cli/cuonn)
    --problem FILE.npz  a problem made before (problem.py), where cuonn or SciPy is missing
    --bench FILE.json   rows of `cuonn bench --case train_step --modes 64 --method auto`, where --cuonn cannot give them
    --json FILE         all rows, in the form of `cuonn bench --json`; written after every peer
    --gpu               a peer that computes on the processor has failed
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = {"jax_study": "jax", "jax_pairs": "jax", "jax_tree": "jax", "torch_tree": "torch"}
LONGEST = 1500  # seconds of one peer, compiling included


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


def cuonn_rows(args, folder):
    """What `cuonn bench` wrote, or an empty record."""
    path = args.bench
    if path is None and args.cuonn.exists():
        path = folder / "cuonn.json"
        command = [args.cuonn, "bench", "--case", "train_step", "--modes", "64", "--batch", "512", "--layers", "3"]
        command += ["--method", "auto"]
        subprocess.run(command + ["--samples", "50", "--json", path], check=True, stdout=sys.stderr)
    return json.loads(path.read_text()) if path else {"results": []}


def peer_row(python, name, problem):
    """The row of a peer, or why there is none."""
    try:
        done = subprocess.run([python, HERE / f"{name}.py", problem], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return None, f"it was not done after {LONGEST} s"
    sys.stderr.write("".join(f"  {line}\n" for line in done.stderr.splitlines() if " us a step" in line or "within" in line))
    if done.returncode != 0:
        return None, last_line(done.stderr)
    return json.loads(last_line(done.stdout)), None


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
        file.write_text(json.dumps(record, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python")
    parser.add_argument("--cuonn", type=pathlib.Path, default=ROOT / "build/release/src/cli/cuonn")
    parser.add_argument("--problem", type=pathlib.Path)
    parser.add_argument("--bench", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--gpu", action="store_true")
    args = parser.parse_args()
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
    for name, package in PEERS.items():
        print(f"{name} ...", file=sys.stderr)
        if subprocess.run([python, "-c", f"import {package}"], capture_output=True).returncode != 0:
            skipped.append((name, f"this Python has no {package}"))
            continue
        row, reason = peer_row(python, name, problem.resolve())
        if row and args.gpu and row["device"].lower() == "cpu":
            row, reason, failed = None, "it computed on the processor, not on the GPU", True
        if row:
            record["results"].append(row)
            write(args.json, record)
        else:
            skipped.append((name, reason))
    print_table(record["results"])
    for name, reason in skipped:
        print(f"skipped: {name}: {reason}")
    if failed:
        sys.exit("a peer computed on the processor")


main()
