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
    ("strong", "`strong`", "five convolutions, {epochs} epochs, augmented, averaged"),
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
        f"times** (median of {training['rounds']} rounds in turns, {precision.removeprefix('mixed_')} inside the fit; "
        "`benchmarks/training.py`).",
        f"- ONNX Runtime answers **{inference['images_per_second']['digitscope']:,.0f} images/s**, "
        f"{inference['times_keras_default']:.1f} times Keras' `predict` in the same run "
        f"({inference['times_keras_best_batch']:.1f} times at Keras' best batch size; `benchmarks/inference.py`).",
        "- A cold `digitscope read digit.png --single` takes "
        f"{startup['seconds']['read digit.png --single']['median']:.2f} s, "
        f"`digitscope --help` {startup['seconds']['--help']['median']:.2f} s (median of 7; `benchmarks/startup.py`).",
        f"- The augmentation makes {augment['images_per_second']:,.0f} images/s on one core (`benchmarks/augment.py`).",
        "",
        f"Machine: {training['machine']}. The times of `robust` and `strong` were taken beside other work.",
        *_digits(),
        *_numbers(),
    ]
    return "\n".join(lines)


PEERS = {
    "kensanata_numbers": ("ballpoint digits of seven writers, photographed", 87.7, 92.0),
    "ardis_iv": ("Swedish church records, 28x28", 87.8, 92.3),
    "usps": ("US post, 16x16", 97.7, 96.0),
    "self_drawn": ("digits people drew to try their own models", 95.5, 95.5),
    "sudoku_scanner": ("sudoku cells off phone photos, handwritten and printed", 92.5, 100.0),
}
"""What each set holds, and what peers reach on it, in per cent: a careful pipeline with the plain CNN, RapidOCR with
letters mapped. The peers' figures were measured once, by those who put the sets together, with the same scorer."""

PEERS_ON_LINES = {
    "orand_car_a_fzkuji": ("amounts cut from bank checks, 40 to 60 px high", 81.9, 5.9, 18.4),
    "string_photos": ("photos of handwritten numbers", 47.4, 7.9, 34.2),
    "checks_mock": ("amount fields of mock US checks", 96.3, 0.0, 0.0),
}
"""The same for lines: the best of RapidOCR's four ways, of Tesseract's two, and of the tutorials' contours and CNN."""


def _digits() -> list[str]:
    reading = _result("reading")
    lines = [
        "",
        "Single digits that people wrote elsewhere, read with `robust` from the picture as it came (development sets,",
        "never trained on; `benchmarks/reading.py`). Best guess counts every digit, answered or refused.",
        "",
        "| set | n | best guess right | careful CNN | RapidOCR | answered | right among answered |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, (what, careful, rapid) in PEERS.items():
        row = reading["sets"][name]
        lines.append(
            f"| {what} | {row['n']:,} | **{row['best_guess_right']:.1f} %** | {careful} % | {rapid} % "
            f"| {row['accepted']:.1f} % | {row['right_of_accepted']:.1f} % |"
        )
    blank = reading["sets"]["sudoku_scanner"]
    lines += ["", f"Of {blank['n_without_digit']} blank sudoku cells, {blank['left_empty']:.1f} % are left empty."]
    told = reading["digit_probability"]
    kinds = ("clothing", "empty cells", "letters A to H")
    areas = ", ".join(f"from {kind} with {told[kind]['auroc']:.4f}" for kind in kinds)
    taken = ", ".join(f"{told[kind]['taken_at_99']:.1f} % of {told[kind]['n']:,} {kind}" for kind in kinds)
    lines.append(
        f"`digit_probability` tells digits {areas} area under the ROC curve; where 99 % of the digits are kept, "
        f"{taken} pass for digits."
    )
    return lines


def _numbers() -> list[str]:
    strings, cost = _result("strings"), _result("reading_cost")
    if not strings or not cost:
        return []
    lines = [
        "",
        "Whole numbers, from the picture as it came, by both engines: `own` is the default, `ocr` takes RapidOCR's",
        "network as well (extra `ocr`). Lines read exactly, best guesses, with the 95 % interval",
        "(`benchmarks/strings.py`); answered = pages given without a refusal, and what is right among them.",
        "",
        "| set | pages, lines | engine | exact lines | answered | right among answered | RapidOCR | Tesseract "
        "| contours + CNN |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, (what, *peers) in PEERS_ON_LINES.items():
        for engine, sets in strings["engines"].items():
            row = sets[name]
            low, high = row["interval"]
            lines.append(
                f"| {what} | {row['n']}, {row['lines']} | `{engine}` | **{row['best_guess_right']:.1f} %** "
                f"({low:.0f} to {high:.0f}) | {row['accepted']:.0f} % | {row['right_of_accepted']:.1f} % "
                f"| {' | '.join(f'{peer} %' for peer in peers)} |"
            )
    crops, photos, memory = cost["crops"], cost["photos"], cost["memory_of_20_megapixels_mb"]
    return [
        *lines,
        "",
        f"Engine `own` beside RapidOCR in one run (`benchmarks/reading_cost.py`): a line crop {crops['own_ms']:.1f} ms "
        f"against {crops['rapidocr_ms']:.1f} of its recognition alone ({crops['times_faster']:.1f} times faster), "
        f"a photo {photos['own_ms']:.0f} ms against {photos['rapidocr_ms']:.0f} ({photos['times_faster']:.1f} times). "
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
