"""The results of the README, every figure out of a result file of benchmarks/results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
RECIPES = (
    ("fast", "`fast`", "same layers, 16 and 48 filters, {epochs} epoch"),
    ("classic", "`classic`, default", "same network, {epochs} epochs, one-cycle"),
    ("robust", "`robust`, reads", "same network, {epochs} epochs, augmented, averaged"),
    ("strong", "`strong`", "five convolutions, {epochs} epochs, augmented, averaged, {teachers} teachers"),
)
"""The measured recipes, what the table calls them, and what they are."""


def results_block() -> str:
    """The README's results, every figure out of a result file."""
    training, inference, startup = (_result(name) for name in ("training", "inference", "startup"))
    augment = _result("augment")
    rows = [
        "| recipe | what it is | test accuracy, mean ± standard deviation | seeds | misses of 10,000 | fit, median |",
        "|---|---|---|---|---|---|",
        _row(
            "`seed`, as plain Keras", "examples/plain_keras.py, 12 epochs", training["ways"]["plain_keras"], same=True
        ),
        *(
            _row(name, what.format(**result["recipe"]), _runs(result), training["ways"].get(recipe))
            for recipe, name, what in RECIPES
            if (result := _result(recipe))
        ),
    ]
    classic, fast = (training["times_faster"][name]["median"] for name in ("classic", "fast"))
    precision = training["execution"]["classic"]["precision"]
    lines = [
        *rows,
        "",
        f"- `classic` fits **{classic:.1f} times faster** than the plain script's twelve epochs, `fast` **{fast:.1f} "
        f"times** (median of the ratios of {training['rounds']} rounds in turns, "
        f"{precision.removeprefix('mixed_')} inside the fit; `benchmarks/training.py`).",
        f"- ONNX Runtime answers **{inference['images_per_second']['digitscope']:,.0f} images/s**, "
        f"{inference['times_keras_default']:.1f} times Keras' `predict` in the same run "
        f"({inference['times_keras_best_batch']:.1f} times at Keras' best batch size; `benchmarks/inference.py`).",
        "- A cold `digitscope read digit.png --single` takes "
        f"{startup['seconds']['read digit.png --single']['median']:.2f} s, "
        f"`digitscope --help` {startup['seconds']['--help']['median']:.2f} s (median of 7; `benchmarks/startup.py`).",
        f"- The augmentation makes {augment['images_per_second']:,.0f} images/s on one core (`benchmarks/augment.py`).",
        *_backends(),
        "",
        f"Machine: {training['machine']}. The times of `robust`, `strong` and of `classic` under "
        "each backend were taken beside other work.",
        *_digits(),
        *_numbers(),
    ]
    return "\n".join(lines)


SETS = {
    "kensanata_numbers": "kensanata: ballpoint digits of seven writers, photographed",
    "ardis_iv": "ARDIS IV: Swedish church records, 28x28",
    "usps": "USPS: post codes, 16x16",
    "self_drawn": "digits people drew to try their own models",
    "sudoku_scanner": "sudoku cells off phone photos, handwritten and printed",
    "orand_car_a_fzkuji": "ORAND-CAR-A: amounts cut from bank cheques, 40 to 60 px high",
    "string_photos": "photos of handwritten numbers",
    "checks_mock": "amounts of mock US cheques",
}
"""What each development set holds."""


def _backends() -> list[str]:
    """What the same recipe comes to under each of Keras' backends."""
    lines = []
    for name, found in _result("backends")["recipes"].items():
        words = [
            f"{backend} {100 * its['mean']:.2f} ± {100 * its['deviation']:.2f} % in {its['fit_seconds']:.1f} s"
            for backend, its in found["backends"].items()
        ]
        seeds = min(its["seeds"] for its in found["backends"].values())
        lines.append(f"- `{name}` under each backend, {seeds} seeds: {', '.join(words)} (`benchmarks/backends.py`).")
    return lines


def _digits() -> list[str]:
    reading = _result("reading")
    lines = [
        "",
        "Single digits that people wrote elsewhere, read with `robust` from the picture as it came. No network was",
        "trained or calibrated on these sets, but ideas were compared on them, so expect somewhat less on pictures of",
        "your own. Best guess counts every digit, answered or refused (`benchmarks/reading.py`; the sets do not ship).",
        "",
        "| set | n | best guess right | careful CNN | RapidOCR | answered | right among answered |",
        "|---|---|---|---|---|---|---|",
    ]
    peers = _result("peers")
    for name, others in peers["digits"]["right"].items():
        row = reading["sets"][name]
        lines.append(
            f"| {SETS[name]} | {row['n']:,} | {_best_bold([row['best_guess_right'], *others.values()])} "
            f"| {row['accepted']:.1f} % | {row['right_of_accepted']:.1f} % |"
        )
    blank = reading["sets"]["sudoku_scanner"]
    told = reading["digit_probability"]
    kinds = ("clothing", "empty cells", "letters A to H")
    areas = ", ".join(f"from {kind} with {told[kind]['auroc']:.4f}" for kind in kinds)
    refused = {
        "pieces of clothing (Fashion-MNIST)": reading["sets"]["ood_fashion"],
        "letters A to H (notMNIST)": reading["sets"]["ood_notmnist_AH"],
        "blank sudoku cells": blank,
    }
    words = [f"{row['refused']:.1f} % of {row['n_without_digit']:,} {what}" for what, row in refused.items()]
    return [
        *lines,
        "",
        f"The columns of peers were measured once, not in the same run: {peers['digits']['how']}.",
        "",
        f"What is no digit: refused are {', '.join(words)}. `digit_probability` tells digits {areas} area under the "
        "ROC curve.",
    ]


def _best_bold(rates: list[float]) -> str:
    """Rates in per cent as cells of a table, the highest in bold."""
    shown = [f"{rate:.1f} %" for rate in rates]
    return " | ".join(f"**{text}**" if rate == max(rates) else text for text, rate in zip(shown, rates, strict=True))


def _numbers() -> list[str]:
    strings, cost = _result("strings"), _result("reading_cost")
    if not strings or not cost:
        return []
    lines = [
        "",
        "Whole numbers, from the picture as it came, by both engines: `own` is the default, `ocr` takes RapidOCR's",
        "network as well (extra `ocr`). Lines read exactly, best guesses, with the 95 % interval",
        "(`benchmarks/strings.py`); answered = pages given without a refusal, and what is right among them. As above,",
        "ideas were compared on these sets.",
        "",
        "| set | pages, lines | engine | exact lines | answered | right among answered | RapidOCR | Tesseract "
        "| contours + CNN |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    peers = _result("peers")["lines"]
    for name, others in peers["right"].items():
        for engine, sets in strings["engines"].items():
            row = sets[name]
            low, high = row["interval"]
            lines.append(
                f"| {SETS[name]} | {row['n']}, {row['lines']} | `{engine}` | {row['best_guess_right']:.1f} % "
                f"({low:.0f} to {high:.0f}) | {row['accepted']:.0f} % | {row['right_of_accepted']:.1f} % "
                f"| {' | '.join(f'{rate} %' for rate in others.values())} |"
            )
    crops, photos, memory = cost["crops"], cost["photos"], cost["memory_of_20_megapixels_mb"]
    return [
        *lines,
        "",
        f"The columns of peers were measured once, not in the same run: {peers['how']}. About 2 % of the labels of "
        "ORAND-CAR-A are wrong.",
        "",
        f"Engine `own` beside RapidOCR in one run (`benchmarks/reading_cost.py`): a line crop {crops['own_ms']:.1f} ms "
        f"against {crops['rapidocr_ms']:.1f} of its recognition alone, a photo {photos['own_ms']:.0f} ms against "
        f"{photos['rapidocr_ms']:.0f}; picture by picture it is {crops['times_faster']:.1f} and "
        f"{photos['times_faster']:.1f} times faster (medians). "
        f"A cold `digitscope read photo.jpg` takes {cost['cold_read_seconds']:.2f} s; a photo of 20 megapixels takes "
        f"{max(memory.values())} MB of memory.",
    ]


def _runs(result: dict[str, Any]) -> list[dict[str, float]]:
    return [{"accuracy": run["accuracy"], "seconds": run["fit_seconds"]} for run in result["runs"]]


def _row(
    name: str, what: str, runs: list[dict[str, float]], timed: list[dict[str, float]] | None = None, same: bool = False
) -> str:
    accuracy = np.array([run["accuracy"] for run in runs][: 1 if same else None]) * 100
    spread = f"{accuracy.mean():.2f} ± {accuracy.std(ddof=1):.2f} %" if len(accuracy) > 1 else f"{accuracy[0]:.2f} %"
    seconds = float(np.median([run["seconds"] for run in timed or runs]))
    return f"| {name} | {what} | {spread} | {len(accuracy)} | {100 * (100 - accuracy.mean()):.0f} | {seconds:.1f} s |"


def _result(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
