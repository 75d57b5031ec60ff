"""What every figure function promises, and how figures are written down."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digitscope.datasets.load import load_dataset
from digitscope.errors import ConfigError
from digitscope.models.metrics import evaluate_predictions
from digitscope.plots import concepts, data, results, style, sweeps

RNG = np.random.default_rng(0)
IMAGES, LABELS = load_dataset("mnist").x_test[:30], load_dataset("mnist").y_test[:30]
ANSWERS = RNG.dirichlet(np.full(10, 0.1), 30)
EVALUATION = evaluate_predictions(ANSWERS, LABELS)
HISTORY = [{"epoch": str(e), "loss": str(1 / e), "accuracy": str(1 - 0.1 / e)} for e in range(1, 4)]

FIGURES: dict[Callable[..., Any], tuple[Any, ...]] = {
    data.counts: ({"training": LABELS, "test": LABELS[:9]},),
    data.samples: (IMAGES, LABELS, 2, 4),
    data.matrix: (IMAGES[0], True),
    data.mean_images: (IMAGES, LABELS),
    results.training_curves: (HISTORY,),
    results.learning_rate: ([0.1, 0.2, 0.1],),
    results.confusion: (EVALUATION.confusion,),
    results.reliability: (EVALUATION.bins, EVALUATION.ece),
    results.per_class: (EVALUATION,),
    results.mistakes: (IMAGES, EVALUATION.mistakes),
    sweeps.comparison_bars: (["a", "b"], [99.0, 99.2], [0.1, 0.0]),
    sweeps.sweep_line: ([8, 16, 32], [98.0, 99.0, 99.2], [0.1, 0.1, 0.0]),
    sweeps.robustness: ([0, 10, 20], {"a": [1, 0.9, 0.5], "b": [1, 0.95, 0.8]}),
    sweeps.sweep_points: ({"max": [(1000, "8", (0.98, 0.99)), (4000, "16", (0.995,))]},),
    concepts.activation_functions: (),
    concepts.cross_entropy: (),
    concepts.one_hot: (7,),
    concepts.softmax_steps: (np.arange(10) - 4.0,),
    concepts.pooling_example: (np.arange(16).reshape(4, 4),),
}
every_figure = pytest.mark.parametrize("function", FIGURES, ids=lambda function: function.__name__)


def test_every_figure_function_is_tried_here() -> None:
    public = {
        function
        for module in (data, results, sweeps, concepts)
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert public == set(FIGURES)


@every_figure
def test_draws_on_what_it_is_given_and_returns_it(function: Callable[..., Any]) -> None:
    figure = Figure(figsize=(9, 6))
    given: dict[str, Any]
    if "ax" in inspect.signature(function).parameters:
        given = {"ax": figure.add_subplot()}
    else:
        given = {"figure": figure.subfigures(1, 2)[0]}
    drawn = function(*FIGURES[function], **given)
    assert drawn is next(iter(given.values()))
    assert isinstance(function(*FIGURES[function]), Axes | Figure)


@every_figure
def test_leaves_settings_and_pyplot_alone(function: Callable[..., Any]) -> None:
    with mpl.rc_context({"font.size": 31, "axes.facecolor": "red"}):
        before = dict(mpl.rcParams)
        drawn = function(*FIGURES[function])
        style.svg(drawn, "x")
        assert dict(mpl.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


@every_figure
def test_the_same_numbers_give_the_same_bytes(function: Callable[..., Any], tmp_path: Path) -> None:
    one, other = function(*FIGURES[function]), function(*FIGURES[function])
    vector = [style.save(drawn, tmp_path / "a.svg").read_bytes() for drawn in (one, one, other)]
    pixels = [style.save(drawn, tmp_path / "a.png").read_bytes() for drawn in (one, other)]
    assert vector[0] == vector[1] == vector[2]
    assert pixels[0] == pixels[1]


@every_figure
def test_inline_svg_fits_into_one_page_with_others(function: Callable[..., Any]) -> None:
    text = style.svg(function(*FIGURES[function]), "first", 'what "it" shows & <more>')
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg") and root.get("aria-label") == 'what "it" shows & <more>'
    ids = re.findall(r'\bid="([^"]+)"', text)
    references = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)
    assert len(ids) == len(set(ids)) and all(name.startswith("first-") for name in ids)
    assert {a or b for a, b in references} == set(ids)
    assert "<style" not in text and "<metadata" not in text
    assert "http://www.w3.org/Graphics" not in text and len(text) < 250_000


def test_inline_svg_keeps_the_picture(tmp_path: Path) -> None:
    """Every coordinate but those of letters is that of matplotlib's own file, to a hundredth of a point."""
    drawn = results.confusion(EVALUATION.confusion)
    number = re.compile(r"-?\d+(?:\.\d+)?")

    def coordinates(text: str) -> list[list[float]]:
        root = ElementTree.fromstring(text)
        shapes = [e for e in root.iter() if e.tag.endswith("path") and not e.get("id", "").startswith("DejaVu")]
        return [[float(n) for n in number.findall(shape.get("d", ""))] for shape in shapes]

    wanted = coordinates(style.save(drawn, tmp_path / "a.svg").read_text(encoding="utf-8"))
    found = coordinates(style.svg(drawn, "x"))
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert a == pytest.approx(b, abs=0.0051)


def test_digits_are_embedded_as_pixels_not_as_rectangles() -> None:
    root = ElementTree.fromstring(style.svg(data.samples(IMAGES, LABELS, 3, 10), "x"))
    images = [element for element in root.iter() if element.tag.endswith("image")]
    assert len(images) == 1
    assert int(images[0].get("width", "0")) == 10 * 28 + 9 * data.GAP
    assert "pixelated" in images[0].get("style", "")


@pytest.mark.parametrize("name", ["figure", "figure.pdf", "figure.svg.exe", "figure.PNG "])
def test_another_file_type_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.svg or \.png"):
        style.save(concepts.one_hot(1), tmp_path / name)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("prefix", ["", "1st", "a b", 'a"b', "a#b"])
def test_a_prefix_must_be_a_name(prefix: str) -> None:
    with pytest.raises(ConfigError, match="cannot start an id"):
        style.svg(concepts.one_hot(1), prefix)


def test_a_failed_drawing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = style.save(concepts.one_hot(1), tmp_path / "a.svg")
    before = path.read_bytes()
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        style.save(concepts.one_hot(2), path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["a.svg"]


def test_settings_come_back_after_an_error() -> None:
    before = dict(mpl.rcParams)
    with pytest.raises(ZeroDivisionError), style.style():
        assert mpl.rcParams["axes.titleweight"] == "bold"
        raise ZeroDivisionError
    assert dict(mpl.rcParams) == before


def test_drawing_needs_no_display_and_no_pyplot(tmp_path: Path) -> None:
    code = (
        "import sys; from digitscope.plots import concepts, style; "
        f"style.save(concepts.one_hot(3), {str(tmp_path / 'a.png')!r}); "
        "assert 'matplotlib.pyplot' not in sys.modules and 'seaborn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
