#!/usr/bin/env python3
"""No two files of include/, src/ and kernels/ include or call each other in a circle.

    check-circles.py [ROOT]

X.c, X.cu and X.h of one folder are one file here. A file leads to another if it includes its header, or names a function or
variable that is defined there. So that includes show who calls whom, a function is declared in the header of the file that
defines it; a public header may declare functions of many. Ends with status 1 after one line for every function that is
declared elsewhere or defined nowhere, and one for every circle. Names that a macro puts together are not seen.
"""
import collections
import pathlib
import re
import sys

SUFFIXES = {".c", ".h", ".cu", ".cuh", ".in"}
COMMENTS_AND_LITERALS = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'""", re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]', re.M)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
ATTRIBUTE = re.compile(r"__\w+__\s*(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))?")
EXTERN = re.compile(r"^extern\b[^;{]*;", re.M)
NAME = re.compile(r"[A-Za-z_]\w*")


def unit(path):
    """The file that a path belongs to: folder and name, up to the first dot."""
    return path.parent / path.name.split(".")[0]


def outer(text):
    """What stands outside of all braces: (text, "{" or ";") of each function, declaration and variable."""
    depth, item, before = 0, "", "\n"
    for c in DIRECTIVE.sub("", text):
        if c == "{" and depth == 0 and item.strip() == "extern":  # extern "C" {: what is in it stands outside
            item = ""
        elif c == "{":
            if depth == 0:
                yield item, c
            depth += 1
        elif c == "}":
            depth = 0 if before == "\n" else max(0, depth - 1)  # at the margin, whatever #if made of the braces
            if depth == 0 and "(" in item and "=" not in item:
                item = ""
        elif c == ";" and depth == 0:
            yield item, c
            item = ""
        elif depth == 0:
            item += c
        before = c


def names_of(text):
    """Functions and variables that a file defines, functions that it declares, and variables of others that it names."""
    defined, declared, foreign = set(), set(), set()
    for item, end in outer(text):
        head = ATTRIBUTE.sub("", item).split("=")[0].strip()
        if re.search(r"\b(static|typedef|_Static_assert)\b", head) or len(head.split()) < 2:
            continue
        function = re.search(r"(\w+)\s*\(", head)
        if function:
            (defined if end == "{" else declared).add(function[1])
        elif head.startswith("extern"):
            foreign.update(re.findall(r"(\w+)\s*(?:\[[^\]]*\]\s*)*(?=,|$)", head))
        else:
            defined.update(re.findall(r"(\w+)\s*(?:\[[^\]]*\]\s*)*$", head))
    return defined, declared, foreign


def circles(leads):
    """A shortest circle through every file that lies in one, each set of files once."""
    seen = set()
    for start in sorted(leads):
        before, queue = {start: None}, collections.deque([start])
        while queue:
            here = queue.popleft()
            if start in leads.get(here, ()):
                way = [start]
                while here != start:
                    way.insert(1, here)
                    here = before[here]
                if frozenset(way) not in seen:
                    seen.add(frozenset(way))
                    yield way
                break
            for there in sorted(leads.get(here, ())):
                if there not in before:
                    before[there] = here
                    queue.append(there)


def main(root):
    paths = sorted(path.relative_to(root) for folder in ("include", "src", "kernels") for path in (root / folder).rglob("*")
                   if path.suffix in SUFFIXES)
    known = {str(path).removesuffix(".in"): unit(path) for path in paths}
    includes, words, defined, declared, foreign = {}, {}, {}, {}, {}
    for path in paths:
        raw = (root / path).read_text(encoding="utf-8")
        text = INCLUDE.sub("", COMMENTS_AND_LITERALS.sub(" ", raw))
        includes[path] = INCLUDE.findall(raw)
        words[path] = set(NAME.findall(EXTERN.sub("", text)))
        defined[path], declared[path], foreign[path] = names_of(text)
    seen = set().union(*declared.values(), *foreign.values())
    home = {name: path for path in paths if path.suffix in (".c", ".cu") for name in defined[path] & seen}

    bad = 0
    for path in paths:
        for name in sorted(declared[path]):
            if not any(name in names for names in defined.values()):
                print(f"{path}: declares {name}, which no file defines")
                bad += 1
            elif name in home and unit(home[name]) != unit(path) and path.parts[0] != "include":
                print(f"{path}: declares {name}, which {home[name]} defines: {unit(home[name])}.h is its place")
                bad += 1

    leads = collections.defaultdict(dict)
    for path in paths:
        here = unit(path)
        for word in includes[path]:
            for folder in (str(path.parent), "include", "src", "src/backends", "."):
                there = known.get(str(pathlib.PurePosixPath(folder) / word))
                if there:
                    if there != here:
                        leads[here].setdefault(there, f"includes {word}")
                    break
        for name in words[path] - declared[path] if path.parts[0] != "include" else ():
            if name in home and unit(home[name]) != here:
                leads[here].setdefault(unit(home[name]), f"uses {name}")
    for way in circles(leads):
        print("circle: " + "; ".join(f"{a} {leads[a][b]} of {b}" for a, b in zip(way, way[1:] + way[:1])))
        bad += 1
    if paths and not bad:
        print(f"{len(paths)} files, {len(home)} functions and variables: no circle")
    return 0 if paths and not bad else 1


sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])))
