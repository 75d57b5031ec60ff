"""The map of the last hidden layer: components from Python, and the digit on the pad put among them in a browser."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from browser import chromium, opened, until
from digitscope.datasets.mnist import load_mnist
from digitscope.models.layers import layer_views
from digitscope.models.lens import look
from digitscope.models.model import load
from digitscope.web.lens.bundle import write_page
from digitscope.web.lens.feature_map import DIRECTIONS, feature_map
from page_models import dense_network, few_images

LIES = """(sample) => {
  const { map } = Digitscope.app.view(), { size, points, samples } = map;
  const indices = samples.map(({ index }) => index), i = indices.indexOf(sample);
  const named = [...document.querySelectorAll(".neighbours button")].map(({ title }) => /image (\\d+)/.exec(title));
  const near = named.map(([, index]) => Number(index));
  const ours = [...map.pointOf(Digitscope.app.run.layers[map.index].values)];
  return { ours, near, indices, stored: [...points.subarray(i * size, (i + 1) * size)], all: [...points] };
}"""

PLACE = """(sample) => {
  const { map } = Digitscope.app.view();
  return map.places[map.samples.findIndex(({ index }) => index === sample)];
}"""


def halves(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f2").astype(np.float64)


def test_directions_are_the_principal_components_of_the_last_hidden_layer():
    model, images = load("classic"), load_mnist()[1][0][:150]
    made = feature_map(model, layer_views(model.session), images)
    values = np.stack([look(model, image).layer("dense").values for image in images]).astype(np.float64)
    directions, mean = halves(made["directions"]).reshape(DIRECTIONS, -1), halves(made["mean"])
    assert made["layer"] == "dense" and values.shape == (150, 128)
    assert np.abs(directions @ directions.T - np.eye(DIRECTIONS)).max() < 0.005
    assert np.abs(mean - values.mean(axis=0)).max() < 0.005
    points = halves(made["points"]).reshape(150, DIRECTIONS)
    assert np.abs(points - (values - values.mean(axis=0)) @ directions.T).max() < 0.02
    variance = np.linalg.eigvalsh(np.cov(values.T))[::-1]
    assert made["shares"] == pytest.approx(variance[:DIRECTIONS] / variance.sum(), rel=1e-4)


def test_equal_images_and_few_images_have_a_map_too():
    model = dense_network(20)
    for n in (1, 3):
        made = feature_map(model, layer_views(model.session), np.zeros((n, 28, 28), np.uint8))
        assert made["layer"] == "d0" and made["shares"] == [0.0] * min(n, DIRECTIONS)
        assert halves(made["points"]).tolist() == [0.0] * n * min(n, DIRECTIONS)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    few = few_images(300)
    return write_page(load("classic"), tmp_path_factory.mktemp("page") / "lens.html", data=few).as_uri()


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Any]:
    with chromium() as browser, opened(browser, viewport={"width": 1440, "height": 900}) as page:
        page.goto(address)
        until(page, "globalThis.Digitscope?.app !== undefined")
        yield page


def keep(page: Any, drawing: str) -> None:
    page.evaluate(f"async () => {{ Digitscope.app.keep({drawing}); await Digitscope.app.ask(); }}")


def test_the_network_leads_to_the_map(page: Any):
    page.get_by_role("button", name="Map of the 128 features").focus()
    page.keyboard.press("Enter")
    assert page.locator("canvas.feature-map").is_visible()
    assert "moves as you draw" in page.locator(".feature-map-box .lead").text_content()


def test_a_sample_lies_where_python_put_it_and_its_neighbours_are_the_nearest(page: Any):
    page.evaluate("() => Digitscope.app.open(Digitscope.app.model.layers.findIndex(({ name }) => name === 'dense'))")
    for sample in (0, 17, 250):
        keep(page, f"{{ sample: {sample} }}")
        found = page.evaluate(LIES, sample)
        assert found["ours"] == pytest.approx(found["stored"], abs=0.03)
        points = np.array(found["all"]).reshape(-1, DIRECTIONS)
        order = np.argsort(np.linalg.norm(points - found["ours"], axis=1))
        wanted = [found["indices"][i] for i in order if found["indices"][i] != sample][:8]
        assert found["near"] == wanted


def test_a_neighbour_opens_and_a_click_on_the_map_opens_a_sample(page: Any):
    keep(page, "{ sample: 0 }")
    first = page.locator(".neighbours button").first
    index = int(first.get_attribute("title").split()[2].rstrip(","))
    first.focus()
    page.keyboard.press("Enter")
    page.evaluate("() => Digitscope.app.ask()")
    assert page.evaluate("Digitscope.app.drawing.sample") == index
    place = page.evaluate(PLACE, 42)
    page.locator("canvas.feature-map").click(position={"x": place[0], "y": place[1]})
    near = page.evaluate(PLACE, page.evaluate("Digitscope.app.drawing.sample"))
    assert np.hypot(*np.subtract(near, place)) < 2


def test_the_pad_moves_the_digit_and_an_empty_one_has_no_neighbours(page: Any):
    picture = "document.querySelector('canvas.feature-map').getAttribute('aria-label')"
    keep(page, "{ sample: 0 }")
    before = page.evaluate(picture)
    keep(page, "{ strokes: [{ points: [140, 40, 140, 240], width: 22, erase: false }] }")
    assert page.evaluate(picture) != before and page.evaluate(picture).count(",") > 5
    assert "are labelled 1" in page.locator(".near").text_content()
    keep(page, "{ strokes: [] }")
    assert page.locator(".neighbours button").count() == 0
    assert page.locator(".near").get_by_text("Draw a digit").is_visible()
