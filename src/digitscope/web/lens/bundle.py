"""The page as one self-contained HTML file, and the model as the page reads it. It serves nothing and trains nothing.

The page lies in ``web/lens/static`` as plain files. ``index.html`` names them, and ``write_page`` puts their contents
in the places where they are named; the server hands them out as they are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from digitscope.arraytypes import base64_text
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.errors import ConfigError, ModelError
from digitscope.files import atomic_path
from digitscope.models.layers import LayerView, layers_of
from digitscope.models.model import Model
from digitscope.reading.out_of_distribution import fit_known
from digitscope.web.lens.samples import hardest, patches, samples

VERSION = 1
"""Version of ``model.json``; it grows when a field changes its meaning."""

LARGEST = 12_000_000
"""Multiply-adds of the largest network that a page takes; recipe ``strong`` has 10.1 million."""

FIRST = 1000
"""Test images that a page holds, from the first on, so that a class can say "take number 247": 1 MB."""

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json"}
"""The files that the page is made of, and their media types."""


def page_files() -> dict[str, bytes]:
    """The page's own files by name; ``model.json`` is not one of them, because it is the model's.

    >>> {'index.html', 'engine.js', 'model.json'} & set(page_files()) == {'index.html', 'engine.js'}
    True
    """
    folder = resources.files("digitscope.web.lens") / "static"
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if Path(entry.name).suffix in TYPES}


def page_model(model: Model, snapshots: Sequence[Model] = (), data: str | Path | Dataset = "mnist") -> dict[str, Any]:
    """A model as the page reads it: plain JSON values.

    Args:
        model: a network that describes its layers.
        snapshots: the same network at other times of its training, the earliest first.
        data: whose test images are shown as samples.

    Returns:
        ``layers`` in order; ``weights``, base64 of little-endian float16: of each layer that has learned something its
        kernel (in Keras' layout) and its bias; ``card``, what is known about the model; ``samples``, ``hardest`` and
        ``patches`` (see ``web.lens.samples``); ``snapshots``, name and weights of each.

    Raises:
        ModelError: the network does not describe its layers, is too large for a page, or a snapshot is another network.
    """
    dataset = load_dataset(data)
    layers = layers_of(model)
    work = sum(_multiplications(layer) for layer in layers)
    if work > LARGEST:
        raise ModelError(
            f"{model.name} needs {work:,} multiplications for one image; a page computes at most {LARGEST:,}, "
            "train a smaller network"
        )
    hard = hardest(model, dataset)
    return {
        "version": VERSION,
        "name": _name_of(model),
        "card": _card(model, layers),
        "layers": [_entry(layer) for layer in layers],
        "weights": _weights(layers),
        "known": fit_known(model, dataset),
        "samples": samples(dataset, [*range(min(FIRST, len(dataset.x_test))), *hard]),
        "hardest": hard,
        "patches": patches(model, layers, dataset),
        "snapshots": [_snapshot(snapshot, layers) for snapshot in snapshots],
    }


def write_page(
    model: Model, path: str | Path, snapshots: Sequence[Model] = (), data: str | Path | Dataset = "mnist"
) -> Path:
    """Write the page with a model in it as one HTML file that needs no server and no network.

    Args:
        model: a network that describes its layers.
        path: the file to write, whole or not at all; whether it can be written is found out before the long work.
        snapshots: the same network at other times of its training; each adds its weights to the file.
        data: whose test images are shown as samples.

    Raises:
        ConfigError: the file cannot be written.
        ModelError: see ``page_model``.
    """
    path = Path(path)
    texts = {name: content.decode("utf-8") for name, content in page_files().items()}
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        with atomic_path(path) as temporary:
            texts["model.json"] = json.dumps(page_model(model, snapshots, data), allow_nan=False, separators=(",", ":"))
            temporary.write_text(self_contained(texts), encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}); give another file with --out") from error
    return path


def self_contained(texts: dict[str, str]) -> str:
    """``index.html`` with the contents of all files that it names, and a policy that lets nothing else in.

    It names them as ``<link rel="stylesheet" href="NAME">``, ``<script src="NAME"></script>`` and, for JSON, as an
    empty ``<script type="application/json" data-file="NAME"></script>``.

    Raises:
        KeyError: it names a file that is not among the texts.
    """
    hashes: dict[str, list[str]] = {"script": [], "style": []}

    def allowed(kind: str, text: str) -> str:
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        hashes[kind].append(f"'sha256-{digest}'")
        return text

    def style(match: re.Match[str]) -> str:
        return f"<style>{allowed('style', texts[match[1]])}</style>"

    def script(match: re.Match[str]) -> str:
        return f'<script data-file="{match[1]}">{allowed("script", texts[match[1]])}</script>'

    def values(match: re.Match[str]) -> str:
        return f"{match[1]}{texts[match[2]].replace('<', chr(92) + 'u003c')}</script>"

    page = texts["index.html"]
    page = re.sub(r'<link rel="stylesheet" href="([\w.-]+)">', style, page)
    page = re.sub(r'<script(?: defer)? src="([\w.-]+)"(?: defer)?></script>', script, page)
    page = re.sub(r'(<script type="application/json" data-file="([\w.-]+)">)\s*</script>', values, page)
    policy = (
        f"default-src 'none'; script-src {' '.join(hashes['script'])}; style-src {' '.join(hashes['style'])}; "
        "img-src data: blob:; worker-src blob:; base-uri 'none'; form-action 'none'"
    )
    charset = '<meta charset="utf-8">'
    return page.replace(charset, f'{charset}\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)


def _entry(layer: LayerView) -> dict[str, Any]:
    """What the page is told about one layer."""
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


def _weights(layers: tuple[LayerView, ...]) -> str:
    """All kernels and biases in order, rounded to float16.

    Raises:
        ModelError: a weight is too large for float16.
    """
    learned = [part.ravel() for layer in layers if layer.kernel is not None for part in layer.learned]
    values = np.concatenate(learned) if learned else np.empty(0, np.float32)
    if np.abs(values).max(initial=0) > np.finfo(np.float16).max:
        raise ModelError(f"a weight is {np.abs(values).max():g}; the page keeps weights as float16, up to 65,504")
    return base64_text(values.astype("<f2"))


def _multiplications(layer: LayerView) -> int:
    """Multiply-adds of a layer for one image."""
    if layer.kernel is None:
        return 0
    places = layer.shape[0] * layer.shape[1] if layer.kind == "conv2d" else 1
    return places * layer.kernel.size


def _snapshot(snapshot: Model, layers: tuple[LayerView, ...]) -> dict[str, str]:
    others = layers_of(snapshot)
    if [_entry(layer) for layer in others] != [_entry(layer) for layer in layers]:
        raise ModelError(f"snapshot {snapshot.name} is another network; give the same one at another time")
    return {"name": _name_of(snapshot), "weights": _weights(others)}


def _name_of(model: Model) -> str:
    """The model's name without the folders it lies in, which are nobody's business."""
    return Path(model.name).resolve().name if Path(model.name).exists() else Path(model.name).name


def _card(model: Model, layers: tuple[LayerView, ...]) -> dict[str, Any]:
    """What is known about the model, as far as its card tells."""
    config, metrics = model.card.get("config", {}), model.card.get("metrics", {})
    recipe = config["recipe"] if isinstance(config.get("recipe"), dict) else {}
    known = {
        "recipe": recipe.get("name"),
        "epochs": recipe.get("epochs"),
        "data": Path(str(config["data"])).name if "data" in config else None,
        "train_n": metrics.get("train_n"),
        "test_n": metrics.get("n"),
        "test_accuracy": metrics.get("test_accuracy"),
        "misses": metrics.get("misses"),
        "parameters": sum(layer.parameters for layer in layers),
        "multiplications": sum(_multiplications(layer) for layer in layers),
    }
    return {name: value for name, value in known.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    """Whether a value out of a run's files is a text or a number, as the page shows them."""
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
