#!/usr/bin/env python3
"""Turns the JSON of fanion_peers into figures and the part of benchmarks.md between its markers.

    page.py FILE.json --docs FOLDER

Writes FOLDER/figures/peers_*.svg and FOLDER/benchmarks.md, and prints the ratios. Every number on
the page comes from the JSON, but for the seeds' tables, which stand below with their source.
"""

import argparse
import json
import math
import pathlib
import statistics
import sys

BEGIN, END = "<!-- peers:begin -->", "<!-- peers:end -->"

# Draft of arXiv 2512.09678, "The Ky Fan Norms and Beyond": Tables 1 and 2.
# (n, k, method, seconds, products, iterations, err_1, err_2), n x n Gaussian matrices.
SEED_LEADING = [
    (500, 5, "Power Iterations", 0.062, 2005, 200, 9.2e-3, 9.1e-3),
    (500, 5, "RSVD", 0.017, 1170, 38, 9.8e-3, 9.6e-3),
    (500, 5, "TRLan", 0.018, 131, 65, 9.6e-5, 9.4e-5),
    (500, 50, "Power Iterations", 0.44, 43750, 437, 9.9e-3, 9.0e-3),
    (500, 50, "RSVD", 0.61, 6120, 50, 9.9e-3, 9.1e-3),
    (500, 50, "TRLan", 0.16, 462, 231, 3.3e-7, 3.0e-7),
    (5000, 5, "Power Iterations", 9.6, 9065, 906, 8.6e-3, 8.6e-3),
    (5000, 5, "RSVD", 2.1, 5640, 187, 9.7e-3, 9.7e-3),
    (5000, 5, "TRLan", 0.70, 205, 102, 7.7e-3, 7.7e-3),
]
# (n, seconds, products, iterations, err_1) of Newton-Schulz.
SEED_POLAR = [(500, 0.041, 27000, 27, 4.8e-3), (5000, 26.4, 290000, 29, 6.5e-3)]
# An earlier draft: Table 1. (method, rtol, k, seconds), 5000 x 5000; rtol is err_2.
SEED_EARLIER = [
    ("Power Iterations", 0.01, 1, 7.7),
    ("SVDS (thick-restart Lanczos method)", 0.01, 1, 0.18),
    ("PCA Low Rank (RSVD)", 0.01, 1, 1.15),
    ("SVDS (thick-restart Lanczos method)", 0.01, 10, 0.47),
    ("PCA Low Rank (RSVD)", 0.01, 10, 19.4),
    ("SVDS (thick-restart Lanczos method)", 0.01, 100, 1.96),
    ("PCA Low Rank (RSVD)", 0.01, 100, 170),
]
OUR_NAME = {
    "Power Iterations": "power", "RSVD": "randomized", "TRLan": "lanczos",
    "SVDS (thick-restart Lanczos method)": "lanczos", "PCA Low Rank (RSVD)": "randomized",
}


# --- Reading -------------------------------------------------------------------------------------

def median(entry, field):
    """Of the timed runs; None where nobody knows it."""
    values = [s[field] for s in entry["timed"] if s[field] is not None]
    return statistics.median(values) if values else None


def time_of(entry):
    return median(entry, "ms")


class Results:
    def __init__(self, data):
        self.machine = data["machine"]
        self.problems = data["problems"]

    def problem(self, question, matrix, rows, cols, k=None):
        for p in self.problems:
            if ((p["question"], p["matrix"], p["rows"], p["cols"])
                    == (question, matrix, rows, cols) and k in (None, p["k"])):
                return p
        return None


def fastest(problem, **wanted):
    """The entry of least median time among those that reach the limit in the timed runs too."""
    if problem is None:
        return None
    limit, measure = problem["target"]["limit"], problem["target"]["measure"]

    def good(e):
        if not e["reached"] or any(e[field] not in values for field, values in wanted.items()):
            return False
        worst = [median(e, "gap"), median(e, "certified")] if measure == "certified" else [
            median(e, measure)]
        return all(w is not None and w <= limit for w in worst)

    return min(filter(good, problem["entries"]), key=time_of, default=None)


# --- Writing -------------------------------------------------------------------------------------

def number(x, digits=3):
    if x is None:
        return "-"
    if x == 0:
        return "0"
    if abs(x) < 1e-2 or abs(x) >= 1e5:
        return f"{x:.1e}".replace("e-0", "e-").replace("e+0", "e+")
    return f"{x:.{max(0, digits - 1 - math.floor(math.log10(abs(x))))}f}"


def count(x):
    return "-" if x is None else f"{x:.0f}"


def error(x):
    return "-" if x is None else "0" if x == 0 else f"{x:.1e}".replace("e-0", "e-")


def name_of(entry):
    prefix = {"ours": "**fanion** ", "baseline": "fanion ", "peer": ""}[entry["kind"]]
    return prefix + entry["name"]


def table(head, rows):
    align = "".join("---|" if h in ("solver", "setting", "matrix", "method", "by", "target",
                                    "verdict", "compared", "scalar") else "---:|" for h in head)
    return ["| " + " | ".join(head) + " |", "|" + align] + [
        "| " + " | ".join(row) + " |" for row in rows] + [""]


def title(p):
    size = f"{p['rows']} x {p['cols']}"
    return f"{p['matrix']}, {size}" + ("" if p["question"].startswith("polar") else
                                       f", k = {p['k']}")


QUESTIONS = {
    "vectors": "The vectors: err_1 at most {limit}",
    "value": "The value: gap at most {limit}",
    "certified value": "The value, certified: proven gap at most {limit}",
    "polar float": "The polar factor in float: gap at most {limit}",
    "polar double": "The polar factor in double: gap at most {limit}",
    "polar err_1": "The polar factor in double: err_1 at most {limit}",
}


def problem_table(p):
    rows = []
    for e in sorted(p["entries"], key=lambda e: (not e["reached"], time_of(e) or math.inf)):
        ms = [s["ms"] for s in e["timed"]]
        if not ms:
            continue
        shown = [number(statistics.median(ms)),
                 f"{number(min(ms))} to {number(max(ms))}" if len(ms) > 1 else "once"]
        if not e["reached"]:
            shown[1] = "**not reached**"
        rows.append([name_of(e), e["scalar"], str(e["threads"]), e["setting"] or "-"] + shown + [
            count(median(e, f)) for f in ("reads", "products", "iterations")] + [
            error(median(e, f)) for f in ("err1", "err2", "sigma", "gap", "certified")])
    head = ["solver", "scalar", "threads", "setting", "ms", "spread", "reads", "products",
            "iterations", "err_1", "err_2", "error of σ", "gap", "certified"]
    text = QUESTIONS[p["question"]].format(limit=number(p["target"]["limit"]))
    return [f"{text}.", ""] + table(head, rows)


# --- Targets -------------------------------------------------------------------------------------

class Target:
    """One ratio with its limit. `above`: the ratio must be at least the limit."""

    def __init__(self, what, limit, numerator, denominator, above=False, invert=False):
        self.what, self.limit, self.above = what, limit, above
        self.parts = (numerator, denominator)
        known = numerator is not None and denominator is not None
        self.ratio = time_of(numerator) / time_of(denominator) if known else None

    def verdict(self):
        if self.ratio is None:
            return "not reached" if any(self.measured) else "not measured"
        met = self.ratio >= self.limit if self.above else self.ratio <= self.limit
        return "met" if met else "**missed**"

    measured = (False,)

    def compared(self):
        def one(e):
            if e is None:
                return "nobody"
            return (f"{e['name']} {e['scalar']}" + (f" ({e['setting']})" if e["setting"] else "")
                    + f", {number(time_of(e))} ms")
        return f"{one(self.parts[0])} / {one(self.parts[1])}"

    def row(self):
        sign = "≥" if self.above else "≤"
        return [self.what, f"{sign} {self.limit}", number(self.ratio), self.verdict(),
                self.compared()]


def targets(r):
    large = ("Gaussian", 5000, 5000, 5)
    vectors = r.problem("vectors", *large)
    certified = r.problem("certified value", *large)
    peer = fastest(vectors, kind=["peer"])
    double = fastest(vectors, kind=["ours"], scalar=["double"])
    proven = fastest(certified, kind=["ours"], scalar=["double"])
    found = [
        Target("5000 x 5000, k = 5: vectors over the fastest peer's", 0.33, double, peer),
        Target("5000 x 5000, k = 5: certified value over that peer's vectors", 0.15, proven, peer),
        # Not over doubles multiplied in float, which are float themselves.
        Target("5000 x 5000, k = 5: vectors in float over ours in double", 0.6,
               fastest(vectors, kind=["ours"], scalar=["float"]),
               named(vectors, "block_krylov, tol")),
        Target("5000 x 5000, k = 5: certified value in float over ours in double", 0.6,
               fastest(certified, kind=["ours"], scalar=["float"]),
               named(certified, "block_krylov")),
        Target("5000 x 5000, k = 5: vectors multiplied in double over the fastest peer's", 0.33,
               named(vectors, "block_krylov, tol"), peer),
        Target("5000 x 5000, k = 5: certified value in double over that peer's vectors", 0.15,
               named(certified, "block_krylov"), peer),
    ]
    for t in found:
        t.measured = (vectors,)
    for n, limit in ((3072, 0.5), (768, 0.8)):
        p = r.problem("polar float", "Gaussian", 768, n)
        plain = next((e for e in p["entries"] if e["name"] == "Newton-Schulz in Eigen"
                      and e["threads"] == 1), None) if p else None
        found.append(Target(f"768 x {n}: polar factor in float over five plain steps", limit,
                            fastest(p, kind=["ours"], threads=[1]), plain))
        found[-1].measured = (p,)
    for p in r.problems:
        if p["question"] != "polar double":
            continue
        for threads in sorted({e["threads"] for e in p["entries"]}):
            t = Target(f"{title(p)}: fastest full SVD over our polar factor in double, {threads} "
                       f"thread{'s' if threads > 1 else ''}", 2.5,
                       fastest(p, kind=["peer"], threads=[threads]),
                       fastest(p, kind=["ours"], threads=[threads]), above=True)
            t.measured = (p,)
            found.append(t)
    return found


# --- Counts --------------------------------------------------------------------------------------

# Of a Gaussian 5000 x 5000, k = 5, in exact arithmetic: Golub and Kahan's recurrence turns it into
# a bidiagonal with independent entries, on which any Krylov solver with a random start can be
# simulated at the cost of a vector; medians of such runs, made when this page was planned and not by
# a program of this repository.
COUNTS = [
    ("vectors", "block_krylov, 1 column", "products", 224, "1 column to err_1 = 1e-2"),
    ("vectors", "block_krylov, 1 column", "reads", 112, "the same, both products in a read"),
    ("vectors", "block_krylov, 8 columns", "products", 480, "8 columns to err_1 = 1e-2"),
    ("vectors", "block_krylov, 8 columns", "reads", 30, "the same, both products in a read"),
    ("certified value", "block_krylov, 1 column", "products", 105, "1 column to a proven 1e-2"),
    ("certified value", "block_krylov", "reads", 52, "the same, both products in a read"),
]


def counts(r):
    rows = []
    for question, name, field, least, what in COUNTS:
        e = named(r.problem(question, "Gaussian", 5000, 5000, 5), name)
        seen = median(e, field) if e and e["reached"] else None
        if e is None:
            continue
        verdict = ("**does not reach it**" if seen is None
                   else "met" if seen <= 1.3 * least else "**missed**")
        rows.append([f"{question}, {name}: {field}", str(least), what, count(seen),
                     number(seen / least) if seen is not None else "-", verdict])
    return table(["target", "simulated", "by", "here", "ratio", "verdict"], rows)


# --- The seeds -----------------------------------------------------------------------------------

def seconds(e):
    return number(time_of(e) / 1e3) if e else "-"


def named(p, name, kinds=("ours", "baseline"), scalar="double"):
    return next((e for e in p["entries"] if e["name"] == name and e["kind"] in kinds
                 and e["scalar"] == scalar and e["timed"]), None) if p else None


def result_cells(e):
    if e is None:
        return ["not run"] + ["-"] * 4
    late = "" if e["reached"] else " (not reached)"
    return [seconds(e) + late, count(median(e, "products")), count(median(e, "iterations")),
            error(median(e, "err1")), error(median(e, "err2"))]


def seed_leading(r):
    rows = []
    for n, k in dict.fromkeys((s[0], s[1]) for s in SEED_LEADING):
        p = r.problem("vectors", "Gaussian", n, n, k)
        size = f"{n} x {n}"
        for _, _, method, *cells in (s for s in SEED_LEADING if s[:2] == (n, k)):
            t, products, iterations, e1, e2 = cells
            rows.append([size, str(k), method, "draft", f"{t:g}", count(products),
                         count(iterations), error(e1), error(e2)])
            ours = named(p, OUR_NAME[method])
            rows.append([size, str(k), OUR_NAME[method], "here"] + result_cells(ours))
        if p:
            for who, best in (("our fastest", fastest(p, kind=["ours"], scalar=["double"])),
                              ("fastest peer", fastest(p, kind=["peer"]))):
                label = f"{who}: {best['name']}" if best else f"{who}: nobody"
                rows.append([size, str(k), label, "here"] + result_cells(best))
    return table(["matrix", "k", "method", "by", "time (s)", "matvecs", "iterations", "err_1",
                  "err_2"], rows)


def seed_polar(r):
    rows = []
    for n, t, products, iterations, e1 in SEED_POLAR:
        size = f"{n} x {n}"
        rows.append([size, "Newton-Schulz", "draft", f"{t:g}", count(products),
                     count(iterations), error(e1)])
        p = r.problem("polar err_1", "Gaussian", n, n)
        for name in ("newton_schulz, classic", "polar_express"):
            rows.append([size, name, "here"] + result_cells(named(p, name))[:4])
    return table(["matrix", "method", "by", "time (s)", "matvecs", "iterations", "err_1"], rows)


def seed_earlier(r):
    rows = []
    for method, rtol, k, t in SEED_EARLIER:
        p = r.problem("vectors", "Gaussian", 5000, 5000, k)
        e = named(p, OUR_NAME[method])
        cells = result_cells(e)
        rows.append([method, f"{rtol:g}", str(k), f"{t:g}", OUR_NAME[method], cells[0],
                     cells[4]])
    return table(["method", "rtol", "k", "draft's time (s)", "here", "time (s)", "err_2"], rows)


def remark(r):
    """Whether randomized SVD finds the values and not the matrix, and Lanczos the reverse."""
    lines = []
    for n, k in ((500, 5), (500, 50), (5000, 1), (5000, 5), (5000, 10)):
        value, vectors = (r.problem(q, "Gaussian", n, n, k) for q in ("value", "vectors"))
        loose, lanczos_loose = named(value, "randomized"), named(value, "lanczos")
        lanczos = named(vectors, "lanczos")
        cells = [(e, median(e, "sigma"), median(e, "err2")) if e else None
                 for e in (loose, lanczos_loose, lanczos)]
        if any(c is None or c[1] is None or c[2] is None for c in cells):
            continue
        (_, rs, re), (_, ls, le), (_, vs, ve) = cells
        first = "confirmed" if re >= 10 * rs else "denied"
        reverse = "confirmed" if vs > ve and ls > le else "denied"
        same = (" Stopped as early, Lanczos has the same defect." if le >= 10 * ls else "")
        lines.append(
            f"- {n} x {n}, k = {k}: at a gap of 1e-2 randomized SVD has the values to {error(rs)} "
            f"and the matrix (err_2) to {error(re)}: **{first}**. Lanczos at that gap: "
            f"{error(ls)} and {error(le)}; at err_1 = 1e-2: {error(vs)} and {error(ve)}. That it "
            f"finds the matrix better than the values: **{reverse}**.{same}")
    return lines + [""] if lines else ["Not measured.", ""]


# --- Figures -------------------------------------------------------------------------------------

COLOURS = {"ours": "#c0392b", "baseline": "#e5a19a", "peer": "#34495e"}


def figures(r, folder):
    """Deterministic SVG: text stays text, no dates, fixed salt."""
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    matplotlib.rcParams.update({"svg.hashsalt": "fanion", "svg.fonttype": "none",
                                "font.size": 9, "axes.spines.top": False,
                                "axes.spines.right": False})
    folder.mkdir(parents=True, exist_ok=True)
    lines = []

    def save(figure, stem, caption):
        figure.tight_layout()
        figure.savefig(folder / f"{stem}.svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
        lines.extend([f"![{caption}]({folder.name}/{stem}.svg)", ""])

    def bars(p, stem, caption, scalars=("double", "float")):
        entries = sorted((e for e in p["entries"] if e["reached"] and e["timed"]
                          and e["scalar"] in scalars), key=time_of, reverse=True)
        if not entries:
            return
        figure, axes = plt.subplots(figsize=(7, 0.6 + 0.24 * len(entries)))
        for i, e in enumerate(entries):
            ms = [s["ms"] for s in e["timed"]]
            mid = statistics.median(ms)
            axes.barh(i, mid, xerr=[[mid - min(ms)], [max(ms) - mid]], color=COLOURS[e["kind"]],
                      error_kw={"lw": 0.8})
        axes.set_yticks(range(len(entries)),
                        [f"{e['name']}, {e['scalar']}, {e['threads']} thr." for e in entries])
        axes.set_xscale("log")
        axes.set_xlabel("ms")
        axes.set_title(caption, fontsize=9)
        save(figure, stem, caption)

    large = r.problem("vectors", "Gaussian", 5000, 5000, 5)
    if large:
        bars(large, "peers_vectors", "Time to err_1 ≤ 1e-2, Gaussian 5000 x 5000, k = 5")
        figure, axes = plt.subplots(figsize=(9, 4))
        names = sorted({(e["kind"], e["name"], e["scalar"]) for e in large["entries"]})
        for i, key in enumerate(names):
            e = next(e for e in large["entries"] if (e["kind"], e["name"], e["scalar"]) == key)
            points = [(s["ms"], s["err1"]) for s in e["tried"] if s["err1"]]
            if points:
                axes.plot(*zip(*points), linestyle="", marker="osv^D*Px<>hd+"[i % 13],
                          markersize=8 if e["kind"] == "ours" else 4,
                          color=COLOURS["ours"] if e["kind"] == "ours" else plt.cm.tab20(i % 20),
                          label=f"{e['name']}, {e['scalar']}")
        axes.axhline(1e-2, color="grey", lw=0.7)
        axes.set_xscale("log"), axes.set_yscale("log")
        axes.set_xlabel("ms"), axes.set_ylabel("err_1")
        axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        caption = "Every setting tried, Gaussian 5000 x 5000, k = 5"
        axes.set_title(caption, fontsize=9)
        save(figure, "peers_settings", caption)

    by_depth = {}
    for p in r.problems:
        if p["question"] == "vectors" and p["matrix"] == "Gaussian" and p["rows"] == 5000:
            for e in p["entries"]:
                if e["reached"] and e["timed"]:
                    key = (e["kind"], e["name"], e["scalar"])
                    by_depth.setdefault(key, []).append((p["k"], time_of(e)))
    if any(len(points) > 1 for points in by_depth.values()):
        figure, axes = plt.subplots(figsize=(9, 4))
        for i, (key, points) in enumerate(sorted(by_depth.items())):
            axes.plot(*zip(*sorted(points)), marker="osv^D*Px<>hd+"[i % 13], markersize=4,
                      lw=2 if key[0] == "ours" else 0.8,
                      color=COLOURS["ours"] if key[0] == "ours" else plt.cm.tab20(i % 20),
                      label=f"{key[1]}, {key[2]}")
        axes.set_xscale("log"), axes.set_yscale("log")
        axes.set_xlabel("k"), axes.set_ylabel("ms")
        axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        caption = "Time to err_1 ≤ 1e-2 by depth, Gaussian 5000 x 5000"
        axes.set_title(caption, fontsize=9)
        save(figure, "peers_depth", caption)

    for scalar in ("float", "double"):
        p = r.problem(f"polar {scalar}", "Gaussian", 768, 3072)
        if p:
            limit = number(p["target"]["limit"])
            shown = {**p, "entries": [
                {**e, "reached": e["reached"] or "Newton" in e["name"]} for e in p["entries"]]}
            bars(shown, f"peers_polar_{scalar}",
                 f"Polar factor in {scalar}, gap ≤ {limit} (five plain steps reach none), "
                 "768 x 3072")
    return lines


# --- The page ------------------------------------------------------------------------------------

def machine_lines(m):
    versions = "; ".join(f"{name} {version}" for name, version in sorted(m["versions"].items()))
    return [
        f"{m['cores']} cores of {m['processor']}, {m['compiler']}, `{m['flags']}`, {m['threads']} "
        f"threads where a row does not say 1, seed {m['seed']}. {versions}.",
        ""] + (["**This is the quick run: it shows that everything works and measures nothing.**",
                ""] if m["quick"] else [])


def page(r, figure_lines):
    lines = machine_lines(r.machine) + ["### Targets", ""]
    lines += table(["target", "limit", "ratio", "verdict", "compared"],
                   [t.row() for t in targets(r)])
    lines += ["Counts at 5000 x 5000, k = 5, medians over the rounds' starts, beside those of the "
              "method simulated in exact arithmetic, which were taken before there was this "
              "library and by no program of it; the read for ‖A‖ is among ours. At most 1.3 times "
              "those is wanted.", ""] + counts(r)
    lines += figure_lines
    lines += ["### The drafts' tables beside ours", "",
              "Table 1 of the draft of arXiv 2512.09678 (on the authors' machine) and the same "
              "columns here: each method stopped at the first err_1 ≤ 1e-2.", ""]
    lines += seed_leading(r) + ["Its Table 2, the polar factor by Newton-Schulz:", ""]
    lines += seed_polar(r)
    lines += ["Table 1 of an earlier draft, 5000 x 5000:", ""] + seed_earlier(r)
    lines += ["The drafts remark that randomized SVD finds the singular values but not the "
              "matrix, and Lanczos the reverse. Here:", ""] + remark(r)
    lines += ["### Every row", ""]
    for key in dict.fromkeys(title(p) for p in r.problems):
        same = [p for p in r.problems if title(p) == key]
        lines += ["<details>", f"<summary>{key}</summary>", ""]
        truth = same[0]["truth"]
        note = f"Reference: residual {error(truth['residual'])}"
        if truth["cross_check"] is not None:
            note += f", err_1 of the cross-check {error(truth['cross_check'])}"
        if truth["separation"] is not None:
            note += f"; σ(k+1) is {error(truth['separation'])} below σ(k)"
        lines += [note + ".", ""]
        for p in same:
            lines += problem_table(p)
        lines += ["</details>", ""]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("json", type=pathlib.Path)
    parser.add_argument("--docs", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    r = Results(json.loads(arguments.json.read_text()))
    path = arguments.docs / "benchmarks.md"
    text = path.read_text()
    if BEGIN not in text or END not in text:
        sys.exit(f"{path}: no {BEGIN} … {END}")
    lines = page(r, figures(r, arguments.docs / "figures"))
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + END + after)
    for t in targets(r):
        what, limit, ratio, verdict, compared = t.row()
        print(f"{ratio:>8} ({limit}) {verdict.strip('*'):>12}  {what}: {compared}")


if __name__ == "__main__":
    main()
