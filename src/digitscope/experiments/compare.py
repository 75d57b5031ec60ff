"""Compare two models on the same test images: where each is right, and whether chance explains the difference.

It says nothing about recipes; comparing those takes several trainings of each (``experiments.sweep``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from digitscope import files
from digitscope.arraytypes import Images, Mask
from digitscope.datasets.dataset import Dataset
from digitscope.datasets.load import load_dataset
from digitscope.formatting import counted, file_name, percent
from digitscope.models.metrics import wilson_interval
from digitscope.models.model import Model, load, shipped
from digitscope.models.run_folder import read_history
from digitscope.plots.comparison import differences, learning_curves
from digitscope.plots.style import AnyFigure, save

SIGNIFICANT = 0.05
"""A p-value below this counts as a difference. Source: the convention since Fisher."""

EXAMPLES = 10
"""Images that ``Comparison.examples`` lists; the figure of the differences shows more."""

ABOUT = (
    "This compares two trained networks, not their recipes: the same recipe with another seed differs too. "
    "Use digitscope sweep to find out what a setting is worth."
)
"""What the test does not say. Source: Dietterich, "Approximate statistical tests", 1998."""


@dataclass(frozen=True)
class Side:
    """One of the two models.

    Attributes:
        name: as it was given.
        accuracy: share 0..1 of the images that it reads correctly.
        accuracy_interval: 95 % interval of the accuracy, after Wilson.
        misses: images that it misreads.
    """

    name: str
    accuracy: float
    accuracy_interval: tuple[float, float]
    misses: int


@dataclass(frozen=True)
class Difference:
    """An image that the two models read differently.

    Attributes:
        index: position among the test images.
        label: 0..9.
        answer_a: of the first model, 0..9.
        answer_b: of the second model, 0..9.
        place: where to find it: ``test:17``, a file, or a file and a line.
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
        data: name of the dataset; they read its test images.
        n: number of images.
        a: the first model.
        b: the second model.
        both_right: images that both read correctly.
        only_a: images that only ``a`` reads correctly.
        only_b: images that only ``b`` reads correctly.
        neither: images that both misread, with the same answer or not.
        p_value: how often two equally good models would differ at least this much, 0..1, by McNemar's exact test.
        differences: every image with two different answers.
        images: uint8 (differences, 28, 28) 0..255, 255 = pen, those images.
        notes: what to know about the data before trusting the figures, one sentence each.
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
    images: Images = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()

    @property
    def conclusion(self) -> str:
        """What the test means, in one plain sentence."""
        if not self.differences:
            return f"Both give the same answer on all {self.n:,} images."
        if self.only_a + self.only_b == 0:
            misread = counted(len(self.differences), "image")
            return f"Both are right on the same images; they misread {misread} differently."
        (less, other), (more, better) = sorted([(self.only_a, "A"), (self.only_b, "B")])
        counts = f"{better} alone is right on {counted(more, 'image')}, {other} alone on {less:,}"
        often = f"two equally good networks would differ at least this much in {_chance(self.p_value)}"
        if self.p_value < SIGNIFICANT:
            return f"{better} reads images like these better: {counts}, and {often}."
        return f"These images cannot tell which is better: {counts}, and {often}."

    def scores(self) -> tuple[list[str], list[list[str]]]:
        """Head and rows of a table of both accuracies."""
        rows = [
            [
                f"{letter} = {side.name}",
                percent(side.accuracy),
                f"{100 * side.accuracy_interval[0]:.2f} to {percent(side.accuracy_interval[1])}",
                f"{side.misses:,}",
            ]
            for letter, side in (("A", self.a), ("B", self.b))
        ]
        return [f"{self.data}, {self.n:,} test images", "accuracy", "95 % interval", "misses"], rows

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Head and rows of the two-by-two table of right and wrong answers."""
        rows = [
            ["A right", f"{self.both_right:,}", f"{self.only_a:,}"],
            ["A wrong", f"{self.only_b:,}", f"{self.neither:,}"],
        ]
        return ["images", "B right", "B wrong"], rows

    def examples(self) -> tuple[list[str], list[list[str]]]:
        """Head and rows of a table of the first images with different answers."""
        shown = self.differences[:EXAMPLES]
        count, all_ = len(self.differences), len(shown) == len(self.differences)
        head = f"read differently: {count:,}" if all_ else f"read differently: the first {EXAMPLES} of {count:,}"
        return [head, "is", "A", "B"], [[d.place, str(d.label), str(d.answer_a), str(d.answer_b)] for d in shown]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain JSON values, without the images."""
        plain = {key: value for key, value in vars(self).items() if key not in ("images", "a", "b", "differences")}
        listed = {"differences": [asdict(difference) for difference in self.differences]}
        return {"a": asdict(self.a), "b": asdict(self.b)} | plain | {"conclusion": self.conclusion} | listed


def compare(a: str | Path | Model, b: str | Path | Model, data: str | Path | Dataset = "mnist") -> Comparison:
    """Compare two models on the test images of a dataset.

    Args:
        a: what ``digitscope.load`` takes, or a loaded model.
        b: the same.
        data: what ``digitscope.load_dataset`` takes.

    Raises:
        ConfigError: there is no such model or dataset.
        ModelError: a model is damaged.
        DataError: the dataset is damaged.

    >>> found = compare("classic", "classic")
    >>> found.only_a, found.p_value, found.conclusion
    (0, 1.0, 'Both give the same answer on all 10,000 images.')
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
    """The two-sided p-value of McNemar's exact test.

    If the two models were equally good, each image that only one of them reads correctly would be a coin toss. The
    value is the probability that as many tosses come out at least as lopsided.

    Args:
        only_a: images that only the first model reads correctly.
        only_b: images that only the second model reads correctly.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions", 1947, with the exact
    binomial distribution.

    >>> mcnemar(5, 0), mcnemar(3, 3), mcnemar(0, 0)
    (0.0625, 1.0, 1.0)
    """
    from scipy.stats import binomtest  # start-up: SciPy takes 0.7 s

    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def write_comparison(comparison: Comparison, folder: str | Path) -> list[Path]:
    """Write ``comparison.json`` and the figures of a comparison, each as PNG and SVG.

    ``differences`` shows the images that are read differently. If both models are run folders, ``curves`` shows how
    each of them learned (``without_curve``).

    Raises:
        ConfigError: the folder cannot be written.
        DataError: the learning curve of a run is damaged.
    """
    folder = Path(folder)
    drawn = {"differences": _differences(comparison)}
    runs = {
        f"{letter} = {file_name(side.name)}": side.name for letter, side in (("A", comparison.a), ("B", comparison.b))
    }
    if not without_curve(comparison):
        drawn["curves"] = learning_curves({name: read_history(run) for name, run in runs.items()})
    with files.writing(folder, "give another folder"):
        files.write_json(folder / "comparison.json", comparison.to_dict())
        figures = [save(drawn[name], folder / f"{name}{ending}") for name in drawn for ending in (".png", ".svg")]
    return [folder / "comparison.json", *figures]


def without_curve(comparison: Comparison) -> tuple[str, ...]:
    """Names of the models that are not run folders with a learning curve; if there are any, no curves are drawn."""
    names = dict.fromkeys([comparison.a.name, comparison.b.name])
    return tuple(name for name in names if name in shipped() or not (Path(name).expanduser() / "history.csv").is_file())


def _differences(comparison: Comparison) -> AnyFigure:
    answers = np.array([(d.label, d.answer_a, d.answer_b) for d in comparison.differences], int).reshape(-1, 3)
    named = [
        f"{letter} = {file_name(side.name)}: {percent(side.accuracy)}, {counted(side.misses, 'image')} missed"
        for letter, side in (("A", comparison.a), ("B", comparison.b))
    ]
    counts = (comparison.both_right, comparison.only_a, comparison.only_b, comparison.neither)
    places = [f"test:{d.index}" for d in comparison.differences]  # a path would be wider than its image
    return differences(comparison.images, answers, places, counts, named, comparison.conclusion)


def _side(model: Model, right: Mask) -> Side:
    hits, n = int(right.sum()), len(right)
    return Side(model.name, hits / n, wilson_interval(hits, n), n - hits)


def _chance(p: float) -> str:
    """A p-value as the end of a sentence, with as many digits as it takes to tell it from 0.05.

    >>> _chance(0.26), _chance(0.0123)
    ('26 % of such tests (p = 0.26)', '1.2 % of such tests (p = 0.012)')
    >>> _chance(0.04998)
    '4.998 % of such tests (p = 0.04998)'
    """
    if p < 0.0001:
        return "fewer than 0.01 % of such tests (p < 0.0001)"
    rounded = (f"{p:.{places}g}" for places in range(2, 18))
    shown = next(text for text in rounded if (float(text) < SIGNIFICANT) == (p < SIGNIFICANT))
    share = f"{100 * p:.0f}" if p >= 0.1 else f"{100 * float(shown):.15g}"
    return f"{share} % of such tests (p = {shown})"
