"""The README's table of recipes and the page docs/results.md; every figure comes from a file in benchmarks/results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from made_up_tables import crops_section, lines_section, writers_section
from peer_tables import digit_section, number_section
from robustness_tables import readme_line, robustness_section
from service_tables import service_section

from digitscope.formatting import duration, markdown_table, mean_percent, number, percent
from digitscope.reading.page import SURE
from digitscope.reading.recognition import ENGINES

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
RECIPES = (
    ("fast", "`fast`", "same layers with 16 and 48 filters, {epochs} epoch"),
    ("classic", "`classic`, default", "same network, {epochs} epochs, one-cycle learning rate"),
    ("robust", "`robust`", "same network, {epochs} epochs, augmented, averaged weights"),
    (
        "strong",
        "`strong`",
        "five convolutions, {epochs} epochs, augmented, averaged weights, distilled from {teachers} "
        "networks of its kind",
    ),
    (
        "hardened",
        "`hardened`",
        "the network of `strong` alone, {epochs} epochs, augmented and disturbed, averaged weights",
    ),
)
"""The recipes: result file, name in the table, description; one that has not been measured is left out."""

ACCURACY = "test accuracy, mean ± standard deviation"
INTRODUCTION = """\
# Results

Written by `make docs` from the files in `benchmarks/results`, which also record machine, versions and command. The
accuracy of the recipes is in the [README](../README.md#results); how they were chosen, and what failed, is in
[experiments.md](experiments.md)."""

NON_DIGITS = """\
## What is no digit

Whether an image shows a digit at all is judged by the detector of each shipped model, at the threshold that keeps
{kept} of the training digits set aside. Nothing in these tables was seen by a fit, and none of the digits is a test
image (`benchmarks/fit_known.py --measure`). The last row is drawn anew of the kinds from which the detectors learned;
the others are of other kinds."""

PROCESSORS = {
    "training": "multiply in bfloat16 (AVX-512)",
    "training-avx2": "have AVX2 only, as in most laptops, imitated; `robust` and `strong` computed from one epoch",
}
WAYS = ("plain_keras", "classic", "fast", "robust", "strong")

OPENINGS = """\
Every time that a program in `benchmarks` measured networks on MNIST's 10,000 test images
(`benchmarks/results/test-openings.json`). The entries of 2026-11-20 were put together from the git history, with the
commit that recorded the figures; the programs write the others themselves, with the commit that ran (`-dirty`, cut off
here, marks changed files). No recipe was chosen by a result here ([experiments.md](experiments.md) says by what), but
the test images are no longer fresh: whoever worked on a recipe knew the results before. Not listed is what measures on
them to show something: the guide, the demo, the tests, and trainings of your own."""


def recipe_table() -> str:
    """The README's table: every recipe with its test accuracy and the time of the same fits, and the machine."""
    known = [one for one in RECIPES if (RESULTS / f"{one[0]}.json").exists()]
    measured = {"plain_keras": _plain_keras()} | {recipe: result(recipe) for recipe, _, _ in known}
    names = {"plain_keras": ("`seed`, as plain Keras", "examples/plain_keras.py, {epochs} epochs")}
    names |= {recipe: (name, what) for recipe, name, what in known}
    rows = [
        [name, what.format(**measured[recipe]["recipe"]), *_accuracy_and_time(measured[recipe]["runs"])]
        for recipe, (name, what) in names.items()
    ]
    head = ("recipe", "what it is", ACCURACY, "seeds", "misses of 10,000", "fit, median")
    note = f"Machine: {'; '.join(dict.fromkeys(result['machine'] for result in measured.values()))}."
    busy = [names[name][0].partition(",")[0] for name, result in measured.items() if _timed_beside_other_work(result)]
    if busy:
        note += f" {_listed(busy)} {'was' if len(busy) == 1 else 'were'} timed while it did other work."
    parts = [
        markdown_table(head, rows),
        f"{note} How long a fit takes depends on the processor:",
        processor_table(),
        readme_line(result("corruptions")),
    ]
    return "\n\n".join(parts)


def processor_table() -> str:
    """The time of a fit on each kind of processor that was measured."""
    rows = [_processor_row(name) for name in PROCESSORS]
    head = ("two cores that", "plain Keras, 12 epochs", *(f"`{name}`" for name in WAYS[1:]),
            "`classic` and `fast` are faster")  # fmt: skip
    return markdown_table(head, rows)


def _processor_row(name: str) -> list[str]:
    """Median seconds of the fits on one kind of processor; those of the long recipes may be computed from one epoch."""
    found = result(name)
    seconds = {way: float(np.median([run["seconds"] for run in runs])) for way, runs in found["ways"].items()}
    for recipe in ("robust", "strong"):
        if recipe in found.get("passes", {}):
            seconds[recipe] = found["passes"][recipe]["computed_fit_seconds"]
        else:
            seconds[recipe] = float(np.median([run["fit_seconds"] for run in result(recipe)["runs"]]))
    ratios = [f"{found['times_faster'][recipe]['median']:.1f} times" for recipe in ("classic", "fast")]
    return [PROCESSORS[name], *(duration(seconds[way]) for way in WAYS), _listed(ratios)]


def results_page() -> str:
    """docs/results.md: speed, backends, single digits, whole numbers, openings of the test split."""
    peers = result("peers")
    digits = [
        *robustness_section(result("corruptions")),
        *digit_section(peers),
        *writers_section(result("reader-digit")),
        *crops_section(result("crops")),
    ]
    lines = lines_section({engine: result(f"calibration-{engine}") for engine in ENGINES}, SURE)
    read = [*digits, *_non_digits(), *number_section(peers), *lines]
    parts = [*_speed(), *_backends(), *_service(), *read, *_cost(), *_openings()]
    return "\n\n".join([INTRODUCTION, *parts]) + "\n"


def _speed() -> list[str]:
    """How long training, predicting, starting and augmenting take."""
    training, inference, startup, augment = map(result, ("training", "inference", "startup", "augment"))
    classic, fast = (training["times_faster"][name]["median"] for name in ("classic", "fast"))
    precision = training["execution"]["classic"]["precision"].removeprefix("mixed_")
    rate, seconds = inference["images_per_second"]["digitscope"], startup["seconds"]
    libraries = "import of NumPy, OpenCV, Pillow and ONNX Runtime"
    lines = [
        f"- `classic` trains **{classic:.1f} times faster** than the twelve epochs of `examples/plain_keras.py`, "
        f"`fast` **{fast:.1f} times** (median ratio of {training['rounds']} rounds in which they took turns; "
        f"{precision} inside the fit; `benchmarks/training.py`).",
        f"- ONNX Runtime classifies **{rate:,.0f} images/s**, {inference['times_keras_default']:.1f} times as many as "
        f"Keras' `predict` in the same run ({inference['times_keras_best_batch']:.1f} times at Keras' best batch size; "
        "`benchmarks/inference.py`).",
        f"- `digitscope read digit.png --single` takes {seconds['read digit.png --single']['median']:.2f} s from a "
        f"cold start, `digitscope --help` {seconds['--help']['median']:.2f} s (median of "
        f"{len(seconds['--help']['each'])}; `benchmarks/startup.py`). Of the first, the {libraries} takes "
        f"{startup['steps_ms'][libraries]['median'] / 1000:.2f} s.",
        f"- The augmentation makes {augment['images_per_second']:,.0f} images/s on one core (`benchmarks/augment.py`).",
    ]
    return ["## Speed", "\n".join(lines), f"Machine: {training['machine']}."]


def _service() -> list[str]:
    """How fast the service is and what it bears; nothing before both have been measured."""
    names = ("service", "hostile_requests")
    if not all((RESULTS / f"{name}.json").exists() for name in names):
        return []
    return service_section(*map(result, names))


def _backends() -> list[str]:
    """The same recipes under each of Keras' backends."""
    rows = [
        [f"`{name}`", backend, mean_percent(its["mean"], its["deviation"]), f"{its['seeds']}",
         f"{its['fit_seconds']:.1f} s"]
        for name, found in result("backends")["recipes"].items()
        for backend, its in found["backends"].items()
    ]  # fmt: skip
    head = ("recipe", "backend", ACCURACY, "seeds", "fit, median")
    note = "`classic` was timed while the machine did other work (`benchmarks/backends.py`)."
    return ["## Backends", markdown_table(head, rows), note]


def _non_digits() -> list[str]:
    """How many drawings that show no digit the detector of each shipped model takes for one."""
    known = result("known")
    rows = [
        [kind, f"{n:,}", *(percent(its[group][kind], 1) for its in known["models"].values())]
        for group in ("digits", "others")
        for kind, n in known["n"][group].items()
    ]
    first = len(known["n"]["digits"])
    names = [f"`{name}`" for name in known["models"]]
    return [
        NON_DIGITS.format(kept=percent(known["kept"], 0)),
        markdown_table(("digits kept", "n", *names), rows[:first]),
        markdown_table(("no digits, taken for digits", "n", *names), rows[first:]),
    ]


def _cost() -> list[str]:
    """What reading a number costs with either engine, beside RapidOCR."""
    cost = result("reading_cost")
    crops, busy, photos = cost["crops"], cost["crops_beside_busy_loops"], cost["photos"]
    names = {"own": "`own`", "ocr": "`ocr`", "rapidocr": "RapidOCR, its recogniser alone for a crop"}
    rows = [
        [names[name], *(f"{kind[name]['ms']:.1f} ({' to '.join(f'{q:.1f}' for q in kind[name]['quartiles_ms'])})"
                        for kind in (crops, busy, photos)), f"{crops[name]['mean_ms']:.1f}",
         f"{crops[name]['processor_ms']:.1f}"]
        for name in names
    ]  # fmt: skip
    head = ("engine", "crop, ms", f"crop beside {busy['loops']} busy loops, ms", "photo, ms", "crop, mean ms",
            "crop, ms of processor time")  # fmt: skip
    beside = " The machine did other work meanwhile." if cost["beside_other_work"] else ""
    return [
        "## What reading costs",
        f"Both engines and RapidOCR read the same {crops['n']} crops of a line and {photos['n']} photos in one run, "
        f"each {crops['rounds']} times in turns (`benchmarks/reading_cost.py`): the median and the middle half of the "
        f"pictures.{beside}",
        markdown_table(head, rows),
        f"Picture by picture, `own` is {crops['times_faster']:.1f} times faster than RapidOCR on crops and "
        f"{photos['times_faster']:.1f} times on photos (medians). `ocr` looks again where its two networks disagree, "
        "so its mean is above its median.",
        f"`digitscope read photo.jpg` takes {cost['cold_read_seconds']:.2f} s from a cold start. A photo of "
        f"20 megapixels takes up to {max(cost['memory_of_20_megapixels_mb'].values())} MB of memory.",
        f"Machine: {cost['machine']}{_widest(cost['features'])}.",
    ]


def _widest(features: list[str]) -> str:
    """What the processor multiplies with, which decides how long the networks take."""
    return ", AVX-512" if "avx512f" in features else ", AVX2" if "avx2" in features else ""


def _openings() -> list[str]:
    """Every time that the test split was opened, with what followed."""
    record = json.loads((RESULTS / "test-openings.json").read_text(encoding="utf-8"))
    rows = [
        [opening["date"], f"`{opening['commit'][:7]}`", opening["program"].removeprefix("benchmarks/"),
         _kind(opening, record), _seeds(opening["seeds"]), _spread_of(opening["results"], opening["seeds"]),
         opening["followed"]]
        for opening in record
    ]  # fmt: skip
    head = ("date", "commit", "program", "networks", "seeds", "right", "what followed")
    return ["## Openings of the test split", OPENINGS, markdown_table(head, rows)]


def _kind(opening: dict[str, Any], record: list[dict[str, Any]]) -> str:
    """What was measured; where the settings of such networks were not always the same, those that changed."""
    same = [other["settings"] for other in record if other["what"] == opening["what"]]
    changed = {key for other in same for key in other if any(key in one and one[key] != other[key] for one in same)}
    shown = ", ".join(f"{key}={value}" for key, value in opening["settings"].items() if key in changed)
    return f"{opening['what']} ({shown})" if shown else opening["what"]


def _seeds(seeds: list[int]) -> str:
    """Seeds in a row as first and last."""
    in_a_row = len(seeds) > 1 and seeds == list(range(seeds[0], seeds[-1] + 1))
    return f"{seeds[0]} to {seeds[-1]}" if in_a_row else ", ".join(map(str, dict.fromkeys(seeds)))


def _spread_of(shares: list[float], seeds: list[int]) -> str:
    """Mean and deviation over seeds; of other networks the lowest and the highest share."""
    if len(set(shares)) == 1:
        return percent(shares[0])
    if len(set(seeds)) == len(seeds):
        return mean_percent(float(np.mean(shares)), float(np.std(shares, ddof=1)))
    return f"{percent(min(shares))} to {percent(max(shares))}"


def _plain_keras() -> dict[str, Any]:
    """The plain script's runs: a seed each; as long as ``ship.py`` has none, those of ``training.py``, all seed 0."""
    if (RESULTS / "plain_keras.json").exists():
        return result("plain_keras")
    training = result("training")
    ways = training["ways"]["plain_keras"]
    runs = [{"seed": 0, "accuracy": round(run["accuracy"], 4), "fit_seconds": run["seconds"]} for run in ways]
    return {"machine": training["machine"], "recipe": {"epochs": 12}, "runs": runs}


def _accuracy_and_time(runs: list[dict[str, Any]]) -> list[str]:
    """Accuracy, seeds, misses and median seconds of the same runs."""
    accuracy = {run["seed"]: run["accuracy"] for run in runs}
    shares = list(accuracy.values())
    mean = float(np.mean(shares))
    shown = mean_percent(mean, float(np.std(shares, ddof=1))) if len(shares) > 1 else percent(mean)
    misses = number(10_000 * (1 - mean), 1 if len(shares) > 1 else 0)
    return [shown, f"{len(shares)}", misses, f"{np.median([run['fit_seconds'] for run in runs]):.1f} s"]


def _timed_beside_other_work(result: dict[str, Any]) -> bool:
    """Whether the machine did other work during any of the fits, as far as that was recorded."""
    return any(run.get("beside_other_work") for run in result["runs"])


def _listed(parts: list[str]) -> str:
    """Parts of a sentence, joined by commas and a last "and"."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def result(name: str) -> dict[str, Any]:
    """What is in benchmarks/results/NAME.json."""
    return dict(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))
