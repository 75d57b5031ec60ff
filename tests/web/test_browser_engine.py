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
from digitscope.models.model import Model, load, shipped
from digitscope.reading.out_of_distribution import Detector, digit_probability
from digitscope.web.lens.bundle import page_files
from page_models import described, rounded
from stroke_models import digits, others
from stroke_raster import Stroke, raster

HOME = "http://127.0.0.1/"
SCRIPTS = ("files.js", "raster.js", "engine.js", "known.js", "worker.js")
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
