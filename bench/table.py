#!/usr/bin/env python3
"""Prints the results of `cuonn bench --json` or bench/peers/run.py --json as a Markdown table.

    bench/table.py FILE.json
"""
import json
import sys


def row_of(row):
    name = f"{row['backend']}, {row['variant']}" if "variant" in row else row["backend"]
    size = [row["case"], row["modes"], row["batch"], row["layers"] or "-", name, row.get("method") or "-"]
    if "skipped" in row:
        return size + ["skipped: " + row["skipped"], "", "", "", "", ""]
    times = [f"{1e6 * row['median_s']:.1f}", f"{1e6 * row['p10_s']:.1f} to {1e6 * row['p90_s']:.1f}"]
    rest = [f"{row['of_limit']:.3f}" if "of_limit" in row else "-", f"{row['vs_cpu']:.3g}" if row.get("vs_cpu") else "-"]
    return size + times + [f"{row['examples_per_second']:.0f}"] + rest + [row["samples"]]


def main():
    with open(sys.argv[1]) as file:
        record = json.load(file)
    head = ["Case", "N", "Batch", "Layers", "Backend", "Method", "Median, us", "p10 to p90", "Examples/s", "Of limit", "Vs cpu", "Samples"]
    for cells in [head, ["---"] * len(head)] + [row_of(row) for row in record["results"]]:
        print("| " + " | ".join(map(str, cells)) + " |")
    print()
    for row in record.get("auto_slower", []):
        print(f"`auto` takes {row['taken']} for {row['case']} of N {row['modes']}, batch {row['batch']}, {row['layers']} layers "
              f"on `{row['backend']}`, where {row['better']} was {row['ratio']:.2f} times faster.\n")
    for machine in record.get("machines", []):
        print(f"`{machine['backend']}`: {machine['name']}, {1e-9 * machine['clock_hz']:.2f} GHz, "
              f"{1e-9 * machine['bytes_per_second']:.4g} GB/s, {1e-9 * machine['flops_per_second']:.4g} GFLOP/s.")
    print(f"\n{record.get('processor', '')}, cuonn {record.get('version', '')} ({record.get('build', '')}), "
          f"commit {record.get('commit', '')}, {record.get('date', '')[:10]}.")


main()
