"""Two models on the same test images: which is right where, and whether chance alone would explain the difference.

It measures and writes down; it chooses nothing, and says nothing about recipes, for which several trainings each are
needed (``experiments.sweep``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitscope import files
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.errors import ConfigError
from digitscope.models.metrics import wilson_interval
from digitscope.models.model import Model, load, shipped
from digitscope.models.run_folder import history_of
from digitscope.plots import comparison as experiment_plots
from digitscope.plots.style import AnyFigure, save

SIGNIFICANT = 0.05
"""A difference that equally good networks show less often than this is called one. Source: the custom since Fisher."""

EXAMPLES = 10
"""Images that ``Comparison.examples`` lists; the sheet of differences shows more of them."""

ABOUT = (
    "This compares two trained networks, not their recipes: another seed of the same recipe differs too. "
    "digitscope sweep tells what a setting is worth."
)
"""What the test does not say. Source: Dietterich, "Approximate statistical tests", 1998."""


@dataclass(frozen=True)
class Side:
    """One of the two models.

    Attributes:
        name: as it was given.
        accuracy: part 0..1 of the images that it reads right.
        accuracy_interval: Wilson's 95 % interval of the accuracy.
        misses: images that it does not read right.
    """

    name: str
    accuracy: float
    accuracy_interval: tuple[float, float]
    misses: int


@dataclass(frozen=True)
class Difference:
    """An image that the two models read differently.

    Attributes:
        index: its place among the test images.
        label: 0..9.
        answer_a: of the first model, 0..9.
        answer_b: of the second one.
        place: what leads a person to it: ``test:17``, a file, or a file and a line.
    """

    index: int
    label: int
    answer_a: int
    answer_b: int
    place: str


@dataclass(frozen=True)
class Comparison:
    """Two models on the same images.

    Attributes:
        data: the dataset whose test images they read.
        n: how many.
        a: the first model.
        b: the second one.
        both_right: images that both read right.
        only_a: images that only ``a`` reads right.
        only_b: images that only ``b`` reads right.
        neither: images that both read wrong, alike or not.
        p_value: how often two equally good models would differ at least this much, 0..1, by McNemar's exact test.
        differences: every image with two different answers.
        images: uint8 (differences, 28, 28) 0..255, 255 = pen, those images.
        notes: what a person should know about the data before trusting the figures, one sentence each.
    """

    data: str
    n: int
    a: Side
    b: Side
    both_right: int
    only_a: int
    only_b: int
    neither: int
    p_value: float
    differences: tuple[Difference, ...]
    images: npt.NDArray[np.uint8] = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()

    @property
    def conclusion(self) -> str:
        """What the test means, in one plain sentence."""
        if not self.differences:
            return f"The two give the same answer on each of {self.n:,} images."
        if self.only_a + self.only_b == 0:
            return f"The two are right on the same images; {_images(len(self.differences))} they miss differently."
        (less, other), (more, better) = sorted([(self.only_a, "A"), (self.only_b, "B")])
        counts = f"{better} alone is right on {_images(more)}, {other} alone on {less:,}"
        often = f"two equally good networks come out at least this far apart in {_chance(self.p_value)}"
        if self.p_value < SIGNIFICANT:
            return f"{better} reads images like these better: {counts}, and {often}."
        return f"These images cannot tell which one is better: {counts}, and {often}."

    def scores(self) -> tuple[list[str], list[list[str]]]:
        """Head and rows of a table of both accuracies."""
        rows = [
            [
                f"{letter} = {side.name}",
                f"{100 * side.accuracy:.2f} %",
                f"{100 * side.accuracy_interval[0]:.2f} to {100 * side.accuracy_interval[1]:.2f} %",
                f"{side.misses:,}",
            ]
            for letter, side in (("A", self.a), ("B", self.b))
        ]
        return [f"{self.data}, {self.n:,} test images", "accuracy", "95 % interval", "misses"], rows

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Head and rows of the two by two table of right and wrong."""
        rows = [
            ["A right", f"{self.both_right:,}", f"{self.only_a:,}"],
            ["A wrong", f"{self.only_b:,}", f"{self.neither:,}"],
        ]
        return ["images", "B right", "B wrong"], rows

    def examples(self) -> tuple[list[str], list[list[str]]]:
        """Head and rows of a table of the first images that the two read differently."""
        shown = self.differences[:EXAMPLES]
        count, all_ = len(self.differences), len(shown) == len(self.differences)
        head = f"read differently: {count:,}" if all_ else f"read differently: the first {EXAMPLES} of {count:,}"
        return [head, "is", "A", "B"], [[d.place, str(d.label), str(d.answer_a), str(d.answer_b)] for d in shown]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain JSON values, without the images."""
        told = {key: value for key, value in vars(self).items() if key not in ("images", "a", "b", "differences")}
        listed = {"differences": [asdict(difference) for difference in self.differences]}
        return {"a": asdict(self.a), "b": asdict(self.b)} | told | {"conclusion": self.conclusion} | listed


def compare(a: str | Path | Model, b: str | Path | Model, data: str | Path | Dataset = "mnist") -> Comparison:
    """Let two models read the test images of a dataset.

    Args:
        a: what ``digitscope.load`` takes, or a loaded model.
        b: the same.
        data: what ``digitscope.load_dataset`` takes.

    Raises:
        ConfigError: there is no such model or dataset.
        ModelError: a model is damaged.
        DataError: the dataset is.

    >>> found = compare("classic", "classic")
    >>> found.only_a, found.p_value, found.conclusion
    (0, 1.0, 'The two give the same answer on each of 10,000 images.')
    """
    models = [model if isinstance(model, Model) else load(model) for model in (a, b)]
    dataset = load_dataset(data)
    labels = dataset.y_test
    first, second = (model.predict(dataset.x_test).argmax(axis=1) for model in models)
    a_right, b_right = first == labels, second == labels
    differing = np.flatnonzero(first != second)
    only_a, only_b = int((a_right & ~b_right).sum()), int((b_right & ~a_right).sum())
    return Comparison(
        data=dataset.name,
        n=len(labels),
        a=_side(models[0], a_right),
        b=_side(models[1], b_right),
        both_right=int((a_right & b_right).sum()),
        only_a=only_a,
        only_b=only_b,
        neither=int((~a_right & ~b_right).sum()),
        p_value=mcnemar(only_a, only_b),
        differences=tuple(
            Difference(int(i), int(labels[i]), int(first[i]), int(second[i]), dataset.place(int(i))) for i in differing
        ),
        images=dataset.x_test[differing],
        notes=dataset.learned_elsewhere({model.name: model.card for model in models}),
    )


def mcnemar(only_a: int, only_b: int) -> float:
    """The two-sided p-value of McNemar's test, exact.

    Were the two models equally good, each image that only one of them reads right would fall to either like a tossed
    coin. The value is the chance that such tosses come out at least as lopsided as what was seen.

    Args:
        only_a: images that only the first model reads right.
        only_b: images that only the second one does.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions", 1947, with the
    binomial distribution in place of its approximation.

    >>> mcnemar(5, 0), mcnemar(3, 3)
    (0.0625, 1.0)
    """
    tosses = only_a + only_b
    ways = outcomes = 1  # to toss no head at all; then one head, two ...
    for heads in range(min(only_a, only_b)):
        ways = ways * (tosses - heads) // (heads + 1)
        outcomes += ways
    return float(min(1.0, 2 * outcomes / 2**tosses))


def write_comparison(comparison: Comparison, folder: str | Path) -> list[Path]:
    """Write ``comparison.json`` and the pictures of a comparison, each as PNG and SVG.

    ``differences`` shows the images that are read differently. Where both models are run folders, ``curves`` shows
    how each learned (``without_curve``).

    Raises:
        ConfigError: the folder cannot be written.
        DataError: the learning curve of a run is damaged.
    """
    folder = Path(folder)
    drawn = {"differences": _differences(comparison)}
    runs = {f"{letter} = {side.name}": side.name for letter, side in (("A", comparison.a), ("B", comparison.b))}
    if not without_curve(comparison):
        drawn["curves"] = experiment_plots.learning_curves({name: history_of(run) for name, run in runs.items()})
    try:
        files.write_json(folder / "comparison.json", comparison.to_dict())
        pictures = [save(drawn[name], folder / f"{name}{ending}") for name in drawn for ending in (".png", ".svg")]
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}); give another folder with --out") from error
    return [folder / "comparison.json", *pictures]


def without_curve(comparison: Comparison) -> tuple[str, ...]:
    """Names of the models that are no run folder with a learning curve; if there is one, no curves are drawn."""
    names = dict.fromkeys([comparison.a.name, comparison.b.name])
    return tuple(name for name in names if name in shipped() or not (Path(name).expanduser() / "history.csv").is_file())


def _differences(comparison: Comparison) -> AnyFigure:
    answers = np.array([(d.label, d.answer_a, d.answer_b) for d in comparison.differences], int).reshape(-1, 3)
    named = [
        f"{letter} = {side.name}: {100 * side.accuracy:.2f} %, {_images(side.misses)} missed"
        for letter, side in (("A", comparison.a), ("B", comparison.b))
    ]
    counts = (comparison.both_right, comparison.only_a, comparison.only_b, comparison.neither)
    places = [f"test:{difference.index}" for difference in comparison.differences]  # a path is wider than its image
    return experiment_plots.differences(comparison.images, answers, places, counts, named, comparison.conclusion)


def _side(model: Model, right: npt.NDArray[np.bool_]) -> Side:
    hits, n = int(right.sum()), len(right)
    return Side(model.name, hits / n, wilson_interval(hits, n), n - hits)


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _chance(p: float) -> str:
    """A p-value in words.

    >>> _chance(0.26), _chance(0.0123)
    ('26 % of such tests (p = 0.26)', '1.2 % of such tests (p = 0.012)')
    >>> _chance(0.04998)  # with as many places as it takes to tell it from 0.05
    '4.998 % of such tests (p = 0.04998)'
    """
    if p < 0.0001:
        return "fewer than 0.01 % of such tests (p < 0.0001)"
    rounded = (f"{p:.{places}g}" for places in range(2, 18))
    shown = next(text for text in rounded if (float(text) < SIGNIFICANT) == (p < SIGNIFICANT))
    share = f"{100 * p:.0f}" if p >= 0.1 else f"{100 * float(shown):.15g}"
    return f"{share} % of such tests (p = {shown})"
