#!/usr/bin/env python3
"""Lets every call of a command fail, or the command die there, and looks at what is left.

campaign.py PROGRAM SHIM KIND [--most COUNT] [--seed SEED] [--seconds LONG]
  KIND     files   each call of the system fails once, or from there on; or moves half of its bytes, or is interrupted
           memory  each allocation fails once, or from there on
           kills   train, sweep and parts of sweeps are killed where chance says and gone on with, until they are done: the
                     same bits
  --most   so many faults of each command and way, drawn with the seed; or so many kills (default: all; kills 20)
  --seconds  goes over all commands again, with further draws, for so long

Time under the shim is counted, not measured, so that a run's files are the same bytes whenever it is repeated: what a
fault leaves must be the old files or those of the untouched run. Ends with 1 if anything was found.
"""

import argparse
import ctypes
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import cases

FILES, BYTES, MEMORY, OWN, OTHERS, CLOCK = 1, 2, 4, 8, 16, 32
ONCE, STAY, HALF, EINTR, KILL = range(5)
WAYS = {"files": [("once", FILES, ONCE), ("from there on", FILES, STAY), ("half", BYTES, HALF),
                  ("EINTR", BYTES, EINTR)],
        "memory": [("own, once", OWN, ONCE), ("own, from there on", OWN, STAY), ("libraries, once", OTHERS, ONCE),
                   ("all, from there on", MEMORY, STAY)]}
WORK, PATIENCE = 5, 600  # seconds of processor time, and of the clock, after which a command is said to hang

# Libraries that may end the program when they get no memory, and those that may call a file damaged then
# (docs/reliability.md names them, too).
DEADLY = ("libhdf5", "libnetcdf", "libcrypto", "libcurl", "libssh2", "libopenblas", "libgomp")
CONFUSED = ("libhdf5", "libnetcdf", "libcrypto", "libcurl", "libssh2")


class Plan(ctypes.Structure):
    """The struct of plan.h."""
    _fields_ = [("at", ctypes.c_uint64), ("kinds", ctypes.c_uint32), ("how", ctypes.c_uint32),
                ("calls", ctypes.c_uint64), ("looks", ctypes.c_uint64), ("hit", ctypes.c_uint64),
                ("name", ctypes.c_char * 32), ("objects", ctypes.c_char * 512)]


class Stage:
    """A folder in which commands run under the shim."""

    def __init__(self, program, shim, folder):
        self.program, self.shim = program, shim
        self.work, self.plan, self.record = (os.path.join(folder, name) for name in ("work", "plan", "record"))
        self.tools = {False: os.path.join(folder, "nothing"), True: os.path.join(folder, "tools")}
        for tools in self.tools.values():
            os.makedirs(tools, exist_ok=True)
        gnuplot = os.path.join(self.tools[True], "gnuplot")
        with open(gnuplot, "w", encoding="utf8") as file:
            file.write(cases.FAKE_GNUPLOT)
        os.chmod(gnuplot, 0o755)

    def put(self, files):
        """Makes the folder hold these files and no others."""
        now = cases.read_tree(self.work) if os.path.isdir(self.work) else {}
        for path in sorted(now, reverse=True):
            if path in files and (now[path] is None) == (files[path] is None):
                continue
            full = os.path.join(self.work, path)
            os.rmdir(full) if now[path] is None else os.unlink(full)
        os.makedirs(self.work, exist_ok=True)
        cases.write_tree(self.work, {path: content for path, content in files.items() if now.get(path, 0) != content})

    def run(self, command, gnuplot=True, at=0, kinds=0, how=0, record=False):
        """Exit code (negative: the signal), stdout, lines of stderr, and the plan as the run left it."""
        with open(self.plan, "wb") as file:
            file.write(bytes(Plan(at=at, kinds=kinds, how=how)))
        environment = {"PATH": self.tools[gnuplot], "LC_ALL": "C", "LD_PRELOAD": self.shim, "CUONN_FAULTS": self.plan,
                       "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        if record:
            shutil.rmtree(self.record, ignore_errors=True)
            os.mkdir(self.record)
            environment["CUONN_FAULTS_RECORD"] = self.record
        try:
            done = subprocess.Popen([self.program, *command], cwd=self.work, env=environment, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            resource.prlimit(done.pid, resource.RLIMIT_CPU, (WORK, WORK))
            out, err = done.communicate(timeout=PATIENCE)
            code = done.returncode
        except subprocess.TimeoutExpired:
            done.kill()
            out, err = done.communicate()
            code = None
        with open(self.plan, "rb") as file:
            after = Plan.from_buffer_copy(file.read())
        return code, out, err.decode(errors="replace").splitlines(), after


class Untouched:
    """What a case does when nothing fails."""

    def __init__(self, stage, case):
        stage.put(case.files)
        self.code, self.out, self.err, _ = stage.run(case.command, case.gnuplot, kinds=FILES, record=True)
        self.after = cases.read_tree(stage.work)
        # every content that a file has had: what was renamed to its name, and what is there at the end
        self.versions = {path: {content} for path, content in self.after.items()}
        for path, content in case.files.items():
            self.versions.setdefault(path, set()).add(content)
        for path, content in cases.read_tree(stage.record).items():
            name = path.partition(".")[2]
            for known in self.versions:
                if os.path.basename(known) == name:
                    self.versions[known].add(content)


def is_output(case, path):
    return any(path == name or (name.endswith("/") and (path + "/").startswith(name)) for name in case.outputs)


def judge(case, untouched, kinds, how, result, files):
    """Everything that is wrong with what a fault has left; and the library that died of it, if one may."""
    code, out, err, plan = result
    memory = kinds & (MEMORY | OWN | OTHERS)
    innermost = plan.objects.decode().partition(" ")[0]
    library = next((name for name in DEADLY if memory and innermost.startswith(name)), None)
    confused = innermost.startswith(CONFUSED)
    unchanged = code == untouched.code and err == untouched.err
    wrong = []
    if code is None:
        wrong.append("waits for ever")
    elif library and (code < 0 or len(err) != 1):
        unchanged = False
    elif code < 0:
        wrong.append(f"dies of signal {-code}, {err}")
    elif not unchanged:
        library = None
        if how in (HALF, EINTR) and not innermost.startswith("libz"):  # zlib does not repeat what a signal interrupts
            wrong.append(f"half of the bytes, or a signal, is no failure: exit code {code}, {err}")
        allowed = (0, 4) if memory and "Cannot allocate memory" not in "".join(err) else (0, 3, 4)
        if memory and confused:
            allowed = (0, 1, 3, 4)
        if len(err) != 1 or not re.match(r"cuonn( [a-z-]+)?: .", err[0]):
            wrong.append(f"{len(err)} lines on stderr instead of one of ours: {err}")
        elif code not in allowed:
            wrong.append(f"exit code {code}, {err}")
    else:
        library = None
        if out != untouched.out:
            wrong.append("prints something else, and says nothing")
    for path in sorted(set(files) | set(case.files) | set(untouched.after)):
        now = files.get(path, "absent")
        if path in case.files and not is_output(case, path) and now != case.files[path]:
            wrong.append(f"{path}: an input has changed")
        elif unchanged and now != untouched.after.get(path, "absent"):
            wrong.append(f"{path}: is not what it should be, and the command says nothing")
        elif now == "absent":
            if path in case.files:
                wrong.append(f"{path}: is gone")
        elif path not in untouched.versions:
            if not (plan.name == b"unlink" or library) or not path.endswith(".tmp"):
                wrong.append(f"{path}: is left behind")
        elif now not in untouched.versions[path]:
            wrong.append(f"{path}: is neither the old file nor the new one")
    return wrong, library


def add(tally, what, n=1):
    tally[what] = tally.get(what, 0) + n


def note(findings, text):
    findings.append(text)
    print("FOUND", text, flush=True)


def faults(stage, all_cases, kind, most, chance, tally, findings):
    """Every call of every case fails. Counts faults, and libraries that died of them by name."""
    for case in all_cases:
        untouched = Untouched(stage, case)
        for way, kinds, how in WAYS[kind]:
            stage.put(case.files)
            calls = stage.run(case.command, case.gnuplot, kinds=kinds)[3].calls
            moments = range(1, calls + 1)
            if most and most < calls:
                moments = sorted(chance.sample(moments, most))
            ends = {}
            for at in moments:
                stage.put(case.files)
                result = stage.run(case.command, case.gnuplot, at, kinds, how)
                wrong, library = judge(case, untouched, kinds, how, result, cases.read_tree(stage.work))
                if not result[3].hit:
                    wrong.append("the call did not come: the run is not the same every time")
                ends[result[0]] = ends.get(result[0], 0) + 1
                add(tally, "faults")
                if library:
                    add(tally, f"ended inside {library}")
                for text in wrong:
                    note(findings, f"{case.name}, {way}, call {at} ({result[3].name.decode()} in "
                                   f"{result[3].objects.decode().strip()}): {text}")
            codes = ", ".join(f"{n} x {code}" for code, n in sorted(ends.items(), key=str))
            print(f"{case.name:14}{way:20}{calls:6} calls, {len(moments):6} hit; exit codes {codes}", flush=True)


def phases(path):
    """The data of a netCDF file as text, times apart."""
    text = subprocess.run(["ncdump", "-p", "9,17", path], capture_output=True, check=True).stdout.decode()
    return re.sub(r"(?s) seconds =.*?;\n", "", text[text.index("\ndata:"):])


def numbers(folder, run):
    """What must be the same whether or not a run was killed: all but times and the order of writing."""
    out = {}
    for path in sorted(cases.read_tree(folder)):
        full = os.path.join(folder, path)
        if path.endswith(".nc"):
            out[path] = phases(full)
        elif path.endswith(".csv"):
            with open(full, encoding="utf8") as file:
                out[path] = [line.split(",")[:4] for line in file]
        else:
            out[path] = ""
    return out


def unfinished(case, command, begun):
    """What a user types after a command was killed."""
    if "--part" in command or "--collect" in command:
        return command  # finds by itself what is there
    return [case.name, "--resume", "new"] if os.path.exists(begun) else command


def kills(stage, all_cases, most, chance, tally, findings):
    """Kills train and sweep, and each part of a sweep, where chance says, and goes on. Counts runs and kills."""
    everything = FILES | MEMORY | CLOCK
    one = [*cases.SWEEP_PART, "1/2"]
    steps = {"train": [], "sweep": [], "sweep-part": [one, ["sweep", "--collect", "new"]]}
    for case in (case for case in all_cases if case.name in steps):
        new = os.path.join(stage.work, "new")
        begun = os.path.join(new, {"train": "last.nc"}.get(case.name, "sweep.yaml"))
        commands = [case.command, *steps[case.name]]
        stage.put(case.files)
        calls = [stage.run(command, kinds=everything)[3].calls for command in commands]
        want = numbers(new, case)
        for _ in range(most):
            stage.put(case.files)
            told = []
            for command, last in zip(commands, calls):
                moments = [chance.randint(1, last) for _ in range(chance.randint(1, 3))]
                told.append(moments)
                for at in moments + [0]:
                    code, _, err, plan = stage.run(unfinished(case, command, begun), True, at, everything, KILL)
                    add(tally, "kills", plan.hit)
                    if code != (-9 if plan.hit else 0):
                        note(findings, f"{case.name}, kills at {told}: exit code {code} after {at}, {err}")
            add(tally, "runs")
            got = numbers(new, case)
            for path in sorted(set(got) ^ set(want)):
                note(findings, f"{case.name}, kills at {told}: {path} is {'left' if path in got else 'missing'}")
            for path in sorted(set(got) & set(want)):
                if got[path] != want[path]:
                    note(findings, f"{case.name}, kills at {told}: {path} has other numbers than without")
        print(f"{case.name:14}{most} runs", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=os.path.realpath)
    parser.add_argument("shim", type=os.path.realpath)
    parser.add_argument("kind", choices=["files", "memory", "kills"])
    parser.add_argument("--most", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0)
    given = parser.parse_args()
    end = time.monotonic() + given.seconds
    chance = random.Random(given.seed)
    os.umask(0o022)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # in memory where there is such a folder: thousands of syncs need no disk
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="cuonn-faults.", dir=memory) as folder:
        stage = Stage(given.program, given.shim, folder)
        all_cases = cases.make(given.program, folder)
        tally, findings = {}, []
        while True:
            if given.kind == "kills":
                kills(stage, all_cases, given.most or 20, chance, tally, findings)
            else:
                faults(stage, all_cases, given.kind, given.most, chance, tally, findings)
            if time.monotonic() >= end:
                break
    counts = ", ".join(f"{n} {what}" for what, n in tally.items())
    print(f"{given.kind}: {counts}, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
