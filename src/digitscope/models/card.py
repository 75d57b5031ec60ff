"""The card of a model: a ``README.md`` as model hubs show it, with what is known about the model. It measures nothing.

Every figure comes from the files of the run, or from the card of a shipped model; what they do not hold is left out.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitscope.datasets.load import load_dataset
from digitscope.datasets.split import REPEATED
from digitscope.errors import ConfigError, DigitscopeError, ModelError, printable
from digitscope.files import write_text
from digitscope.models.metrics import Evaluation
from digitscope.models.model import Model

LIBRARY = "digitscope"
"""The ``library_name`` in the front matter, by which a card of ours is known."""

TASK = "image-classification"


@dataclass(frozen=True)
class Card:
    """A card that is ready to be written.

    Attributes:
        path: the ``README.md``.
        text: what it says.
    """

    path: Path
    text: str

    def write(self) -> Path:
        """Write it, whole or not at all, and give its path; a folder that is not there is made.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            write_text(self.path, self.text)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return self.path


def write_card(model: Model, beside: str | Path, licence: str | None = None) -> Path:
    """Write the card of a model, ``README.md``; a card of ours that is there already is replaced.

    Args:
        model: a run or a shipped model.
        beside: the model file that the card is for, as ``models.formats.export_model`` gives it; or a folder,
            for the card of a shipped model, or of a run whose ``model.onnx`` lies in it.
        licence: the name under which hubs know the licence that you give the model, e.g. ``"apache-2.0"``; None takes
            that of a shipped model and names none for a run.

    Returns:
        The card.

    Raises:
        ConfigError: nothing is known about the model, or the folder cannot be written or has another ``README.md``.
        DataError: the run's ``evaluation.json`` is damaged.
        ModelError: another file of the run is.
    """
    return card_beside(model, beside, licence).write()


def card_beside(model: Model, beside: str | Path, licence: str | None = None) -> Card:
    """What ``write_card`` will write, so that whatever it would refuse is known before the model file is written.

    Arguments and errors are those of ``write_card``; the model file need not be there yet.
    """
    given = Path(beside).expanduser()
    file = given.name if given.suffix in _EXAMPLES and not given.is_dir() else None
    path = (given if file is None else given.parent) / "README.md"
    try:
        if path.exists() and f'\nlibrary_name: "{LIBRARY}"\n' not in path.read_text(encoding="utf-8", errors="replace"):
            raise ConfigError(f"{path} is there and is no card of a model; give another folder")
    except OSError as error:
        raise _unwritable(path, error) from error
    return Card(path, card_text(model, file, licence))


def card_text(model: Model, file: str | None = None, licence: str | None = None) -> str:
    """The card as Markdown under YAML front matter.

    Args:
        model: a run or a shipped model.
        file: name of the model file that lies beside the card; None where a shipped model is loaded by its own name,
            and a run from its ``model.onnx``.
        licence: see ``write_card``.

    Raises:
        ConfigError: nothing is known about the model.
        DataError: the run's ``evaluation.json`` is damaged.
        ModelError: another file of the run is.
    """
    if not model.card:
        raise ConfigError(f"nothing is known about {model.name} but its weights; give a run folder or a shipped model")
    try:
        known = _known(model, file, licence)
        chapters = [_what(known), _INPUT, _training(known), _results(known), _limits(known), _use(known)]
        return "\n".join(["---", *_yaml(_front_matter(known)), "---", "", "\n\n".join(filter(None, chapters)), ""])
    except DigitscopeError:
        raise
    except (OSError, LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelError(
            f"{model.name} does not hold what a training writes into config.json, metrics.json and evaluation.json "
            f"({type(error).__name__}: {error}); train the run again"
        ) from error


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{path} cannot be written ({error.strerror}); give another folder")


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
        source: what the example loads: the name of a model file, or of a shipped model.
    """

    name: str
    facts: Mapping[str, Any]
    metrics: Mapping[str, Any]
    evaluation: Evaluation | None
    licence: str | None
    data: str | None
    is_mnist: bool
    source: str

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

    @property
    def warnings(self) -> list[str]:
        """What is odd about the data, one sentence each, without the folders either."""
        listed = [str(warning) for warning in self.facts.get("data_warnings", [])]
        path = Path(str(self.facts.get("data", ""))).expanduser()
        return [_prose(warning.replace(str(path), path.name) if path.name else warning) for warning in listed]


def _known(model: Model, file: str | None, licence: str | None) -> _Known:
    facts = model.card.get("config", model.card)
    path = Path(model.name).expanduser() / "evaluation.json"
    is_run = facts is not model.card
    evaluation = Evaluation.from_dict(json.loads(path.read_text("utf-8"))) if is_run and path.is_file() else None
    is_mnist = facts.get("data_sha256") == load_dataset("mnist").sha256()
    data = "MNIST" if is_mnist else _printable(Path(str(facts["data"])).name) if "data" in facts else None
    given = licence or (facts["licence"].lower() if "licence" in facts else None)
    name = _printable(facts.get("recipe", {}).get("name", "own"))
    source = file or ("model.onnx" if is_run else model.name)
    return _Known(name, facts, model.card.get("metrics", {}), evaluation, given, data, is_mnist, source)


def _front_matter(known: _Known) -> dict[str, Any]:
    """What hubs search by, and the measured accuracy in the form that they tabulate."""
    front: dict[str, Any] = {"license": known.licence} if known.licence else {}
    ending = Path(known.source).suffix
    tags = [*_TAGS, *([ending[1:]] if ending in _EXAMPLES else []), *(["mnist"] if known.is_mnist else [])]
    front |= {"library_name": LIBRARY, "pipeline_tag": TASK, "tags": tags}
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
        each, last = recipe.get("convolutions", 1), recipe.get("last_filters", 0)
        blocks, how_many = ("Two convolutions", "") if each == 1 else ("Two blocks", f" {each:,} convolutions of")
        text += (
            f" {blocks} with{how_many} {first:,} and {second:,} filters of {recipe['kernel']:,}x{recipe['kernel']:,} "
            f"pixels, each followed by {_code(recipe['pooling'])} pooling over 2x2, then "
            + (f"one more convolution with {last:,} filters, " if last else "")
            + f"a dense layer of {recipe['dense']:,} units and a softmax over the ten digits."
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
    seen = any(REPEATED in warning for warning in known.warnings)
    apart = "" if seen else ", which taught it nothing"
    parts = ["## Results", f"On the test images of {_code(known.data or 'its data')}{apart}:"]
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
    if known.warnings:
        parts.append("Before you trust these figures:\n\n" + "\n".join(f"- {warning}" for warning in known.warnings))
    return "\n\n".join(parts)


def _limits(known: _Known) -> str:
    limits = [
        "It answers with one of the ten digits whatever it is shown, a letter or a blank too.",
        "It reads one digit that has been cut out and brought into the form above, not a page or a photograph.",
        "The figures hold for digits like those that it was tested on; other pens, papers and hands are harder.",
    ]
    if known.is_mnist:
        limits.append(
            "MNIST's writers were Americans: forms that they did not use, such as a European 1, a crossed 7 or print, "
            "may be read worse."
        )
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _use(known: _Known) -> str:
    """An example for each way to use the file, with its name in it."""
    source = json.dumps(known.source, ensure_ascii=False)
    examples = [example.replace("FILE", source) for example in _EXAMPLES.get(Path(known.source).suffix, (_LOADED,))]
    codes = "\n\nOr without Digitscope:\n\n".join(f"```python\n{example}\n```" for example in examples)
    return f"## How to use it from Python\n\n{codes}"


_LOADED = """import digitscope

model = digitscope.load(FILE)
probabilities = model.predict(images)  # uint8 or float32 (n, 28, 28); the answers are (n, 10)"""

_ONNX = """import onnxruntime

session = onnxruntime.InferenceSession(FILE)
(image,) = session.get_inputs()
(probabilities,) = session.run(None, {image.name: images})  # float32 (n, 28, 28, 1) 0..1"""

_TFLITE = """import tensorflow

network = tensorflow.lite.Interpreter(model_path=FILE).get_signature_runner()
(name,) = network.get_input_details()
(probabilities,) = network(**{name: images}).values()  # float32 (n, 28, 28, 1) 0..1"""

_JSON = """import json
from pathlib import Path

from digitscope.models.weights_json import answers

record = json.loads(Path(FILE).read_text("utf-8"))  # record["about"] says how to do it without Digitscope
probabilities = answers(record, images)  # float32 (n, 28, 28, 1) 0..1"""

_EXAMPLES: Mapping[str, tuple[str, ...]] = types.MappingProxyType(
    {".onnx": (_LOADED, _ONNX), ".keras": (_LOADED,), ".tflite": (_TFLITE,), ".json": (_JSON,)}
)
"""By how a model file ends, the ways to use it; the ending is a tag as well."""

_TAGS = ("handwritten-digits", "digit-recognition", "cnn")

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


def _prose(value: Any) -> str:
    """A text out of a file as plain words: every sign is escaped that Markdown or HTML would take for its own."""
    return re.sub(r"([\\`*_\[\]<>|#~&$])", r"\\\1", _printable(value, 400))


def _printable(value: Any, most: int = 200) -> str:
    """A value as one line of text."""
    word = str(value).lower() if value is None or isinstance(value, bool) else str(value)
    text = ", ".join(map(str, value)) if isinstance(value, list) else word
    return printable(text)[:most]


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
