#!/usr/bin/env python3
"""self_test.py CARELESS SHIM: campaign.py finds the faults of a program that has them, and none in one without."""

import os
import random
import sys
import tempfile

import campaign
import cases

WANTED = [  # mode of careless.c, kind of calls that fail, words of a finding
    ("careful", "files", None),
    ("careful", "memory", None),
    ("in-place", "files", "neither the old file nor the new one"),
    ("silent", "files", "is not what it should be, and the command says nothing"),
    ("litter", "files", "is left behind"),
    ("short", "files", "is not what it should be"),
    ("impatient", "files", "a signal, is no failure"),
    ("chatty", "files", "2 lines on stderr"),
    ("input", "files", "an input has changed"),
    ("crash", "memory", "dies of signal"),
    ("wrong-code", "memory", "exit code 1")]


def main():
    program, shim = (os.path.realpath(path) for path in sys.argv[1:])
    failures = 0
    with tempfile.TemporaryDirectory(prefix="cuonn-faults.") as folder:
        stage = campaign.Stage(program, shim, folder)
        for mode, kind, words in WANTED:
            case = cases.Case(mode, [mode], {"in": b"read", "out": b"old"}, ["out"])
            tally, findings = {}, []
            campaign.faults(stage, [case], kind, 0, random.Random(1), tally, findings)
            right = any(words in text for text in findings) if words else not findings
            if not right or tally.get("faults", 0) == 0:
                failures += 1
                print(f"FAILED {mode}, {kind}: wanted {words}, found {findings}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
