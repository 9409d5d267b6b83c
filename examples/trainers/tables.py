#!/usr/bin/env python3
"""Tables of docs/experiments.md from what fanion-train leaves.

    examples/trainers/tables.py losses  RESULTS.json    held-out losses, times
    examples/trainers/tables.py spectra RESULTS.json    medians over the matrices
    examples/trainers/tables.py rates   TUNING.json     losses around the best rate
"""
import json
import statistics
import sys


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(header, rows):
    yield row(header)
    yield "|---" + "|---:" * (len(header) - 1) + "|"
    yield from (row(r) for r in rows)


def first_seeds(results):
    """The first run of each method."""
    runs = {}
    for run in results["runs"]:
        runs.setdefault(run["method"], run)
    return runs


def losses(results):
    runs = first_seeds(results)
    looks = {m: {x["step"]: x["loss"] for x in run["held_out"]} for m, run in runs.items()}
    steps = next(iter(runs.values()))["steps"]
    shown = [s for s in sorted(next(iter(looks.values()))) if 3 * s % steps == 0]
    if "adamw" not in looks:
        sys.exit("tables.py: the losses are held against AdamW's: train adamw too")
    adamw = looks["adamw"][steps]
    rows = []
    for method, run in runs.items():
        reached = [s for s, loss in sorted(looks[method].items()) if loss <= adamw]
        rows.append([method, f"{run['rate']:g}"]
                    + [f"{looks[method][s]:.3f}" for s in shown]
                    + [f"{run['test']['loss']:.3f}", str(reached[0]) if reached else "-",
                       f"{1e3 * statistics.median(run['step_seconds']):.1f}",
                       f"{1e3 * statistics.median(run['optimizer_seconds']):.2f}"])
    return table(["method", "rate"] + [f"step {s}" for s in shown]
                 + ["test", "as low as AdamW at", "step, ms", "of it the optimizer, ms"], rows)


def spectra(results):
    rows = []
    for method, run in first_seeds(results).items():
        for step in sorted({s["step"] for s in run.get("spectra", [])}):
            found = [s for s in run["spectra"] if s["step"] == step]

            def median(part, what):
                return statistics.median(s[part][what] for s in found)

            def share(what):
                return statistics.median(
                    100 * s["momentum"][what] / len(s["momentum"]["singular_values"]) for s in found)

            rows.append([method, str(step)]
                        + [f"{median(p, 'nuclear_rank'):.1f}" for p in ("gradient", "momentum", "weight")]
                        + [f"{share(w):.0f} %" for w in ("k_of_half", "k_of_nine_tenths")]
                        + [f"{statistics.median(s['update_rms'] for s in found):.1e}"])
    return table(["method", "step", "nuclear rank of G", "of M", "of W", "k for 50 % of M",
                  "for 90 %", "update RMS"], rows)


def rates(tuning):
    rows = []
    for method in tuning["methods"]:
        best = method["chosen"]
        cells = []
        for factor in (0.25, 0.5, 1, 2, 4):
            loss = [x["held_out_loss"] for x in method["grid"]
                    if abs(x["rate"] / (best * factor) - 1) < 1e-6 and x["held_out_loss"]]
            cells.append(f"{loss[0]:.3f}" if loss else "-")
        rows.append([method["method"], f"{best:g}"] + cells)
    return table(["method", "best rate", "a quarter", "half", "best", "twice", "four times"], rows)


def main():
    tables = {"losses": losses, "spectra": spectra, "rates": rates}
    if len(sys.argv) != 3 or sys.argv[1] not in tables:
        sys.exit(__doc__)
    try:
        with open(sys.argv[2], encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f"tables.py: {sys.argv[2]}: {error}")
    print("\n".join(tables[sys.argv[1]](found)))


if __name__ == "__main__":
    main()
