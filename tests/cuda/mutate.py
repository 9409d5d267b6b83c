#!/usr/bin/env python3
"""Breaks the CUDA backend one way at a time, and asks whether the tests over the double notice.

  tests/cuda/mutate.py [--sample 40] [--seed 1] [--jobs N] [--list]

Each operator below is applied at every place where its pattern stands in the backend; --list shows
them all, and a sample is drawn by a fixed seed. A mutant that does not compile says nothing and is
drawn again. Exits 1 where more than one mutant in twenty survives. Most of an hour on two cores.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BACKEND = "include/fanion/backend"
FILES = [f"{BACKEND}/{name}" for name in (
    "cuda_runtime.hpp", "cublas.hpp", "cusolver.hpp", "cuda.cuh", "device/reducer.cuh",
    "device/entries.cuh", "device/sums.cuh", "device/cholesky_upper.hpp")]

# What goes wrong in code like this: a name, what is looked for, and what takes its place.
OPERATORS = [
    ("leading dimension of packed memory", r"\bpitch\((\w+)\)(?! \{)", r"narrow(std::max<index_t>(\1.rows(), 1))"),
    ("leading dimension of a batch", r"\bpitch\((\w+)\[0\]\)", r"narrow(std::max<index_t>(\1.rows, 1))"),
    ("stride of a batch", r"\b([ABC])\.stride\b", r"\1.ld * \1.cols"),
    ("pitch of packed memory", r"\b(\w+)\.ld\(\)", r"\1.rows()"),
    ("operation", r"device::turn::none", "device::turn::adjoint"),
    ("operation", r"device::turn::adjoint", "device::turn::none"),
    ("operation", r"CUBLAS_OP_N,", "CUBLAS_OP_T,"),
    ("the other triangle", r"CUBLAS_FILL_MODE_LOWER", "CUBLAS_FILL_MODE_UPPER"),
    ("stream not set", r"    check\((cublas|cusolverDn)SetStream\(raw, s\.get\(\)\), \"\w+\"\);\n", ""),
    ("default stream", r"\b(stream_|s|born)\.get\(\)\)", "cudaStream_t())"),
    ("missing mirror", r"    launch\([^\n]*mirror_entry[^\n]*\n", ""),
    ("missing wait", r"    (?:s\.)?wait\(\);\n", ""),
    ("missing wait", r"  void wait\(\) const \{ [^\n]* \}", "  void wait() const {}"),
    ("wrong beta", r"T\(0\), (G|Y|Z|C|a|X)\b", r"T(1), \1"),
    ("wrong beta", r"\bb, (C|Y)\)", r"T(0), \1)"),
    ("wrong alpha", r"<T>\(a, ", "<T>(T(1), "),
    ("m and n exchanged", r"narrow\((\w)\.rows\(\)\),(\s+)narrow\(\1\.cols\(\)\)",
     r"narrow(\1.cols()),\2narrow(\1.rows())"),
    ("m and n exchanged", r"index_t i = at % (\w)\.rows\(\), j = at / \1\.rows\(\)",
     r"index_t i = at % \1.cols(), j = at / \1.cols()"),
    ("unchecked status", r"\n( +)(?:device::)?check\((?=[a-z])", r"\n\1(void)std::pair("),
]

COMPILE = ["g++", "-std=c++20", "-O1", "-w", "-isystem", "/usr/include/eigen3",
           "-DTHRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP", "-include", "utility"]


def toolkit():
    """Where the headers of the toolkit are."""
    for root in (os.environ.get("CUDA_HOME"), "/usr/local/cuda", "/opt/cuda"):
        if root and pathlib.Path(root, "include", "cublas_v2.h").exists():
            return ["-isystem", f"{root}/include/cccl", "-isystem", f"{root}/include"]
    sys.exit("mutate.py: the CUDA toolkit is not installed (CUDA_HOME names it)")


def sites():
    """Every place an operator applies to: (operator, file, line, text before, text after)."""
    found = []
    for file in FILES:
        text = (ROOT / file).read_text()
        for name, pattern, replacement in OPERATORS:
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                start = text.rfind("\n", 0, match.start()) + 1
                if text[start:match.start()].lstrip().startswith("//"):
                    continue
                changed = text[:match.start()] + match.expand(replacement) + text[match.end():]
                found.append((name, file, line, match.group(0).strip(), changed))
    return found


def compile_one(source, target, include):
    return subprocess.run(COMPILE + [f"-I{include}", f"-I{ROOT}/include", f"-I{ROOT}/tests", *toolkit(), "-c",
                                     str(source), "-o", str(target)], capture_output=True, text=True)


def verdict(site, shared, scratch):
    """'caught by …', 'survived', or 'does not compile'."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=scratch))
    try:
        mutated = folder / pathlib.Path(site[1]).relative_to("include")
        shutil.copytree(ROOT / "include" / "fanion", folder / "fanion")
        mutated.write_text(site[4])
        for test in ("backend", "batch", "lmo", "capturable", "optim"):
            made = compile_one(ROOT / "tests" / "cuda" / f"{test}_test.cpp", folder / "test.o", folder)
            if made.returncode:
                return "does not compile"
            program = folder / "test"
            subprocess.run(["g++", str(folder / "test.o"), *map(str, shared), "-o", str(program)], check=True)
            try:
                if subprocess.run([str(program)], capture_output=True, timeout=400).returncode:
                    return f"caught by {test}"
            except subprocess.TimeoutExpired:
                return f"caught by {test}, which did not end"
        return "survived"
    finally:
        shutil.rmtree(folder)


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sample", type=int, default=40)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--jobs", type=int, default=os.cpu_count())
    ask.add_argument("--list", action="store_true")
    options = ask.parse_args()
    if options.sample < 1 or options.jobs < 1:
        ask.error("--sample and --jobs must be at least 1")
    every = sites()
    if options.list:
        for name, file, line, before, _ in every:
            print(f"{file}:{line}: {name}: {before}")
        print(f"{len(every)} places")
        return 0
    random.Random(options.seed).shuffle(every)
    caught, survivors, silent = 0, [], 0
    with tempfile.TemporaryDirectory() as scratch:
        shared = []
        for source in ("support/main.cpp", "cuda/double.cpp"):
            target = pathlib.Path(scratch, source.replace("/", "_") + ".o")
            made = compile_one(ROOT / "tests" / source, target, ROOT / "include")
            if made.returncode:
                sys.exit(made.stderr)
            shared.append(target)
        queue = iter(every)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            running = {}

            def start():
                site = next(queue, None)
                if site is not None:
                    running[pool.submit(verdict, site, shared, scratch)] = site

            for _ in range(options.jobs):
                start()
            while running and caught + len(survivors) < options.sample:
                done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    site, result = running.pop(future), future.result()
                    print(f"{site[1]}:{site[2]}: {site[0]}: {site[3]!r}: {result}", flush=True)
                    if result == "survived":
                        survivors.append(site)
                    elif result == "does not compile":
                        silent += 1
                    else:
                        caught += 1
                    start()
    print(f"{caught} of {caught + len(survivors)} caught, {silent} did not compile, {len(every)} places")
    return 1 if 20 * len(survivors) > caught + len(survivors) else 0


if __name__ == "__main__":
    sys.exit(main())
