"""What the story says about the run as a whole: its result, its loss, its mistakes, its settings.

How it was trained is told by ``web.report.training``.
"""

from __future__ import annotations

import math
import shlex
from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope import __version__
from digitscope.datasets.mnist import UNCLEAR_TEST_LABELS, WRONG_TEST_LABELS
from digitscope.models.metrics import wilson_interval
from digitscope.models.model import load, network_input, shipped
from digitscope.training.recipes import RECIPES
from digitscope.web.report import training
from digitscope.web.report.html import (
    Html,
    a,
    bright,
    count,
    duration,
    gallery,
    join,
    markup,
    number,
    percent,
    picture,
    rough_share,
    share,
    table,
    times,
    tiny,
)
from digitscope.web.report.record import Record

LISTED = 12
"""Mistakes in the gallery."""

MODEST = 0.005
"""By so much the accuracy lies above the mean confidence of a network that is called too modest."""

BUILD = ("filters", "convolutions", "kernel", "pooling", "last_filters", "dense")
"""What a recipe says about the network itself. The comparisons were made with that of ``classic``."""


def facts(record: Record) -> dict[str, Any]:
    """Everything that the chapters say that is not about the inside of the network or the comparisons."""
    return (
        _result(record)
        | _scaling(record)
        | training.facts(record)
        | _loss(record)
        | _accuracy(record)
        | _errors(record)
        | _recipes(record)
        | _run_table(record)
        | {"version": __version__, "lens": (record.folder / "lens.html").is_file()}
    )


def _result(record: Record) -> dict[str, Any]:
    found, lens = record.evaluation, record.lens
    looks = int(record.metrics["train_n"]) * record.recipe.all_epochs
    return {
        "recipe": record.recipe.name, "changes": _changes(record), "seed": record.config["seed"],
        "mnist": record.data.is_mnist,
        "data_name": "MNIST" if record.data.is_mnist else record.data.name, "run_name": shlex.quote(str(record.folder)),
        "title": f"How a network reads digits: {percent(found.accuracy)} of {count(found.n)}",
        "accuracy": percent(found.accuracy), "misses": count(found.misses) if found.misses else 0, "n": count(found.n),
        "weak": found.accuracy < 0.98, "above_99": found.accuracy > 0.99,
        "right": count(found.n - found.misses), "misses_n": count(found.misses), "one_digit": percent(1 / found.n),
        "one_in": count(found.n / max(found.misses, 1)),
        "loss": number(found.loss, 4), "loss_guess": number(math.log(10), 2),
        "fit_time": duration(float(record.metrics["fit_seconds"])), "looks": count(looks),
        "parameters": count(record.metrics["parameters"]), "train_n": count(record.metrics["train_n"]),
        "train_n_plain": int(record.metrics["train_n"]), "epochs_times": times(record.recipe.epochs),
        "batch_size": record.recipe.batch_size, "augmented": record.recipe.augment > 0,
        "digit_index": record.index, "digit_label": record.label, "digit_answer": lens.answer,
        "a_digit": a(record.label),
        "digit_large": picture(bright(lens.image, 1), f"{a(record.label).capitalize()} in handwriting, white on black"),
        "digit_bars": _bars(lens.probabilities),
    }  # fmt: skip


def _changes(record: Record) -> str:
    """What sets the run apart from its recipe: ``, with epochs=1``; nothing for an old run, which does not say."""
    settings = record.config.get("settings")
    return f", with {', '.join(map(str, settings))}" if settings and isinstance(settings, list) else ""


def _bars(probabilities: npt.NDArray[np.float32]) -> Html:
    """Ten shares as a list with bars."""
    best = int(probabilities.argmax())
    lines = []
    for digit, part in enumerate(probabilities.tolist()):
        bar = f'<span class="bar" aria-hidden="true"><i style="width:{100 * part:.2f}%"></i></span>'
        share_of = f'<span class="share">{markup(rough_share(part))}</span>'
        lines.append(f"<li{' class=best' if digit == best else ''}><span>{digit}</span>{bar}{share_of}</li>")
    return Html(f'<ol class="bars" aria-label="The network’s answer">{"".join(lines)}</ol>')


def _scaling(record: Record) -> dict[str, Any]:
    """What becomes of this network’s answers when it is given 0..255, or digits with paper and pen swapped."""
    labels, images = record.data.y_test, network_input(record.data.x_test)
    told = {}
    for name, given in (("wrong", images), ("raw", 255 * images), ("inverted", 1 - images)):
        answers = record.probabilities if name == "wrong" else record.model.session.probabilities(given)
        missed = answers.argmax(axis=1) != labels
        told[f"{name}_misses"] = count(int(missed.sum()))
        told[f"{name}_confidence"] = rough_share(float(answers.max(axis=1)[missed].mean()) if missed.any() else 0.0)
    return told


def _loss(record: Record) -> dict[str, Any]:
    p = max(float(record.probabilities[record.index, record.label]), 1e-30)
    told: dict[str, Any] = {
        "digit_p": share(p),
        "digit_loss": number(-math.log(p), 4) if p < 0.999 else tiny(math.log(p)),
        "typical_p": percent(math.exp(-record.evaluation.loss), 1),
    }
    wrong = WRONG_TEST_LABELS if record.data.is_mnist else {}
    worst = next((one for one in record.evaluation.mistakes if one.index not in wrong), None)
    if worst is not None:
        p = max(float(record.probabilities[worst.index, worst.label]), 1e-30)
        told |= {"worst": True, "worst_index": worst.index, "worst_p": share(p), "worst_loss": number(-math.log(p), 2)}
    return told


def _accuracy(record: Record) -> dict[str, Any]:
    found, counts = record.evaluation, np.bincount(record.data.y_test, minlength=10)
    low, high = found.accuracy_interval
    told: dict[str, Any] = {
        "low": percent(low), "high": percent(high), "top2": percent(found.top2_accuracy),
        "top_class": int(counts.argmax()), "top_share": percent(counts.max() / found.n),
    }  # fmt: skip
    clean = found.without_wrong_labels
    if clean is not None:
        told |= {
            "clean": True, "clean_n": count(clean.n), "clean_misses": count(clean.misses),
            "clean_accuracy": percent(clean.accuracy), "clean_seen": clean.answered_as_seen,
            "wrong_n": clean.wrong_labels, "unclear_n": clean.unclear_labels,
            "human_best": percent(1 - clean.wrong_labels / found.n), "wrong_labels": _wrong_labels(record),
        }  # fmt: skip
    return told


def _wrong_labels(record: Record) -> Html:
    entries = []
    for index, seen in WRONG_TEST_LABELS.items():
        label, answer = int(record.data.y_test[index]), int(record.probabilities[index].argmax())
        words = join([f"label {label}, people see {seen}; the network: ", Html(f"<strong>{answer}</strong>")])
        entries.append((picture(record.data.x_test[index], f"Test image {index}"), words))
    return gallery(entries)


def _errors(record: Record) -> dict[str, Any]:
    found = record.evaluation
    rows = [
        [str(one.digit), count(one.support), count(one.support - found.confusion[one.digit][one.digit]),
         percent(one.precision), percent(one.recall), percent(one.f1)]
        for one in found.per_class
    ]  # fmt: skip
    seen = [one for one in found.per_class if one.support]
    confidence = sum(one.n * one.confidence for one in found.bins if one.confidence is not None) / found.n
    told = {
        "class_table": table(
            "Each digit on the test set.", ["digit", "images", "misread", "precision", "recall", "F1"], rows
        ),
        "best_class": max(seen, key=lambda one: one.f1).digit,
        "hardest_class": min(seen, key=lambda one: one.f1).digit,
        "ece": percent(found.ece),
        "mean_confidence": percent(confidence),
        "modest": found.accuracy - confidence > MODEST,
        "last_bar": sum(one.n for one in found.bins[-1:]) > 0.9 * found.n,
    }
    if found.misses:
        wrong = np.array(found.confusion)
        np.fill_diagonal(wrong, 0)
        label, answer = (int(part) for part in np.unravel_index(int(wrong.argmax()), wrong.shape))
        told |= {
            "confusion_words": f"{a(label)} taken for {a(answer)}, {times(int(wrong.max()))}",
            "mistakes_gallery": _mistakes(record),
        }
    return told


def _mistakes(record: Record) -> Html:
    disputed = {*WRONG_TEST_LABELS, *UNCLEAR_TEST_LABELS} if record.data.is_mnist else set()
    entries = [
        (
            picture(record.data.x_test[one.index], f"Test image {one.index}, labelled {one.label}"),
            join(
                [
                    f"{a(one.label)}, read as ",
                    Html(f"<strong>{one.answer}</strong>"),
                    f" with {rough_share(one.confidence)}",
                ]
            ),
        )
        for one in record.evaluation.mistakes
        if one.index not in disputed
    ]
    return gallery(entries[:LISTED])


def _recipes(record: Record) -> dict[str, Any]:
    """This run beside the shipped models, all measured now on the same test digits."""
    found = record.evaluation
    misses = {f"this run ({record.recipe.name}{_changes(record)})": found.misses}
    if record.data.is_mnist:
        for name in shipped():
            answers = load(name).predict(record.data.x_test).argmax(axis=1)
            misses[f"shipped with Digitscope: {name}"] = int((answers != record.data.y_test).sum())
    cells = []
    for name, missed in misses.items():
        low, high = wilson_interval(found.n - missed, found.n)
        cells.append([name, count(missed), percent(1 - missed / found.n), f"{100 * low:.2f} to {100 * high:.2f}"])
    caption = f"One network each, on the same {count(found.n)} test digits, with its 95 % interval."
    head = ["network", "misread", "accuracy", "95 % interval, %"]
    classic = all(getattr(record.recipe, part) == getattr(RECIPES["classic"], part) for part in BUILD)
    return {
        "recipes_table": table(caption, head, cells, mine=0), "recipe_settings": _recipe_settings(),
        "classic_network": classic,
        "compared_network": "The same network" if classic else "The network of the plain recipe “classic”",
    }  # fmt: skip


def _recipe_settings() -> Html:
    """What sets the recipes apart."""
    rows = []
    for recipe in RECIPES.values():
        filters = [maps for maps in recipe.filters for _ in range(recipe.convolutions)]
        filters += [recipe.last_filters] if recipe.last_filters else []
        rate = (
            f"{recipe.learning_rate:g}, constant"
            if recipe.schedule == "constant"
            else f"up to {recipe.learning_rate:g} and down"
        )
        averaged = "last weights" if recipe.ema is None else "running mean"
        distorted = "yes" if recipe.augment else "no"
        settings = [str(recipe.epochs), rate, distorted, averaged, str(recipe.teachers or "no")]
        rows.append([recipe.name, ", ".join(map(str, filters)), *settings])
    head = ["recipe", "filters", "epochs", "learning rate", "distorted digits", "keeps", "teachers"]
    return table("The recipes.", head, rows, broad=True)


def _run_table(record: Record) -> dict[str, Any]:
    config = record.config
    rows = [["recipe", record.recipe.name]]
    rows += [[key, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)]
             for key, value in config["recipe"].items() if key != "name"]  # fmt: skip
    rows += [
        ["seed", str(config["seed"])],
        ["data", str(config["data"])],
        ["SHA-256 of the data", str(config.get("data_sha256", ""))],
    ]
    for part in ("execution", "versions"):
        rows += [[f"{part}: {key}", str(value)] for key, value in config.get(part, {}).items()]
    rows += [["machine", str(config["machine"])]] if "machine" in config else []
    listing = table(
        "Settings, seed and versions of this run.",
        ["", ""],
        [[key, Html(f"<code>{markup(value)}</code>")] for key, value in rows],
        text=2,
    )
    return {"run_table": Html(f"<details><summary>Settings, seed, data and versions</summary>{listing}</details>")}
