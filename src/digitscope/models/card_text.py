"""The text of a model card: what is known about a model, as Markdown under the front matter that model hubs read.

It measures nothing. Every figure comes from the files of the run, or from the card of a shipped model; what they do
not hold is left out.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from digitscope.datasets.split import is_about_repeated
from digitscope.errors import ConfigError, DigitscopeError, ModelError
from digitscope.formatting import markdown_table, mean_percent, percent
from digitscope.models.card_facts import MNIST, MNIST_LICENCE, UNSEEN, Facts, facts_of, one_line
from digitscope.models.model import Model

LIBRARY = "digitscope"
"""The ``library_name`` in the front matter, by which our own cards are recognised."""

TASK = "image-classification"

TAGS = ("handwritten-digits", "digit-recognition", "cnn")


def card_text(model: Model, file: str | None = None, licence: str | None = None) -> str:
    """A model's card as Markdown under YAML front matter.

    Args:
        model: a run or a shipped model.
        file: name of the model file beside the card; None if a shipped model is loaded by its own name, or a run
            from its ``model.onnx``.
        licence: the model's licence, by the name that hubs use; None takes that of a shipped model and gives none for
            a run.

    Raises:
        ConfigError: nothing is known about the model.
        DataError: the run's ``evaluation.json`` is damaged.
        ModelError: another file of the run is.
    """
    if not model.card:
        raise ConfigError(f"nothing is known about {model.name} but its weights; give a run folder or a shipped model")
    try:
        facts = facts_of(model, file, licence)
        sections = [_network(facts), _INPUT, _training(facts), _results(facts), _limits(facts)]
        sections += [_licences(facts), _use(facts)]
        text = "\n\n".join(filter(None, sections))
        return f"---\n{_yaml(_front_matter(facts))}---\n\n{text}\n"
    except DigitscopeError:
        raise
    except (OSError, LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelError(
            f"{model.name} does not hold what a training writes into config.json, metrics.json and evaluation.json "
            f"({type(error).__name__}: {error}); train the run again"
        ) from error


def _front_matter(facts: Facts) -> dict[str, Any]:
    """What hubs search by, and the measured accuracy in the form that hubs tabulate."""
    front: dict[str, Any] = {"license": facts.licence} if facts.licence else {}
    suffix = Path(facts.source).suffix
    tags = [
        *TAGS,
        *(["c" if suffix == ".h" else suffix[1:]] if suffix in EXAMPLES else []),
        *(["mnist"] if facts.saw_mnist else []),
    ]
    front |= {"library_name": LIBRARY, "pipeline_tag": TASK, "tags": tags}
    if facts.saw_mnist:
        front["datasets"] = [MNIST]
    results = [
        {
            "task": {"type": TASK, "name": "Reading single handwritten digits"},
            "dataset": {"type": one.kind, "name": one.data, "split": one.split, "args": {"n": one.n}},
            "metrics": [
                {"type": "accuracy", "name": f"Accuracy on {one.n:,} {one.split} images", "value": one.accuracy}
            ],
        }
        for one in (facts.accuracy, facts.unseen_writers)
        if one is not None
    ]
    if results:
        front |= {"metrics": ["accuracy"], "model-index": [{"name": facts.name, "results": results}]}
    return front


def _yaml(front: Mapping[str, Any]) -> str:
    """A line per key, its value as JSON, which is YAML as well."""
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}\n" for key, value in front.items())


def _network(facts: Facts) -> str:
    recipe = facts.recipe
    text = (
        f"# Digitscope {_code(facts.name)}\n\n## What it is\n\nA convolutional network that reads one handwritten "
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
    if "parameters" in facts.metrics:
        text += f" It has {facts.metrics['parameters']:,} trained parameters."
    return text


def _training(facts: Facts) -> str:
    """The recipe's settings, and what they were used with."""
    config, metrics = facts.config, facts.metrics
    rows = [(_code(key), _code(value)) for key, value in facts.recipe.items() if key != "name"]
    rows += [("seed", _code(config["seed"]))] if "seed" in config else []
    rows += [("data", _code(facts.data))] if facts.data else []
    rows += [("training images", f"{metrics['train_n']:,}")] if "train_n" in metrics else []
    rows += [("seconds of training", f"{metrics['fit_seconds']:,.1f}")] if "fit_seconds" in metrics else []
    rows += [(key, _code(config[key])) for key in ("machine", "commit") if key in config]
    rows += [(_code(package), _code(version)) for package, version in config.get("versions", {}).items()]
    return f"## How it was trained\n\n{markdown_table((f'recipe {_code(facts.name)}', ''), rows)}" if rows else ""


def _results(facts: Facts) -> str:
    """The whole evaluation if there is one, else the few figures of the metrics."""
    if facts.accuracy is None:
        return _unseen_writers(facts)
    repeated = any(map(is_about_repeated, facts.warnings))
    unseen = "" if repeated else ", none of which it was trained on"
    parts = ["## Results", f"On the test images of {_code(facts.data or 'its data')}{unseen}:"]
    if facts.evaluation is not None:
        per_digit = [
            (f"{one.digit:d}", f"{one.precision:.4f}", f"{one.recall:.4f}", f"{one.f1:.4f}", f"{one.support:,}")
            for one in facts.evaluation.per_class
        ]
        parts.append(markdown_table(("", ""), facts.evaluation.summary()))
        parts.append(markdown_table(("digit", "precision", "recall", "F1", "images"), per_digit))
    else:
        rows = [("Images", f"{facts.accuracy.n:,}"), ("Accuracy", percent(facts.accuracy.accuracy))]
        rows += [("Loss", f"{facts.metrics['test_loss']:.4f}")] if "test_loss" in facts.metrics else []
        rows += [("Misses", f"{facts.metrics['misses']:,}")] if "misses" in facts.metrics else []
        parts.append(markdown_table(("", ""), rows))
    seeds = facts.config.get("over_seeds")
    if seeds:
        parts.append(
            f"The same recipe over {seeds['n']:,} seeds: "
            f"{mean_percent(seeds['mean_accuracy'], seeds['standard_deviation'])} (mean and standard deviation)."
        )
    if "test_split" in facts.config:
        parts.append(_prose(facts.config["test_split"]))
    if facts.warnings:
        listed = "\n".join(f"- {_prose(warning)}" for warning in facts.warnings)
        parts.append(f"Before you trust these figures:\n\n{listed}")
    return "\n\n".join(parts)


def _unseen_writers(facts: Facts) -> str:
    """How well digits of other writers are read, if that was measured instead."""
    found = facts.unseen_writers
    if found is None:
        return ""
    table = markdown_table(("", ""), [("Images", f"{found.n:,}"), ("Accuracy", percent(found.accuracy))])
    return (
        f"## Results\n\nOn digits of {UNSEEN}, each as often as every other, drawn with other pens on paper. They gave "
        f"it no digit to learn from, but its settings were chosen on them:\n\n{table}"
    )


def _limits(facts: Facts) -> str:
    limits = [
        "It answers with one of the ten digits for any image, even a letter or a blank.",
        "It reads one digit, cut out and brought into the form above, not a page or a photograph.",
        "The figures hold for digits like those it was tested on; other pens, papers and writers may be harder.",
    ]
    if "limits" in facts.config and not facts.is_mnist:
        limits.append(_prose(facts.config["limits"]))
    if facts.is_mnist:
        limits.append(
            "MNIST's writers were Americans: forms that they did not use, such as a European 1, a crossed 7 or print, "
            "may be read less well."
        )
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _licences(facts: Facts) -> str:
    """The licences of the weights and of the data, as far as they are known."""
    lines = [f"The weights: {_code(facts.licence)}."] if facts.licence else []
    lines += [f"{MNIST_LICENCE}."] if facts.saw_mnist else []
    lines += [f"{_prose(facts.config['data_licence'], 800)}."] if "data_licence" in facts.config else []
    return "## Licences\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def _use(facts: Facts) -> str:
    """An example for each way to use the file, with its name in it."""
    source = json.dumps(facts.source, ensure_ascii=False)
    examples = [example.replace("FILE", source) for example in EXAMPLES.get(Path(facts.source).suffix, (_LOADED,))]
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

record = json.loads(Path(FILE).read_text("utf-8"))  # record["about"] explains it without Digitscope
probabilities = answers(record, images)  # float32 (n, 28, 28, 1) 0..1"""

_C = """from pathlib import Path

from digitscope.models.c_header import header_record
from digitscope.models.weights_json import answers

record = header_record(Path(FILE).read_text("utf-8"))  # a C program includes FILE; its first lines show the call
probabilities = answers(record, images)  # float32 (n, 28, 28, 1) 0..1"""

EXAMPLES: Mapping[str, tuple[str, ...]] = types.MappingProxyType(
    {".onnx": (_LOADED, _ONNX), ".keras": (_LOADED,), ".tflite": (_TFLITE,), ".json": (_JSON,), ".h": (_C,)}
)
"""The ways to use a model file, by its suffix; the suffix is a tag of the card as well, for ``.h`` its language."""

_INPUT = """## Input and preprocessing

| | |
|---|---|
| input | float32 (n, 28, 28, 1), from 0 = paper to 1 = pen |
| its form | as in MNIST: the digit fits into 20x20 pixels, its centre of mass is in the middle of the 28x28 |
| answer | float32 (n, 10), the probabilities of the digits 0 to 9; each row adds up to 1 |

`digitscope.Reader` brings photographs and scans into this form."""


def _code(value: Any) -> str:
    """A value from a file as code, so that nothing in it is taken for Markdown."""
    return f"`{one_line(value).replace('`', chr(39)).replace('|', '/')}`"


def _prose(text: str, most: int = 400) -> str:
    """A text from a file as plain words: characters that Markdown or HTML would interpret are escaped."""
    return re.sub(r"([\\`*_\[\]<>|#~&$])", r"\\\1", one_line(text, most))
