"""The page to draw digits in, as one self-contained HTML file, and the model as the page reads it.

The page's files are in ``web/lens/static``. ``index.html`` refers to the others; ``write_page`` puts their contents in
place of the references, and the server delivers the files as they are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from digitscope.arraytypes import AnyArray, base64_text
from digitscope.datasets.dataset import Dataset, short_name
from digitscope.datasets.load import load_dataset
from digitscope.errors import DataError, ModelError
from digitscope.files import atomic_path, writing
from digitscope.models.course import COURSE, Course
from digitscope.models.layers import LayerView, layer_views
from digitscope.models.model import Model
from digitscope.progress import Progress
from digitscope.reading.detectors import detector_of
from digitscope.web import links
from digitscope.web.lens.feature_map import feature_map
from digitscope.web.lens.languages import in_languages
from digitscope.web.lens.samples import SEARCHED, answers_to, errors, hardest, misread, patches, samples
from digitscope.web.lens.single_file import self_contained
from digitscope.web.lens.stages import packed_course

VERSION = 1
"""Version of ``model.json``; it increases when a field changes its meaning."""

LARGEST = 12_000_000
"""Multiply-adds of the largest network that a page accepts; recipe ``strong`` has 10.1 million."""

FIRST = 1000
"""Test images in a page, starting with the first, so that a class can say "take number 247": 1 MB."""

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json"}
"""Suffixes of the page's files, and their media types."""


def page_files(chosen: Sequence[str] = ()) -> dict[str, bytes]:
    """The page's files, name -> contents, without ``model.json``, which depends on the model.

    Args:
        chosen: the languages that the page speaks besides English, see ``web.lens.languages``.

    Raises:
        ConfigError: there is no such language.

    >>> {'index.html', 'engine.js', 'model.json'} & set(page_files()) == {'index.html', 'engine.js'}
    True
    """
    folder = resources.files("digitscope.web.lens") / "static"
    files = {entry.name: entry.read_bytes() for entry in folder.iterdir() if Path(entry.name).suffix in TYPES}
    return in_languages(files, chosen)


def page_network(model: Model, snapshots: Sequence[Model] = (), beside: Sequence[Model] = ()) -> dict[str, Any]:
    """The part of a page's model that is ready at once: the network itself, as plain JSON values.

    Args:
        model: a network that describes its layers.
        snapshots: the same network at other stages of its training, the earliest first; they replace those that a run
            kept of itself.
        beside: other networks, to compare with.

    Returns:
        ``layers`` in order; ``weights``, base64 of little-endian float16: kernel (in Keras' layout) and bias of each
        layer that has them; ``card``, what is known about the model; ``course``, how its training went (see
        ``web.lens.stages``), or None; ``beside``, name, layers, weights and card of each other network.

    Raises:
        ModelError: a network does not describe its layers or is too large for a page, or a snapshot has other layers.
        DataError: what a run kept of its training is damaged.
    """
    layers = layer_views(model.session)
    own = _network(model, layers)
    course = _course(model, snapshots, layers)
    return own | {"course": course, "beside": [_network(other, layer_views(other.session)) for other in beside]}


def _network(model: Model, layers: tuple[LayerView, ...]) -> dict[str, Any]:
    """A network as plain JSON values."""
    work = sum(_multiplications(layer) for layer in layers)
    if work > LARGEST:
        raise ModelError(
            f"{model.name} needs {work:,} multiplications for one image, and a page computes at most {LARGEST:,}; "
            "train a smaller network"
        )
    return {
        "version": VERSION,
        "name": model.short_name,
        "card": _card(model, layers),
        "layers": [_entry(layer) for layer in layers],
        "weights": base64_text(_weights(layers)),
    }


def page_images(model: Model, data: str | Path | Dataset = "mnist", progress: Progress | None = None) -> dict[str, Any]:
    """The part of a page's model that takes time: what the network makes of many images, as plain JSON values.

    Args:
        model: a network that describes its layers.
        data: the dataset whose test images are shown as samples.
        progress: called with the state of the work.

    Returns:
        ``known``, the detector of images without a digit; ``samples``, ``hardest``, ``errors`` and ``patches`` (see
        ``web.lens.samples``); ``map``, where the samples lie (see ``web.lens.feature_map``).
    """
    report = progress or (lambda stage, done, total, facts: None)
    report("page", 0, 1, {})
    dataset = load_dataset(data)
    known = detector_of(model, dataset, progress)
    n = len(dataset.x_test)
    total = n + min(n, SEARCHED)
    answers = answers_to(model, dataset, lambda done: report("page", done, total, {}))
    hard = hardest(answers, dataset)
    shown = samples(dataset, [*range(min(FIRST, n)), *hard, *misread(answers, dataset)])
    return {
        "known": asdict(known),
        "samples": shown,
        "hardest": hard,
        "errors": errors(answers, dataset),
        "map": feature_map(model, layer_views(model.session), dataset.x_test[[sample["index"] for sample in shown]]),
        "patches": patches(
            model, layer_views(model.session), dataset, lambda done: report("page", n + done, total, {})
        ),
    }


def page_model(
    model: Model,
    snapshots: Sequence[Model] = (),
    data: str | Path | Dataset = "mnist",
    progress: Progress | None = None,
    beside: Sequence[Model] = (),
) -> dict[str, Any]:
    """A model as the page reads it: what ``page_network`` and ``page_images`` give."""
    return page_network(model, snapshots, beside) | page_images(model, data, progress)


def as_json(values: dict[str, Any]) -> str:
    """A page's model as the text of ``model.json``."""
    return json.dumps(values, allow_nan=False, separators=(",", ":"))


def write_page(
    model: Model,
    path: str | Path,
    snapshots: Sequence[Model] = (),
    data: str | Path | Dataset = "mnist",
    progress: Progress | None = None,
    report: bool | None = None,
    beside: Sequence[Model] = (),
    chosen: Sequence[str] = (),
) -> Path:
    """Write the page with a model in it as one HTML file that needs no server and no internet connection.

    Args:
        model: a network that describes its layers.
        path: the file to write, whole or not at all; whether it can be written is checked before the long work.
        snapshots: the same network at other stages of its training; they replace those that a run kept of itself.
        data: the dataset whose test images are shown as samples.
        progress: called with the state of the work.
        report: whether the page leads to ``report.html`` beside it; None if that file is there already.
        beside: other networks to compare with; each adds its weights to the file.
        chosen: the languages that the page speaks besides English, see ``web.lens.languages``.

    Raises:
        ConfigError: the file cannot be written, or there is no such language.
        ModelError: see ``page_network``.
    """
    path = Path(path)
    texts = {name: content.decode("utf-8") for name, content in page_files(chosen).items()}
    with writing(path, "give another file"):
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        with atomic_path(path) as temporary:
            values = page_model(model, snapshots, data, progress, beside)
            if (path.parent / links.REPORT).is_file() if report is None else report:
                values["report"] = {"file": links.REPORT, "chapters": links.chapters(layer_views(model.session))}
            texts["model.json"] = as_json(values)
            temporary.write_text(self_contained(texts), encoding="utf-8", newline="\n")
    return path


def _entry(layer: LayerView) -> dict[str, Any]:
    """The page's record of a layer."""
    return {
        "name": layer.name,
        "kind": layer.kind,
        "activation": layer.activation,
        "shape": layer.shape,
        "parameters": layer.parameters,
        "formula": layer.parameter_formula,
        "window": layer.window,
        "strides": layer.strides,
        "padding": layer.padding,
        "kernelShape": None if layer.kernel is None else layer.kernel.shape,
    }


def _weights(layers: tuple[LayerView, ...]) -> AnyArray:
    """All kernels and biases in order, rounded to float16, little-endian (n,).

    Raises:
        ModelError: a weight is too large for float16.
    """
    learned = [part.ravel() for layer in layers if layer.kernel is not None for part in layer.learned]
    values = np.concatenate(learned) if learned else np.empty(0, np.float32)
    if np.abs(values).max(initial=0) > np.finfo(np.float16).max:
        raise ModelError(
            f"a weight is {np.abs(values).max():g}; the page stores weights as float16, which reach 65,504"
        )
    return values.astype("<f2")


def _multiplications(layer: LayerView) -> int:
    """Multiply-adds of a layer for one image."""
    if layer.kernel is None:
        return 0
    places = layer.shape[0] * layer.shape[1] if layer.kind == "conv2d" else 1
    return places * layer.kernel.size


def _course(model: Model, snapshots: Sequence[Model], layers: tuple[LayerView, ...]) -> dict[str, Any] | None:
    """How the network came to be: the snapshots given, else what its run kept; None if there is neither."""
    sizes = [part.size for layer in layers if layer.kernel is not None for part in layer.learned]
    if snapshots:
        return packed_course([(one.short_name, _snapshot(one, layers)) for one in snapshots], sizes, None)
    kept = Course.read(Path(model.name).expanduser())
    if kept is None or not len(kept.steps):
        return None
    if kept.weights.shape[1] != sum(sizes):
        raise DataError(f"{model.name}/{COURSE} belongs to another network; delete it, or train the run again")
    return packed_course(list(zip(kept.steps.tolist(), kept.weights, strict=True)), sizes, kept.losses)


def _snapshot(snapshot: Model, layers: tuple[LayerView, ...]) -> AnyArray:
    """The weights of the same network at another stage."""
    others = layer_views(snapshot.session)
    if [_entry(layer) for layer in others] != [_entry(layer) for layer in layers]:
        raise ModelError(
            f"snapshot {snapshot.name} is another network; give the same network at another stage of training"
        )
    return _weights(others)


def _card(model: Model, layers: tuple[LayerView, ...]) -> dict[str, Any]:
    """What the page shows about the model; what its card does not say is left out."""
    config, metrics = model.card.get("config", {}), model.card.get("metrics", {})
    recipe = config["recipe"] if isinstance(config.get("recipe"), dict) else {}
    known = {
        "recipe": recipe.get("name"),
        "epochs": recipe.get("epochs"),
        "data": short_name(str(config["data"])) if "data" in config else None,
        "train_n": metrics.get("train_n"),
        "test_n": metrics.get("n"),
        "test_accuracy": metrics.get("test_accuracy"),
        "misses": metrics.get("misses"),
        "parameters": sum(layer.parameters for layer in layers),
        "multiplications": sum(_multiplications(layer) for layer in layers),
    }
    return {name: value for name, value in known.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    """Whether a value from a run's files is a text or a finite number."""
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
