"""The page's network and rasteriser in a real browser, against ONNX Runtime and their Python twins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from browser import chromium, opened
from digitscope.datasets.mnist import load_mnist
from digitscope.models.export_keras import keras_network
from digitscope.models.layers import layer_views
from digitscope.models.model import Model, load, shipped
from digitscope.reading.out_of_distribution import Detector, digit_probability
from digitscope.web.lens.bundle import page_files, page_network
from page_models import described, rounded
from small_network import small_network
from stroke_models import digits, others
from stroke_raster import Stroke, raster

HOME = "http://127.0.0.1/"
SCRIPTS = ("files.js", "raster.js", "engine.js", "known.js", "worker.js", "drawing.js", "backward.js", "attribution.js",
           "change.js", "background.js")  # fmt: skip
TOLERANCE = 1e-5


class Bench:
    """A page that holds the engine and nothing else, and files of a model that it can fetch."""

    def __init__(self, page: Any, name: str) -> None:
        self.page, self.model = page, rounded(load(name))
        self.described = described(name)
        tags = "".join(f'<script src="{script}"></script>' for script in SCRIPTS)
        self.files: dict[str, bytes] = {
            "": f"<!doctype html><link rel=icon href=data:,>{tags}".encode(),
            "model.json": json.dumps(self.described).encode(),
        } | page_files()
        page.route(f"{HOME}**", self.serve)
        page.goto(HOME)
        page.evaluate("async () => { globalThis.model = Digitscope.openModel(await Digitscope.json('model.json')); }")

    def serve(self, route: Any) -> None:
        name = route.request.url.removeprefix(HOME)
        kind = "text/javascript" if name.endswith(".js") else "text/html" if not name else "application/octet-stream"
        route.fulfill(body=self.files[name], content_type=kind)


@pytest.fixture(scope="module", params=shipped())
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with chromium() as browser, opened(browser) as page:
        yield Bench(page, request.param)


def golden() -> np.ndarray:
    """200 inputs: test images, drawings, things that are no digits, noise, nothing and full ink."""
    rng = np.random.default_rng(4)
    images = load_mnist()[1][0][rng.choice(10000, 120, replace=False)] / np.float32(255)
    drawn = [raster(made).field for _, _, made in digits(1)] + [raster(made).field for _, made in others()[::8]]
    rest = 200 - len(images) - len(drawn) - 2
    noise = rng.random((rest, 28, 28), np.float32) * np.linspace(0.05, 1, rest, dtype=np.float32)[:, None, None]
    return np.concatenate([images, drawn, noise, np.zeros((1, 28, 28)), np.ones((1, 28, 28))]).astype(np.float32)


def everything(model: Model, images: np.ndarray) -> np.ndarray:
    """What ONNX Runtime computes: of each image its pixels, then of each layer the values and the sums it has."""
    entries = [entry[part] for entry in model.session.layers[1:] for part in ("output", "sum") if part in entry]
    tensors = model.session.tensors(images[..., None], sorted({entry["tensor"] for entry in entries}))
    parts = [images.reshape(len(images), -1)]
    for entry in entries:
        values = tensors[entry["tensor"]]
        values = values.transpose(0, 2, 3, 1) if entry["layout"] == "nchw" else values
        parts.append(values.reshape(len(images), -1))
    return np.hstack(parts)


def test_every_layer_is_what_onnx_runtime_computes(bench: Bench):
    inputs = golden()
    assert len(inputs) == 200
    bench.files["inputs.bin"] = inputs.tobytes()
    worst: dict[str, float] = {}
    for start in range(0, 200, 50):
        bench.files["wanted.bin"] = everything(bench.model, inputs[start : start + 50]).tobytes()
        found = bench.page.evaluate(
            """async ([start, count]) => {
              const floats = async (name) => new Float32Array(await (await fetch(name)).arrayBuffer());
              const inputs = await floats("inputs.bin"), wanted = await floats("wanted.bin");
              const worst = {};
              let at = 0;
              for (let n = start; n < start + count; n++) {
                const run = Digitscope.run(model, inputs.subarray(n * 784, (n + 1) * 784));
                run.layers.forEach(({ values, sums }, i) => {
                  for (const part of sums ? [values, sums] : [values]) {
                    for (const value of part) {
                      const right = wanted[at++];
                      const error = Math.abs(value - right) / Math.max(1, Math.abs(right));
                      const { name } = model.layers[i];
                      if (!(error <= (worst[name] ?? 0))) worst[name] = error;
                    }
                  }
                });
              }
              return [worst, at === wanted.length];
            }""",
            [start, 50],
        )
        assert found[1], "as many numbers as ONNX Runtime gives"
        worst = {name: max(error, worst.get(name, 0)) for name, error in found[0].items()} | worst
    assert max(worst.values(), default=0) <= TOLERANCE, worst


def test_the_terms_of_any_cell_add_up_to_what_is_stored(bench: Bench):
    bench.files["inputs.bin"] = golden()[::10].tobytes()
    worst = bench.page.evaluate(
        """async () => {
          const inputs = new Float32Array(await (await fetch("inputs.bin")).arrayBuffer());
          let seed = 1;
          const random = (n) => {
            seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
            return Math.floor(seed / 2 ** 32 * n);
          };
          const worst = model.layers.map(() => 0);
          const inputsUsed = inputs.length / 784;
          for (let n = 0; n < inputsUsed; n++) {
            const run = Digitscope.run(model, inputs.subarray(n * 784, (n + 1) * 784));
            model.layers.forEach((layer, i) => {
              for (let k = 0; k < 10000 / inputsUsed; k++) {
                const cell = random(run.layers[i].values.length);
                const terms = Digitscope.terms(model, run, i, cell);
                const products = terms.products.reduce((sum, one) => sum + one, terms.bias);
                const off = Math.max(Math.abs(terms.difference), Math.abs(products - terms.sum));
                const error = off / Math.max(1, Math.abs(terms.stored));
                const whole = Digitscope.flatIndex(layer.shape, Digitscope.cellOf(layer.shape, cell)) === cell;
                if (!(error <= worst[i]) || !whole) worst[i] = whole ? error : Infinity;
              }
            });
          }
          return worst;
        }"""
    )
    assert len(worst) == len(bench.described["layers"]) and max(worst) <= TOLERANCE, worst


def plain(strokes: list[Stroke]) -> list[dict[str, Any]]:
    return [{"points": list(s.points), "width": s.width, "erase": s.erase} for s in strokes]


def test_the_rasterisers_agree_to_the_last_bit(bench: Bench):
    rng = np.random.default_rng(8)
    drawings = [made for _, _, made in digits(3)] + [made for _, made in others()[::2]]
    for _ in range(60):
        scale = rng.choice([3, 60, 400])
        drawings.append(
            [
                Stroke(
                    tuple((rng.random(2 * n) * scale - 20).round(int(rng.integers(0, 9))).tolist()),
                    float(rng.choice([0.5, 3, 16.7, 40])),
                    bool(rng.random() < 0.3),
                )
                for n in rng.integers(0, 9, 4)
            ]
        )
    choices = [dict(zip(("fit", "pen", "centre"), rng.random(3) < 0.8, strict=True)) for _ in drawings]
    choices = [{name: bool(value) for name, value in choice.items()} for choice in choices]
    found = bench.page.evaluate(
        """(cases) => Promise.all(cases.map(async ([strokes, choice]) => {
          const made = Digitscope.raster(strokes, choice);
          const digests = [];
          for (const part of [made.picture, made.fine, made.fitted, made.field]) {
            const digest = part && new Uint8Array(await crypto.subtle.digest("SHA-256", part));
            digests.push(digest && [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
          }
          return [made.box, made.shift, ...digests];
        }))""",
        [[plain(made), choice] for made, choice in zip(drawings, choices, strict=True)],
    )
    for made, choice, theirs in zip(drawings, choices, found, strict=True):
        ours = raster(made, **choice)
        parts = (ours.picture, ours.fine, ours.fitted, ours.field)
        digests = [None if part is None else hashlib.sha256(part.tobytes()).hexdigest() for part in parts]
        assert theirs == [None if ours.box is None else list(ours.box), list(ours.shift), *digests]


READ = """(drawings) => drawings.map((strokes) => {
  const run = Digitscope.run(model, Digitscope.raster(strokes).field);
  return [run.probabilities.indexOf(Math.max(...run.probabilities)), run.refused, run.known];
})"""


def test_peoples_drawings_are_read_and_not_refused(bench: Bench):
    drawn = digits(10)
    answers = bench.page.evaluate(READ, [plain(made) for _, _, made in drawn])
    right = [
        answer == digit and not refused for (digit, _, _), (answer, refused, _) in zip(drawn, answers, strict=True)
    ]
    assert len(right) >= 300 and np.mean(right) >= 0.97


def test_what_is_no_digit_is_refused(bench: Bench):
    drawn = others()
    answers = bench.page.evaluate(READ, [plain(made) for _, made in drawn])
    let_through = [name for (name, _), (_, refused, _) in zip(drawn, answers, strict=True) if not refused]
    assert len(drawn) == 200 and len(let_through) <= 10, let_through
    detector = Detector(**bench.described["known"])
    sure = digit_probability(bench.model, detector, np.stack([raster(made).field for _, made in drawn]))
    assert np.allclose([each[2] for each in answers], sure, atol=1e-3)


def test_the_worker_answers_the_newest_call(bench: Bench):
    answers = bench.page.evaluate(
        """async () => {
          const json = await Digitscope.json("model.json");
          const field = (level) => new Float32Array(784).fill(level);
          const worker = Digitscope.Worker(json);
          const runs = await Promise.all([0.1, 0.2, 0.3, 0.4].map((level) => worker.run(field(level))));
          worker.close();
          const same = (run, level) => {
            const own = Digitscope.run(model, field(level));
            const equal = (mine, theirs) =>
              (mine === null ? theirs === null : mine.every((value, k) => value === theirs[k]));
            return run.known === own.known && run.refused === own.refused && run.layers.every(({ values, sums }, i) =>
              equal(values, own.layers[i].values) && equal(sums, own.layers[i].sums));
          };
          return runs.map((run, i) => run && same(run, [0.1, 0.2, 0.3, 0.4][i]));
        }"""
    )
    assert answers == [True, None, None, True]


def test_without_a_worker_the_page_computes_by_itself(bench: Bench):
    answer = bench.page.evaluate(
        """async () => {
          const kept = globalThis.Worker;
          globalThis.Worker = class { constructor() { throw new Error("none here"); } };
          const worker = Digitscope.Worker(await Digitscope.json("model.json"));
          const run = await worker.run(new Float32Array(784));
          globalThis.Worker = kept;
          return run.layers.length;
        }"""
    )
    assert answer == len(bench.described["layers"])


GRADIENTS = """async ([pair, count]) => {
  const inputs = new Float32Array(await (await fetch("inputs.bin")).arrayBuffer());
  return Array.from({ length: count }, (_, n) =>
    [...Digitscope.gradient(model, Digitscope.run(model, inputs.subarray(n * 784, (n + 1) * 784)), pair)]);
}"""


def test_gradients_are_those_of_keras(bench: Bench):
    tensorflow = pytest.importorskip("tensorflow", reason="NO TENSORFLOW: install the extra train")
    inputs = golden()[:160:8]
    bench.files["inputs.bin"] = inputs.tobytes()
    found = np.array(bench.page.evaluate(GRADIENTS, [[7, 2], len(inputs)]))
    network = keras_network(layer_views(bench.model.session))
    images = tensorflow.convert_to_tensor(inputs[..., None])
    with tensorflow.GradientTape() as tape:
        tape.watch(images)
        odds = tensorflow.math.log(network(images))
        score = odds[:, 7] - odds[:, 2]
    wanted = tape.gradient(score, images).numpy().reshape(len(inputs), -1)
    scale = np.abs(wanted).max(axis=1, keepdims=True)
    wrong = np.abs(found - wanted) / scale
    assert np.median(scale) > 0.1 and np.quantile(wrong, 0.999) < 1e-3


@pytest.mark.parametrize("kind", ["max_pooling2d", "average_pooling2d"])
@pytest.mark.parametrize(("padding", "strides"), [("same", 1), ("same", 2), ("valid", 2)])
def test_gradients_of_other_layers_are_the_differences_of_scores(bench: Bench, kind: str, padding: str, strides: int):
    stand_in: Any = small_network(padding, kind, strides)
    bench.files["small.json"] = json.dumps(page_network(Model("small", stand_in))).encode()
    wrong, largest = bench.page.evaluate(
        """async () => {
          const small = Digitscope.openModel(await Digitscope.json("small.json"));
          let seed = 3;
          const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
          const field = Float32Array.from({ length: 784 }, random);
          const score = (input) => Digitscope.score(Digitscope.run(small, input), [3, 8]);
          const slopes = Digitscope.gradient(small, Digitscope.run(small, field), [3, 8]);
          const step = 1 / 1024;
          const errors = [...field.keys()].map((cell) => {
            const [up, down] = [step, -step].map((by) =>
              score(field.map((ink, i) => (i === cell ? ink + by : ink))));
            return Math.abs((up - down) / (2 * step) - slopes[cell]);
          }).sort((a, b) => a - b);
          return [errors[760], Math.max(...slopes.map(Math.abs))];
        }"""
    )
    assert wrong < 0.01 * largest and largest > 0, "all but a few pixels, at which another cell becomes the largest"


ATTRIBUTED = """async (count) => {
  const inputs = new Float32Array(await (await fetch("inputs.bin")).arrayBuffer());
  const finished = (work) => { let next; do next = work.next(); while (!next.done); return next.value; };
  const two = ({ probabilities: all }) => [...all.keys()].sort((a, b) => all[b] - all[a]).slice(0, 2);
  const shuffled = (values) => {
    let seed = 7;
    const mixed = values.slice();
    for (let i = mixed.length - 1; i > 0; i--) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const j = Math.floor(seed / 2 ** 32 * (i + 1));
      [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
    }
    return mixed;
  };
  const randomised = (from) => ({ ...model, layers: model.layers.map((layer, i) =>
    (layer.kernel && i >= from ? { ...layer, kernel: shuffled(layer.kernel) } : layer)) });
  const last = model.layers.length - 1;
  const others = [randomised(last), randomised(1)];
  return Array.from({ length: count }, (_, n) => {
    const field = inputs.subarray(n * 784, (n + 1) * 784);
    const run = Digitscope.run(model, field), pair = two(run);
    const whole = finished(Digitscope.integratedGradients(model, field, pair));
    const own = Digitscope.evidence(model, run, pair);
    const maps = (one) => [Digitscope.evidence(one, Digitscope.run(one, field), pair).pixels,
      finished(Digitscope.integratedGradients(one, field, pair)).pixels].map((map) => [...map]);
    return {
      score: own.score, empty: whole.empty, sum: whole.sum, runs: whole.runs,
      units: own.units.reduce((sum, one) => sum + one, own.bias),
      ink: [...field], own: [[...own.pixels], [...whole.pixels]], others: others.map(maps),
    };
  });
}"""


@pytest.fixture(scope="module")
def attributed(bench: Bench) -> list[dict[str, Any]]:
    inputs = golden()[:8]
    bench.files["inputs.bin"] = inputs.tobytes()
    found: list[dict[str, Any]] = bench.page.evaluate(ATTRIBUTED, len(inputs))
    return found


def test_the_units_and_the_pixels_add_up_to_what_they_explain(attributed: list[dict[str, Any]]):
    for one in attributed:
        assert one["units"] == pytest.approx(one["score"], abs=1e-5), "units and bias are the score"
        wanted = one["score"] - one["empty"]
        assert one["sum"] == pytest.approx(wanted, abs=0.01 * max(1, abs(wanted))), "completeness, within 1 %"
        assert one["score"] > 0 and one["runs"] < 300


def ranks(values: list[float]) -> np.ndarray:
    return np.argsort(np.argsort(values)).astype(float)


def test_another_network_gives_other_pixels(attributed: list[dict[str, Any]]):
    """The randomisation check of Adebayo et al. 2018 (arXiv 1810.03292): shuffled weights must change the picture."""
    for method in (0, 1):
        for randomised in (0, 1):
            alike = []
            for one in attributed:
                inked = np.flatnonzero(one["ink"])
                own, other = (np.array(maps[method])[inked] for maps in (one["own"], one["others"][randomised]))
                alike.append(np.corrcoef(ranks(own), ranks(other))[0, 1])
            assert abs(np.mean(alike)) < 0.35, (method, randomised, alike)


CHANGED = """async ([strokes, erase]) => {
  const json = await Digitscope.json("model.json");
  const background = Digitscope.Background(json);
  const prepare = { fit: true, pen: true, centre: true };
  const start = Digitscope.run(model, Digitscope.raster(strokes).field).probabilities;
  const found = [];
  for (let digit = 0; digit < 10; digit++) {
    if (digit === start.indexOf(Math.max(...start))) continue;
    const change = await background.ask("change", { base: { strokes, prepare }, digit, erase });
    if (!change) continue;
    const { drawing, stroke, ink, probability } = change;
    const run = Digitscope.run(model, Digitscope.raster(drawing.strokes).field);
    found.push([digit, run.probabilities.indexOf(Math.max(...run.probabilities)), run.refused, ink,
      Math.abs(run.probabilities[digit] - probability), stroke.erase === erase,
      drawing.strokes.length === strokes.length + 1]);
  }
  background.close();
  return found;
}"""


@pytest.mark.parametrize("erase", [False, True])
def test_a_change_that_is_found_makes_it_the_digit(bench: Bench, erase: bool):
    seven = (80, 60, 200, 60, 130, 230)
    nine = (190, 80, 140, 60, 95, 95, 130, 140, 190, 110, 190, 80, 185, 150, 180, 235)
    found = bench.page.evaluate(CHANGED, [plain([Stroke(nine if erase else seven, 22, False)]), erase])
    assert found, "at least one digit can be reached"
    for digit, answer, refused, ink, off, kind, one_more in found:
        assert answer == digit and not refused and kind and one_more
        assert 0 < ink < 2 and off < 1e-6


def test_every_question_is_answered_and_a_newer_one_replaces_the_older_of_its_name(bench: Bench):
    bench.files["inputs.bin"] = golden()[:1].tobytes()
    for kept in (True, False):
        answers = bench.page.evaluate(
            """async (withWorker) => {
              const kept = globalThis.Worker;
              if (!withWorker) globalThis.Worker = class { constructor() { throw new Error("none here"); } };
              const background = Digitscope.Background(await Digitscope.json("model.json"));
              globalThis.Worker = kept;
              const field = new Float32Array(await (await fetch("inputs.bin")).arrayBuffer());
              const run = { layers: Digitscope.run(model, field).layers };
              const ask = (question, digit) => background.ask(question, { field, run, pair: [digit, 0] });
              const answers = await Promise.all([ask("integrated", 1), ask("evidence", 1), ask("integrated", 2)]);
              const dropped = ask("integrated", 3);
              background.drop("integrated");
              answers.push(await dropped);
              const failing = background.ask("evidence", { run: null, pair: [1, 0] });
              const said = await failing.catch((error) => ({ score: error instanceof Error }));
              answers.push(said, await ask("evidence", 1));
              background.close();
              return answers.map((answer) => answer && answer.score);
            }""",
            kept,
        )
        score = bench.page.evaluate(
            """async () => { const field = new Float32Array(await (await fetch("inputs.bin")).arrayBuffer());
              return [1, 2].map((digit) => Digitscope.score(Digitscope.run(model, field), [digit, 0])); }"""
        )
        assert answers == [None, score[0], score[1], None, True, score[0]]
