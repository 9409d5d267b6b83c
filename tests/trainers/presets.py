#!/usr/bin/env python3
"""Every preset of fanion-train for a few steps, on small files in the real formats.

    presets.py path/to/fanion-train

The files are written here, by nothing of the trainer's. Sizes are shrunk by flags; methods, rates,
schedules and what was published stay the preset's.
"""
import array
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAILED: {what}")


def tokens(count, vocabulary=50257):
    """A text with something to learn in it: each token mostly follows from the one before."""
    out, token = array.array("H"), 17
    for _ in range(count):
        token = (token * 31 + 7) % 64 if random.random() < 0.9 else random.randrange(vocabulary)
        out.append(token)
    return out


def write_shard(path, count):
    """llm.c and modded-nanogpt: 256 int32 (20240520, 1, count), then 16-bit tokens."""
    header = array.array("i", [20240520, 1, count] + [0] * 253)
    path.write_bytes(header.tobytes() + tokens(count).tobytes())


def write_bin(path, count):
    """nanoGPT: 16-bit tokens and nothing else."""
    path.write_bytes(tokens(count).tobytes())


def write_cifar10(folder, images):
    """A record: one label, then 32 x 32 bytes of red, of green, of blue."""
    folder.mkdir()
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        records = bytearray()
        for _ in range(images):
            label = random.randrange(10)
            records.append(label)
            records += bytes(min(255, 20 * label + random.randrange(60)) for _ in range(3072))
        (folder / f"{name}.bin").write_bytes(records)


def train(program, out, arguments, methods, published):
    """One call; its results.json, checked against what the preset promises."""
    call = [program, *map(str, arguments), "--out", str(out), "--threads", "1"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    name = " ".join(map(str, arguments[:3]))
    check(done.returncode == 0, f"{name}: exit {done.returncode}: {done.stderr[-400:]}")
    if done.returncode != 0:
        return {"runs": []}
    results = json.loads((out / "results.json").read_text())
    page = (out / "report.html").read_text()
    check([(r["method"], r["rate"]) for r in results["runs"]] == methods,
          f"{name}: methods and rates are {[(r['method'], r['rate']) for r in results['runs']]}")
    for run in results["runs"]:
        check(not run["diverged"] and run["batch_losses"]
              and all(map(math.isfinite, run["batch_losses"])),
              f"{name}: losses of {run['method']}: {run['batch_losses'][:5]}")
    for text in published:
        check(text in page, f"{name}: '{text}' is not in the report")
    return results


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = sys.argv[1]
    random.seed(5)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for i in (1, 2):
            write_shard(folder / f"fineweb_train_{i:06}.bin", 3000)
        write_shard(folder / "fineweb_val_000000.bin", 400)
        write_bin(folder / "train.bin", 3000)
        write_bin(folder / "val.bin", 400)
        write_cifar10(folder / "cifar", 12)

        fineweb = ["--tokens", folder / "fineweb_train_000001.bin",
                   "--tokens", folder / "fineweb_train_000002.bin",
                   "--validation", folder / "fineweb_val_000000.bin"]
        nanogpt = ["--tokens", folder / "train.bin", "--validation", folder / "val.bin"]
        short = ["--context", "16", "--batch", "4", "--micro-batch", "2", "--steps", "3",
                 "--windows", "4", "--sample", "4"]
        small = [*short, "--layers", "1", "--heads", "2", "--width", "8"]

        base = train(program, folder / "a",
                     ["gpt", "--preset", "gpt2-fineweb", *fineweb, *small, "--keep-model"],
                     [("muon", 0.05), ("f-muon", 0.07), ("s-muon", 0.07), ("sign-sgd", 3e-4),
                      ("nsgd", 0.15)],
                     ["gpt2-fineweb", "3.2786", "3.2811", "3.2869", "3.3909", "3.4483"])
        # ln 50257 = 10.82 is chance.
        for run in base["runs"]:
            check(abs(run["batch_losses"][0] - math.log(50257)) < 0.3,
                  f"gpt2-fineweb: first loss of {run['method']} is {run['batch_losses'][0]}")
        train(program, folder / "b", ["gpt", "--preset", "gpt2-medium-fineweb", *nanogpt, *small],
              [("muon", 0.025), ("f-muon", 0.029), ("s-muon", 0.029)],
              ["gpt2-medium-fineweb", "2.91975", "2.92152", "2.92347"])

        # Fine-tuning goes on from a checkpoint of llm.c, which also says how large the model is.
        models = sorted((folder / "a").rglob("*.llmc.bin"))
        check(len(models) == 5, f"--keep-model left {len(models)} models")
        if models:
            train(program, folder / "c",
                  ["gpt", "--preset", "gpt2-tinystories", *fineweb, *short, "--init", models[0]],
                  [("muon", 1e-3), ("f-muon", 1e-3), ("s-muon", 1e-3)],
                  ["gpt2-tinystories", "far less sensitive"])

        train(program, folder / "d",
              ["cnn", "--preset", "cifar10-airbench", "--data", folder / "cifar", "--held-out",
               "10", "--batch", "25", "--epochs", "1", "--width", "2"],
              [("muon", 0.24), ("f-muon", 0.4), ("s-muon", 0.42), ("nsgd", 0.5),
               ("sign-sgd", 0.003), ("neon", 0.24), ("f-neon", 0.4), ("fanion-5", 0.24)],
              ["cifar10-airbench", "94.01", "94.02", "94.03", "69.8", "87.2", "80.7"])
    sys.exit(f"{len(failures)} checks failed" if failures else 0)


if __name__ == "__main__":
    main()
