from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from digitscope.datasets.load import load_dataset
from digitscope.models.robustness import CorruptionScores, Curve, GeometryScores
from digitscope.plots import robustness
from digitscope.plots.write import write_robustness
from digitscope.preprocessing.corruptions import CORRUPTIONS

CORRUPTED = CorruptionScores(100, 0, 0.99, {name: 0.3 + 0.04 * place for place, name in enumerate(CORRUPTIONS)})
MOVED = GeometryScores(
    100, 0.99, {name: Curve("by", (-1, 0, 1), (0.5, 0.99, 0.6)) for name in ("rotation", "shift", "scale", "stroke")}
)


def test_the_bars_are_sorted_and_the_mean_and_the_clean_images_have_a_line():
    ax = robustness.corruptions(CORRUPTED)
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == sorted(CORRUPTED.accuracies.values(), reverse=True)
    assert ax.get_yticklabels()[0].get_text() == "canny edges"
    assert [line.get_xdata()[0] for line in ax.lines] == [CORRUPTED.mean, 0.99]
    assert ax.texts[0].get_text() == "86.0 %"


def test_the_samples_show_the_clean_image_and_all_fifteen():
    figure = robustness.corrupted(load_dataset("mnist").x_test, CORRUPTED)
    captions = [text.get_text() for text in figure.axes[0].texts]
    assert len(captions) == 16 and captions[0] == "clean\n99.0 %" and captions[-1] == "canny edges\n86.0 %"


def test_the_geometry_has_four_curves():
    axes = robustness.geometry(MOVED).axes
    assert [ax.get_title(loc="left") for ax in axes] == ["Rotation", "Shift", "Scale", "Stroke"]
    np.testing.assert_array_equal(axes[0].lines[-1].get_ydata(), [0.5, 0.99, 0.6])


def test_figures_and_numbers_are_written(tmp_path: Path):
    data = load_dataset("mnist")
    write_robustness(CORRUPTED, {"mean": CORRUPTED.mean}, data, tmp_path)
    write_robustness(MOVED, MOVED.to_dict(), data, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"{name}.{kind}" for name in ("corruptions", "corruptions-samples", "geometry") for kind in ("png", "svg")),
        "corruptions.json",
        "geometry.json",
    }
    assert json.loads((tmp_path / "corruptions.json").read_text()) == {"mean": CORRUPTED.mean}
