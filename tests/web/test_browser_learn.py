"""Watching the training, training in the page and two networks side by side, in a real browser from one file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest

from browser import chromium, opened
from browser import until as wait_until
from digitscope.arraytypes import base64_text
from digitscope.datasets.load import load_dataset
from digitscope.models.course import Course, flat
from digitscope.models.layers import layer_views
from digitscope.models.model import Model, load
from digitscope.reading.detectors import detector_of
from digitscope.web.lens import bundle
from digitscope.web.lens.bundle import page_files, page_network, write_page
from page_models import few_images

until = partial(wait_until, seconds=60)
WIDE: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ANSWER = "() => [...Digitscope.app.run.probabilities]"


def weights_of(model: Model) -> np.ndarray:
    views = layer_views(model.session)
    return np.concatenate([part.ravel() for view in views if view.kernel is not None for part in view.learned])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of `classic` that is said to have come from noise through half of its weights, with `robust` beside it."""
    folder = tmp_path_factory.mktemp("run")
    model = load("classic")
    weights = weights_of(model)
    noise = np.random.default_rng(1).normal(0, 0.05, weights.size)
    losses = np.linspace(2.3, 0.3, 100, dtype=np.float32)
    Course(losses, np.array([0, 32]), np.stack([flat([noise]), flat([weights / 2])])).write(folder / "course.npz")
    run = Model(str(folder), model.session, model.card)
    few = few_images(300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "detector_of", lambda *given: detector_of(model))
        return write_page(run, folder / "lens.html", data=few, beside=[load("robust")]).as_uri()


@pytest.fixture(params=["wide", "phone"])
def page(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Any]:
    with opened(browser, **(WIDE if request.param == "wide" else PHONE)) as page:
        page.goto(address)
        until(page, "globalThis.Digitscope?.app !== undefined")
        page.touch = request.param == "phone"
        yield page


def press(page: Any, name: str) -> None:
    button = page.get_by_role("button", name=name, exact=True)
    button.tap() if page.touch else button.click()


def test_the_slider_walks_from_untrained_to_finished(page: Any):
    finished = page.evaluate(ANSWER)
    filters = "() => document.querySelector('.learn-filters canvas').toDataURL()"
    press(page, "Watch it learn")
    until(page, "document.querySelector('.replay .curve-line')?.getAttribute('points')?.split(' ').length === 100")
    slider = page.get_by_label("Stage of the training")
    seen = [(slider.get_attribute("aria-valuetext"), page.evaluate(ANSWER), page.evaluate(filters))]
    slider.focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        seen.append((slider.get_attribute("aria-valuetext"), page.evaluate(ANSWER), page.evaluate(filters)))
    assert [name for name, _, _ in seen] == ["Untrained: random weights", "After 32 steps", "Finished"]
    assert len({json.dumps(answer) for _, answer, _ in seen}) == 3 and seen[2][1] == finished
    assert seen[0][2] != seen[2][2], "the filters change with it"
    page.keyboard.press("Home")
    assert "Untrained" in page.locator(".on-screen").text_content()
    page.evaluate("() => Digitscope.app.ask()")
    assert page.evaluate(ANSWER) == seen[0][1], "the worker answers with the weights on the screen"
    press(page, "Watch it learn")
    assert page.evaluate(ANSWER) == finished and page.locator(".on-screen").text_content() == ""


def test_play_ends_at_the_finished_network(page: Any):
    press(page, "Watch it learn")
    until(page, "document.querySelector('.replay input') !== null")
    press(page, "▶ Play")
    assert page.get_by_role("button", name="❚❚ Pause").is_visible()
    until(page, "document.querySelector('.replay input').value === '2'")
    assert page.get_by_role("button", name="▶ Play").is_visible()


def test_a_stage_is_the_weights_that_were_recorded(page: Any):
    half = weights_of(load("classic")) / 2
    press(page, "Watch it learn")
    until(page, "document.querySelector('.replay input') !== null")
    page.evaluate("() => Digitscope.app.learn.parts.replay.show(1)")
    found = np.array(page.evaluate("() => [...Digitscope.weightsOf(Digitscope.app.model)]"))
    scale = max(np.abs(part).max() for part in (half,)) / 63
    assert np.abs(found - half).max() <= 2.5 * scale and np.corrcoef(found, half)[0, 1] > 0.995
    assert page.evaluate("Digitscope.app.model.known") is None, "its detector knows the finished network only"


def test_what_was_worked_out_for_the_finished_network_says_so(page: Any):
    notes = "[...document.querySelectorAll('.stage-body .whose')].map((one) => one.textContent)"
    neighbours = "document.querySelector('.neighbours').textContent"
    opening = {
        "the map": "app.open(app.model.layers.findIndex(({ name }) => name === app.model.map.layer))",
        "the patches": "app.open(1)",
        "the mistakes": "app.openPanel('errors')",
    }
    press(page, "Watch it learn")
    until(page, "document.querySelector('.replay input') !== null")
    near = {}
    for stage, named in ((0, "“Untrained: random weights”"), (1, "“After 32 steps”"), (2, "")):
        page.evaluate("(stage) => Digitscope.app.learn.parts.replay.show(stage)", stage)
        for what, act in opening.items():
            page.evaluate(f"() => {{ const {{ app }} = Digitscope; {act}; }}")
            (said,) = page.evaluate(notes)
            assert (named in said and "finished network" in said) if named else not said, (stage, what)
            if what == "the map":
                near[stage] = page.evaluate(neighbours)
    assert near[0] == near[1] == near[2], "the digit lies where the finished network puts it"


def evidence(page: Any) -> dict[str, Any]:
    """The evidence on the screen, and that of the weights on the screen, computed anew."""
    until(page, "document.querySelector('.why .lead').textContent !== ''")
    until(page, "Digitscope.app.panel.of === Digitscope.app.run")
    until(page, "Digitscope.app.panel.found?.of === Digitscope.app.run")
    until(page, "Digitscope.app.panel.found?.key === `${Digitscope.app.panel.pair}`")
    found: dict[str, Any] = page.evaluate(
        """async () => {
          const { app } = Digitscope, { panel } = app, { pair } = panel;
          await new Promise((next) => setTimeout(next, 300));
          const model = Digitscope.openModel(app.json);
          Digitscope.setWeights(model, Digitscope.weightsOf(app.model));
          const wanted = Digitscope.evidence(model, Digitscope.run(model, app.field), pair);
          return { pair, shown: [...panel.found.pixels], wanted: [...wanted.pixels], score: wanted.score,
            pressed: panel.digits.querySelector('[disabled]').textContent, lead: panel.lead.textContent };
        }"""
    )
    return found


def test_reasons_are_those_of_the_weights_on_the_screen(page: Any):
    page.evaluate("() => Digitscope.app.openPanel('why')")
    finished = evidence(page)
    press(page, "Watch it learn")
    until(page, "document.querySelector('.replay input') !== null")
    seen = [finished]
    for stage in (0, 1):
        page.evaluate("(stage) => Digitscope.app.learn.parts.replay.show(stage)", stage)
        seen.append(evidence(page))
    page.evaluate("() => { const { replay } = Digitscope.app.learn.parts; replay.show(0); replay.show(2); }")
    seen.append(evidence(page))
    for one in seen:
        np.testing.assert_allclose(one["shown"], one["wanted"], atol=1e-6)
        assert f"{abs(one['score']):.2f}" in one["lead"] and one["pressed"] == str(one["pair"][0])
    assert seen[0]["shown"] == seen[3]["shown"] and seen[0]["pair"] == seen[3]["pair"]
    assert np.abs(np.array(seen[1]["shown"]) - seen[2]["shown"]).max() > 1e-3


def test_a_change_of_mind_found_for_other_weights_is_forgotten(page: Any):
    page.evaluate("() => Digitscope.app.openPanel('why')")
    page.evaluate(
        """() => {
          const { app } = Digitscope, { ask } = app.background;
          const stroke = { points: [10, 10, 90, 90], width: 20, erase: false };
          const change = { ink: 0.1, probability: 0.9, stroke, drawing: app.drawing };
          app.background.ask = (question, ...more) =>
            (question === "change" ? Promise.resolve(change) : ask(question, ...more));
          app.panel.mind.search();
        }"""
    )
    until(page, "document.querySelectorAll('.change').length === 2 && Digitscope.app.pad.ghost")
    press(page, "Watch it learn")
    until(page, "document.querySelectorAll('.change').length === 0")
    assert page.locator(".mind .main").is_enabled() and page.evaluate("Digitscope.app.pad.ghost") is None


def test_reasons_follow_a_training_in_the_page(page: Any):
    page.evaluate("() => Digitscope.app.openPanel('why')")
    press(page, "Train it here")
    press(page, "▶ Train")
    until(page, "Digitscope.app.learn.parts.train.steps >= 4")
    press(page, "❚❚ Stop")
    page.wait_for_timeout(3000)
    found = evidence(page)
    np.testing.assert_allclose(found["shown"], found["wanted"], atol=1e-6)


def test_the_address_keeps_the_stage_and_opens_it(browser: Any, address: str):
    with opened(browser, **WIDE) as page:
        page.goto(f"{address}#stage=32&draw=t1")
        until(page, "globalThis.Digitscope?.app?.wornName === 'After 32 steps'")
        assert page.get_by_label("Stage of the training").get_attribute("aria-valuetext") == "After 32 steps"
        page.get_by_label("Stage of the training").focus()
        page.keyboard.press("Home")
        until(page, "location.hash.includes('stage=0')")
        page.keyboard.press("End")
        until(page, "location.hash.includes('stage=finished')")
        press_wide(page, "Watch it learn")
        until(page, "!location.hash.includes('stage')")
        page.evaluate("() => { location.hash = 'stage=32&draw=t2'; }")
        until(page, "Digitscope.app.wornName === 'After 32 steps' && Digitscope.app.drawing.sample === 2")
        page.evaluate("() => { location.hash = 'draw=t2'; }")
        until(page, "Digitscope.app.wornName === null && document.getElementById('learn-replay').hidden")
        page.evaluate("() => { location.hash = 'stage=7777&draw=t2'; }")
        until(page, "Digitscope.app.wornName === 'Untrained: random weights'")


def press_wide(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_it_trains_in_the_page_stops_and_forgets(page: Any):
    finished = page.evaluate(ANSWER)
    press(page, "Train it here")
    assert page.evaluate(ANSWER) == finished, "nothing changes before it is started"
    press(page, "▶ Train")
    steps = "Digitscope.app.learn.parts.train.steps"
    until(page, f"{steps} >= 8")
    press(page, "❚❚ Stop")
    page.wait_for_timeout(3000)
    stopped = page.evaluate(steps)
    losses = page.evaluate("() => Digitscope.app.learn.parts.train.losses")
    assert len(losses) == stopped and losses[0] == pytest.approx(2.3, abs=0.5)
    assert np.mean(losses[-2:]) < losses[0]
    assert page.evaluate(ANSWER) != finished and f"{stopped} steps" in page.locator(".on-screen").text_content()
    page.wait_for_timeout(1000)
    assert page.evaluate(steps) == stopped
    press(page, "New random weights")
    until(page, f"{steps} === 0 && Digitscope.app.learn.parts.train.losses.length === 0")
    press(page, "Train it here")
    assert page.evaluate(ANSWER) == finished


def test_two_networks_answer_the_same_digit(page: Any):
    press(page, "Two networks side by side")
    until(page, "document.querySelectorAll('.two-maps canvas').length === 2")
    field = load_dataset("mnist").x_test[:1]
    for side, name in enumerate(("classic", "robust")):
        head = page.locator(".two thead th").nth(side + 1).text_content()
        assert head.endswith(": 7") and (name in head or side == 0)
        share = page.locator(".two tbody tr").nth(7).locator(".share").nth(side).text_content()
        assert share == "> 99.9 %" or float(share[:-2]) == pytest.approx(100 * load(name).predict(field)[0, 7], abs=0.2)
    page.locator(".beside select").nth(1).select_option("2")
    until(page, "document.querySelector('.two-maps figcaption').textContent.endsWith('conv 2')")
    before = page.locator(".two tbody").text_content()
    page.evaluate("() => Digitscope.app.keep({ sample: 1 })")
    until(page, "document.querySelectorAll('.two thead th')[2].textContent.endsWith(': 2')")
    assert page.locator(".two tbody").text_content() != before
    assert not page.touch or page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_keeps_people_out_of_it(browser: Any, address: str, scheme: str, size: dict[str, Any]):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="NO AXE: install axe-playwright-python")
    with opened(browser, color_scheme=scheme, **size) as page:
        page.goto(address)
        until(page, "globalThis.Digitscope?.app !== undefined")
        for name in ("Watch it learn", "Two networks side by side", "Train it here"):
            page.get_by_role("button", name=name, exact=True).click()
            page.wait_for_timeout(1000)
            found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
            assert not [(one["id"], one["nodes"][0]["html"][:90]) for one in found.response["violations"]], name


class FromKeras:
    """A page with the gradients and nothing else, and a Keras network that it is given."""

    def __init__(self, page: Any, network: Any) -> None:
        self.page, self.network = page, network
        entries = [
            {"name": "input", "kind": "input", "shape": [28, 28, 1], "activation": "linear", "kernelShape": None}
        ]
        for layer in network.layers:
            kind = {"Conv2D": "conv2d", "Dense": "dense", "Flatten": "flatten"}.get(type(layer).__name__)
            kind = kind or ("max_pooling2d" if "Max" in type(layer).__name__ else "average_pooling2d")
            kernel = list(layer.kernel.shape) if kind in ("conv2d", "dense") else None
            activation = layer.activation.__name__ if kernel else "linear"
            window = kernel[:2] if kind == "conv2d" else list(getattr(layer, "pool_size", []))
            shape = list(layer.output.shape[1:])
            entries.append({"name": layer.name, "kind": kind, "shape": shape, "kernelShape": kernel,
                            "activation": activation, "window": window, "strides": list(getattr(layer, "strides", [])),
                            "padding": getattr(layer, "padding", None)})  # fmt: skip
        self.weights = np.concatenate([part.ravel() for part in network.get_weights()])
        json_of = {"layers": entries, "weights": base64_text(self.weights.astype("<f2"))}
        page.goto("about:blank")
        for name in ("files.js", "engine.js", "known.js", "backward.js"):
            page.add_script_tag(content=page_files()[name].decode())
        page.evaluate(
            """([json, weights]) => {
              globalThis.model = Digitscope.openModel(json);
              Digitscope.setWeights(model, Float32Array.from(weights)); }""",
            [json_of, self.weights.tolist()],
        )

    def gradients(self, image: np.ndarray, label: int) -> tuple[np.ndarray, float]:
        """Keras' own: of all weights, and the loss."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            answer = self.network(image[None, :, :, None], training=False)
            loss = keras.losses.categorical_crossentropy(np.eye(10, dtype=np.float32)[[label]], answer)[0]
        parts = tape.gradient(loss, self.network.trainable_variables)
        return np.concatenate([np.ravel(part) for part in parts]), float(loss)


def networks() -> Iterator[Any]:
    layers = keras.layers
    for pooling, padding, strides in (("Max", "valid", 1), ("Average", "same", 1), ("Max", "same", 2)):
        keras.utils.set_random_seed(5)
        pool = getattr(layers, f"{pooling}Pooling2D")
        yield keras.Sequential([
            keras.Input((28, 28, 1)), layers.Conv2D(4, 3, strides, padding, activation="relu"),
            pool(2), layers.Conv2D(6, 3, padding=padding), pool(2, padding="valid"), layers.Flatten(),
            layers.Dense(12, activation="relu"), layers.Dense(10, activation="softmax"),
        ])  # fmt: skip


@pytest.mark.parametrize("which", range(3), ids=["max", "average-same", "strided"])
def test_gradients_are_those_of_keras(browser: Any, which: int):
    network = list(networks())[which]
    images, labels = load_dataset("mnist").x_test[:4] / np.float32(255), load_dataset("mnist").y_test[:4]
    with opened(browser) as page:
        bench = FromKeras(page, network)
        for image, label in zip(images, labels, strict=True):
            found, loss = page.evaluate(
                """([field, label]) => { const gradient = new Float32Array(Digitscope.weightsOf(model).length);
                  const run = Digitscope.run(model, Float32Array.from(field));
                  const loss = Digitscope.backward(model, run, label, gradient);
                  return [[...gradient], loss]; }""",
                [image.ravel().tolist(), int(label)],
            )
            wanted, right = bench.gradients(image, int(label))
            assert loss == pytest.approx(right, abs=1e-5)
            assert np.abs(wanted).max() > 1e-3
            np.testing.assert_allclose(found, wanted, atol=1e-5 * max(1, np.abs(wanted).max()))


def test_steps_are_those_of_keras_adam(browser: Any):
    network = next(networks())
    images, labels = load_dataset("mnist").x_test[:12] / np.float32(255), load_dataset("mnist").y_test[:12]
    network.compile(keras.optimizers.Adam(0.002), "categorical_crossentropy")
    with opened(browser) as page:
        bench = FromKeras(page, network)
        answers = np.eye(10, dtype=np.float32)[labels]
        wanted = [float(network.train_on_batch(images[..., None], answers)) for _ in range(5)]
        found = page.evaluate(
            """([fields, labels, weights]) => {
              const learner = new Digitscope.Learner(model, { rate: 0.002, weights: Float32Array.from(weights) });
              const losses = [];
              const images = fields.map((field) => Float32Array.from(field));
              for (let i = 0; i < 5; i++) losses.push(learner.step(images, labels));
              return [losses, [...learner.weights]]; }""",
            [images.reshape(12, -1).tolist(), labels.tolist(), bench.weights.tolist()],
        )
    assert found[0][-1] < found[0][0]
    after = np.concatenate([part.ravel() for part in network.get_weights()])
    moved = np.abs(after - bench.weights).max()
    assert np.quantile(np.abs(np.array(found[1]) - after), 0.999) < 0.02 * moved
    assert found[0][0] == pytest.approx(wanted[0], abs=1e-4)


def test_the_first_weights_are_glorots_and_another_seed_gives_others(browser: Any):
    network = page_network(load("classic"))
    with opened(browser) as page:
        page.goto("about:blank")
        for name in ("files.js", "engine.js", "known.js", "backward.js"):
            page.add_script_tag(content=page_files()[name].decode())
        first, again, other = page.evaluate(
            """(json) => [1, 1, 2].map((seed) => {
              const model = Digitscope.openModel(json);
              return [...new Digitscope.Learner(model, { seed }).weights]; })""",
            {"layers": json.loads(json.dumps(network["layers"])), "weights": network["weights"]},
        )
    assert first == again and first != other
    kernel = np.array(first[:288])
    limit = np.sqrt(6 / (9 * (1 + 32)))
    assert 0.95 * limit < np.abs(kernel).max() <= limit and not any(first[288:320])
