"""The card of a model: a ``README.md`` as model hubs show it, with what is known about the model. It measures nothing.

Every figure comes from the files of the run, or from the card of a shipped model; what they do not hold is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitscope.datasets import load_dataset
from digitscope.errors import ConfigError, DigitscopeError, ModelError
from digitscope.evaluate import Evaluation
from digitscope.files import write_text
from digitscope.models import Model

LIBRARY = "digitscope"
"""The ``library_name`` in the front matter, by which a card of ours is known."""

TASK = "image-classification"


def write_card(model: Model, folder: str | Path, licence: str | None = None) -> Path:
    """Write ``README.md`` into a folder, whole or not at all; a card of ours that is there already is replaced.

    Args:
        model: a run or a shipped model.
        folder: where the model's files lie that the card is for; made if it is not there.
        licence: the name under which hubs know the licence that you give the model, e.g. ``"apache-2.0"``; None takes
            that of a shipped model and names none for a run.

    Returns:
        The card.

    Raises:
        ConfigError: nothing is known about the model, or the folder cannot be written or has another ``README.md``.
        DataError: the run's ``evaluation.json`` is damaged.
        ModelError: another file of the run is.
    """
    path = Path(folder).expanduser() / "README.md"
    files = sorted(entry.name for entry in path.parent.glob("*") if entry.suffix in (".onnx", ".keras"))
    text = card_text(model, files, licence)
    try:
        if path.exists() and f'\nlibrary_name: "{LIBRARY}"\n' not in path.read_text(encoding="utf-8", errors="replace"):
            raise ConfigError(f"{path} is there and is no card of a model; give another folder")
        write_text(path, text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}); give another folder") from error
    return path


def card_text(model: Model, files: Iterable[str] = (), licence: str | None = None) -> str:
    """The card as Markdown under YAML front matter.

    Args:
        model: a run or a shipped model.
        files: names of the model files that lie beside the card, for the example.
        licence: see :func:`write_card`.

    Raises:
        ConfigError: nothing is known about the model.
        DataError: the run's ``evaluation.json`` is damaged.
        ModelError: another file of the run is.
    """
    if not model.card:
        raise ConfigError(f"nothing is known about {model.name} but its weights; give a run folder or a shipped model")
    try:
        known = _known(model, licence)
        chapters = [_what(known), _INPUT, _training(known), _results(known), _limits(known), _use(model, files)]
        return "\n".join(["---", *_yaml(_front_matter(known)), "---", "", "\n\n".join(filter(None, chapters)), ""])
    except DigitscopeError:
        raise
    except (OSError, LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(
            f"{model.name} does not hold what a training writes into config.json, metrics.json and evaluation.json "
            f"({type(error).__name__}: {error}); train the run again"
        ) from error


@dataclass(frozen=True)
class _Known:
    """What the files tell about a model; what they do not hold is None or empty.

    Attributes:
        name: the recipe's, which is a shipped model's own name too.
        facts: ``config.json``, or the card of a shipped model.
        metrics: ``metrics.json``, or that part of the card.
        evaluation: ``evaluation.json``.
        licence: as hubs name it.
        data: the dataset's name, without the folders it lay in, which are nobody's business.
        is_mnist: whether the data are MNIST's, byte for byte, whatever their name.
    """

    name: str
    facts: Mapping[str, Any]
    metrics: Mapping[str, Any]
    evaluation: Evaluation | None
    licence: str | None
    data: str | None
    is_mnist: bool

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The values it was trained with."""
        return dict(self.facts.get("recipe", {}))

    @property
    def accuracy(self) -> tuple[float, int] | None:
        """Part 0..1 of the test images that were read right, and how many images."""
        if self.evaluation is not None:
            return float(self.evaluation.accuracy), int(self.evaluation.n)
        if {"test_accuracy", "n"} <= set(self.metrics):
            return float(self.metrics["test_accuracy"]), int(self.metrics["n"])
        return None


def _known(model: Model, licence: str | None) -> _Known:
    facts = model.card.get("config", model.card)
    path = Path(model.name).expanduser() / "evaluation.json"
    is_run = facts is not model.card
    evaluation = Evaluation.from_dict(json.loads(path.read_text("utf-8"))) if is_run and path.is_file() else None
    is_mnist = facts.get("data_sha256") == load_dataset("mnist").sha256()
    data = "MNIST" if is_mnist else _printable(Path(str(facts["data"])).name) if "data" in facts else None
    given = licence or (facts["licence"].lower() if "licence" in facts else None)
    name = _printable(facts.get("recipe", {}).get("name", "own"))
    return _Known(name, facts, model.card.get("metrics", {}), evaluation, given, data, is_mnist)


def _front_matter(known: _Known) -> dict[str, Any]:
    """What hubs search by, and the measured accuracy in the form that they tabulate."""
    front: dict[str, Any] = {"license": known.licence} if known.licence else {}
    front |= {"library_name": LIBRARY, "pipeline_tag": TASK, "tags": [*_TAGS, *(["mnist"] if known.is_mnist else [])]}
    if known.is_mnist:
        front["datasets"] = ["mnist"]
    if known.accuracy is not None:
        accuracy, n = known.accuracy
        data = known.data or "unnamed"
        result = {
            "task": {"type": TASK, "name": "Reading single handwritten digits"},
            "dataset": {"type": data.lower(), "name": data, "split": "test", "args": {"n": n}},
            "metrics": [{"type": "accuracy", "name": f"Accuracy on {n:,} test images", "value": accuracy}],
        }
        front |= {"metrics": ["accuracy"], "model-index": [{"name": known.name, "results": [result]}]}
    return front


def _what(known: _Known) -> str:
    recipe = known.recipe
    text = (
        f"# Digitscope {_code(known.name)}\n\n## What it is\n\nA convolutional network that reads one handwritten "
        "digit: a small picture goes in, ten probabilities come out, one for each digit."
    )
    if {"filters", "kernel", "pooling", "dense"} <= set(recipe):
        first, second = recipe["filters"]
        text += (
            f" Two convolutions with {first:,} and {second:,} filters of {recipe['kernel']:,}x{recipe['kernel']:,} "
            f"pixels, each followed by {_code(recipe['pooling'])} pooling over 2x2, then a dense layer of "
            f"{recipe['dense']:,} units and a softmax over the ten digits."
        )
    if "parameters" in known.metrics:
        text += f" It has learned {known.metrics['parameters']:,} numbers."
    return text


def _training(known: _Known) -> str:
    """The recipe's values, and under which circumstances they were used."""
    facts, metrics = known.facts, known.metrics
    rows = [(_code(key), _code(value)) for key, value in known.recipe.items() if key != "name"]
    rows += [("seed", _code(facts["seed"]))] if "seed" in facts else []
    rows += [("data", _code(known.data))] if known.data else []
    rows += [("training images", f"{metrics['train_n']:,}")] if "train_n" in metrics else []
    rows += [("seconds of fitting", f"{metrics['fit_seconds']:,.1f}")] if "fit_seconds" in metrics else []
    rows += [("machine", _code(facts["machine"]))] if "machine" in facts else []
    rows += [(_code(package), _code(version)) for package, version in facts.get("versions", {}).items()]
    return f"## How it was trained\n\n{_table((f'recipe {_code(known.name)}', ''), rows)}" if rows else ""


def _results(known: _Known) -> str:
    """The whole evaluation where there is one, else the few figures of the metrics."""
    if known.accuracy is None:
        return ""
    parts = ["## Results", f"On the test images of {_code(known.data or 'its data')}, which taught it nothing:"]
    if known.evaluation is not None:
        per_digit = [
            (f"{one.digit:d}", f"{one.precision:.4f}", f"{one.recall:.4f}", f"{one.f1:.4f}", f"{one.support:,}")
            for one in known.evaluation.per_class
        ]
        parts.append(_table(("", ""), known.evaluation.summary()))
        parts.append(_table(("digit", "precision", "recall", "F1", "images"), per_digit))
    else:
        accuracy, n = known.accuracy
        rows = [("Images", f"{n:,}"), ("Accuracy", f"{100 * accuracy:.2f} %")]
        rows += [("Loss", f"{known.metrics['test_loss']:.4f}")] if "test_loss" in known.metrics else []
        rows += [("Misses", f"{known.metrics['misses']:,}")] if "misses" in known.metrics else []
        parts.append(_table(("", ""), rows))
    seeds = known.facts.get("over_seeds")
    if seeds:
        parts.append(
            f"The same recipe over {seeds['n']:,} seeds: {100 * seeds['mean_accuracy']:.2f} ± "
            f"{100 * seeds['standard_deviation']:.2f} % (mean and standard deviation)."
        )
    return "\n\n".join(parts)


def _limits(known: _Known) -> str:
    limits = [
        "It answers with one of the ten digits whatever it is shown, a letter or a blank too.",
        "It reads one digit that has been cut out and brought into the form above, not a page or a photograph.",
        "The figures hold for digits like those that it was tested on; other pens, papers and hands are harder.",
    ]
    if known.is_mnist:
        limits.append("MNIST's writers were Americans: it is bad at the European 1 and 7, at crossed zeros and print.")
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _use(model: Model, files: Iterable[str]) -> str:
    """An example with the file that lies beside the card; ONNX Runtime alone will do for an ``.onnx``."""
    beside = sorted(files, key=lambda name: not name.endswith(".onnx"))
    is_run = "config" in model.card
    source = json.dumps(beside[0] if beside else "model.onnx" if is_run else model.name, ensure_ascii=False)
    lines = ["import digitscope", "", f"model = digitscope.load({source})"]
    lines += ["probabilities = model.predict(images)  # uint8 or float32 (n, 28, 28); the answers are (n, 10)"]
    example = "## How to use it from Python\n\n```python\n" + "\n".join(lines) + "\n```"
    if source.endswith('.onnx"'):
        lines = ["import onnxruntime", "", f"session = onnxruntime.InferenceSession({source})"]
        lines += ["(image,) = session.get_inputs()"]
        lines += ["(probabilities,) = session.run(None, {image.name: images})  # float32 (n, 28, 28, 1) 0..1"]
        example += "\n\nOr without Digitscope:\n\n```python\n" + "\n".join(lines) + "\n```"
    return example


_TAGS = ("handwritten-digits", "digit-recognition", "cnn", "onnx", "keras")

_INPUT = """## Input and preprocessing

| | |
|---|---|
| input | float32 (n, 28, 28, 1), from 0 = paper to 1 = pen |
| its form | as MNIST's: the digit fits into 20x20 pixels, its centre of mass lies in the middle of the 28x28 |
| answer | float32 (n, 10), the probabilities of the digits 0 to 9; each row adds up to 1 |

`digitscope.Reader` brings photographs and scans into this form."""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(value: Any) -> str:
    """A value out of a file as code, so that nothing in it is taken for Markdown."""
    return f"`{_printable(value).replace('`', chr(39)).replace('|', '/')}`"


def _printable(value: Any) -> str:
    """A value as one line of text."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "".join(letter if letter.isprintable() else " " for letter in text)[:200]


def _yaml(value: Any, indent: str = "") -> Iterator[str]:
    """Lines of YAML in block style; a text stands in the quotes of JSON, which YAML reads alike.

    >>> list(_yaml({"tags": ["a", {"n": 1, "b": "x"}]}))
    ['tags:', '  - "a"', '  - n: 1', '    b: "x"']
    """
    for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
        start = f"{indent}{key}:" if isinstance(value, dict) else f"{indent}-"
        if isinstance(entry, dict) and isinstance(value, list):
            first, *rest = _yaml(entry, indent + "  ")
            yield f"{start} {first.lstrip()}"
            yield from rest
        elif isinstance(entry, dict | list):
            yield start
            yield from _yaml(entry, indent + "  ")
        else:
            yield f"{start} {json.dumps(entry, ensure_ascii=False, allow_nan=False)}"
