#!/usr/bin/env python3
"""Measures both methods of a backend over sizes and batches, in turn, and says where auto was wrong.

    bench/methods.py [--threads COUNT] [--rounds COUNT] [--case CASE] [--modes N,...] [--batch COUNT,...] [--seconds S]

Every round is a run of `cuonn bench`, which measures the methods of each size one after the other; of each row the least
median of all rounds counts. A row that takes too long for --seconds is left out ("-").
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
WRONG = 1.1  # times slower than the other method


def measure(args):
    """Least median in seconds and whether auto takes it, by (N, batch), method."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bench.json"
        for _ in range(args.rounds):
            subprocess.run([args.cuonn, "bench", "--case", args.case, "--modes", args.modes, "--batch", args.batch,
                            "--layers", args.layers, "--samples", "5", "--seconds", args.seconds, "--threads",
                            args.threads, "--json", path], check=True, stdout=subprocess.DEVNULL)
            for row in json.loads(path.read_text())["results"]:
                if row["backend"] != args.backend or "skipped" in row:
                    continue
                methods = found.setdefault((row["modes"], row["batch"]), {})
                before = methods.get(row["method"], (row["median_s"], row["auto"]))
                methods[row["method"]] = min(before, (row["median_s"], row["auto"]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuonn", default=ROOT / "build/release/src/cli/cuonn")
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--case", default="train_step", choices=["train_step", "forward", "evaluate"])
    parser.add_argument("--modes", default="8,16,24,32,48,64,96,128,256,512,1024")
    parser.add_argument("--batch", default="1,4,16,32,64,128,256,512,1024,2048,4096,8192")
    parser.add_argument("--layers", default="3")
    parser.add_argument("--seconds", default="1")
    args = parser.parse_args()
    wrong = 0
    print(f"{args.case}, {args.layers} layers, backend {args.backend}, {args.threads} threads: microseconds\n")
    print("| N | Batch | columns | dense | auto takes | times the better |\n| --- | --- | --- | --- | --- | --- |")
    for (modes, batch), methods in sorted(measure(args).items()):
        times = {name: f"{1e6 * seconds:.1f}" for name, (seconds, _) in methods.items()}
        taken = [name for name, (_, auto) in methods.items() if auto]
        ratio = methods[taken[0]][0] / min(seconds for seconds, _ in methods.values()) if taken else 0
        wrong += ratio > WRONG
        verdict = f"{ratio:.2f}" if len(methods) > 1 else "-"
        print(f"| {modes} | {batch} | {times.get('columns', '-')} | {times.get('dense', '-')} "
              f"| {taken[0] if taken else '-'} | {verdict} |")
    print(f"\nauto was more than {100 * WRONG - 100:.0f} % slower than the better in {wrong} rows")


main()
