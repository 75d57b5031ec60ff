// The ten questions of "Predict, then look", and what is true of each for this network and this digit. It shows nothing.
//
//   Digitscope.predictions(app) -> those that this network can answer, each {id, own, look()}
//     own: whether it is about the digit on the pad, which the network must read then
//     look() -> {values, choices, right, show()}   values: what the texts speak of; choices: texts; right: which is true
//     show: takes one to where it is seen

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { words, fixed, short, percent, count, nameOf, cellOf } = Digitscope;
  const SIDE = 28;
  const MOVED = 2; // pixels
  const SAME = 1e-4; // numbers that differ by less are the same but for rounding
  const LINE = { points: [60, 140, 220, 140], width: 22, erase: false }; // pad units

  const texts = (id, values = {}) => ["a", "b", "c"].map((which) => words(`question.${id}.${which}`, values));

  // Which of three parts a share lies in: up to the first bound, up to the second, above.
  const part = (share, [first, second]) => (share < first ? 0 : share <= second ? 1 : 2);

  const strongest = ({ probabilities }) => Digitscope.strongest(probabilities);

  class Predictions {
    constructor(app) {
      this.app = app;
      const { layers } = app.model;
      const first = (fits) => layers.findIndex(fits);
      const conv = first(({ kind }) => kind === "conv2d");
      const pool = first(({ kind }) => kind.endsWith("pooling2d"));
      this.at = {
        empty: conv,
        relu: first(({ kind, activation }) => kind === "conv2d" && activation === "relu"),
        pool,
        moved: conv >= 0 && layers[conv].strides[1] === 1 ? conv : -1,
        products: first(({ kind, kernelShape }) => kind === "conv2d" && kernelShape[2] > 1),
        weights: first(({ parameters }) => parameters > 0),
        units: first(({ kind, activation }) => kind === "dense" && activation === "relu"),
        softmax: layers.length - 1, turned: 0, stroke: 0,
      };
    }

    list() {
      const general = ["empty", "weights"];
      return Object.keys(this.at).filter((id) => this.at[id] >= 0)
        .map((id) => ({ id, own: !general.includes(id), look: () => this[id](this.app.model.layers[this.at[id]], this.at[id]) }));
    }

    // What the network makes of another field, and the digit that is on the pad.
    get digit() { return this.app.outcome.answer; }
    run(field) { return Digitscope.run(this.app.model, field); }
    get field() { return this.app.run.layers[0].values; }

    open(layer, change = {}, view = "value") {
      const { app } = this;
      const cell = change.cell ?? app.interesting(layer);
      app.set({ view });
      app.go({ depth: 1, layer, cell, ...app.bestSource(layer, cell), ...change });
    }

    // The whole network with something else on the pad.
    put(drawing) {
      this.app.keep(drawing);
      this.app.go({ depth: 0 });
      this.app.answer.element.scrollIntoView({ block: "nearest" });
    }

    empty(layer, at) {
      const run = this.run(new Float32Array(SIDE * SIDE)), { sums } = run.layers[at];
      const n = layer.shape[2];
      const even = sums.every((sum, i) => Math.abs(sum - layer.bias[i % n]) < SAME);
      const digit = strongest(run);
      return {
        values: {
          n, layer: nameOf(layer), low: short(Math.min(...layer.bias)), high: short(Math.max(...layer.bias)), above: layer.bias.filter((bias) => bias > 0).length,
          digit, share: percent(run.probabilities[digit]),
        },
        choices: texts("empty"), right: sums.every((sum) => sum === 0) ? 0 : even ? 1 : 2,
        show: () => { this.app.keep({ strokes: [] }); this.open(at, {}, "sum"); },
      };
    }

    relu(layer, at) {
      const { values } = this.app.run.layers[at];
      const zero = values.filter((value) => value === 0).length, share = zero / values.length;
      return {
        values: { layer: nameOf(layer), all: count(values.length), zero: count(zero), share: percent(share) },
        choices: texts("relu"), right: part(share, [1 / 3, 2 / 3]), show: () => this.open(at),
      };
    }

    pool(layer, at) {
      const { app } = this;
      const cell = app.interesting(at), { values, stored } = app.terms(at, cell);
      const sum = values.reduce((all, value) => all + value, 0);
      const ways = { largest: Math.max(...values), mean: sum / values.length, sum };
      return {
        values: {
          layer: nameOf(layer), map: cellOf(layer.shape, cell)[2], values: Digitscope.listed(Array.from(values, (value) => fixed(value, 2))), result: fixed(stored, 2),
          before: count(app.run.layers[at - 1].values.length), after: count(app.run.layers[at].values.length),
        },
        choices: texts("pool", Object.fromEntries(Object.entries(ways).map(([name, value]) => [name, fixed(value, 2)]))),
        right: Object.values(ways).findIndex((value) => Math.abs(value - stored) < SAME),
        show: () => this.open(at, { cell, depth: 2 }),
      };
    }

    moved(layer, at) {
      const { digit, field } = this;
      const moved = Float32Array.from(field, (_, cell) => (cell % SIDE < MOVED ? 0 : field[cell - MOVED]));
      const run = this.run(moved);
      const [, width, maps] = layer.shape, before = this.app.run.layers[at].values, after = run.layers[at].values;
      let same = 0, kept = 0, all = 0;
      before.forEach((value, cell) => {
        if (Math.floor(cell / maps) % width >= width - MOVED) return;
        all++;
        same += Math.abs(after[cell + MOVED * maps] - value) < SAME;
        kept += Math.abs(after[cell] - value) < SAME;
      });
      return {
        values: { layer: nameOf(layer), digit, same: percent(same / all, 0), before: percent(this.app.run.probabilities[digit]), after: percent(run.probabilities[digit]) },
        choices: texts("moved"), right: same > all / 2 && same >= kept ? 0 : kept > all / 2 ? 1 : 2,
        show: () => { this.app.keep({ pixels: Uint8Array.from(moved, (ink) => Math.round(255 * ink)) }); this.open(at); },
      };
    }

    products(layer, at) {
      const { app } = this;
      const cell = app.interesting(at), { products } = app.terms(at, cell);
      const [rows, columns, depth] = layer.kernelShape;
      const numbers = [rows * columns, depth, rows * columns * depth];
      return {
        values: { layer: nameOf(layer), rows, columns, depth, terms: count(numbers[2]), active: count(products.filter((product) => product !== 0).length) },
        choices: numbers.map(count), right: numbers.lastIndexOf(numbers[2]), show: () => this.open(at, { cell, depth: 2 }),
      };
    }

    weights() {
      const { layers } = this.app.model;
      const learned = layers.filter(({ parameters }) => parameters > 0);
      const most = learned.reduce((best, layer) => (layer.parameters > best.parameters ? layer : best));
      const all = learned.reduce((sum, { parameters }) => sum + parameters, 0);
      return {
        values: { parameters: count(all), layer: nameOf(most), n: count(most.parameters), share: percent(most.parameters / all), formula: Digitscope.recounted(most.formula) },
        choices: learned.map(nameOf), right: learned.indexOf(most), show: () => this.open(layers.indexOf(most)),
      };
    }

    units(layer, at) {
      const { values } = this.app.run.layers[at];
      const active = values.filter((value) => value > 0).length;
      return {
        values: { layer: nameOf(layer), n: values.length, active }, choices: texts("units"), right: part(active / values.length, [1 / 4, 1 / 2]),
        show: () => this.open(at),
      };
    }

    softmax(layer, at) {
      const { digit } = this, { probabilities, layers } = this.app.run;
      const after = Digitscope.softmax(layers[at].sums.map((sum) => sum + 1)).probabilities;
      const rise = after.map((share, i) => share - probabilities[i]);
      return {
        values: { digit, before: percent(probabilities[digit], 3), after: percent(after[digit], 3), e: fixed(Math.E, 3) },
        choices: texts("softmax"), right: rise.every((by) => Math.abs(by) < SAME) ? 1 : rise.every((by) => by > 0) ? 0 : 2,
        show: () => this.open(at),
      };
    }

    // What the network says when other pixels are on the pad.
    said(pixels) {
      const run = this.run(Float32Array.from(pixels, (pixel) => pixel / 255)), said = strongest(run), { digit } = this;
      const outcome = run.refused ? words("question.refuses") : words("question.says", { digit: said, share: percent(run.probabilities[said]) });
      return {
        values: { digit, outcome }, choices: [words("question.still", { digit }), words("question.another"), words("question.unknown")],
        right: run.refused ? 2 : said === digit ? 0 : 1, show: () => this.put({ pixels }),
      };
    }

    turned() { return this.said(Uint8Array.from(this.field, (ink) => Math.round(255 * ink)).reverse()); }
    stroke() { return this.said(Digitscope.overlaid(this.field, LINE)); }
  }

  Digitscope.predictions = (app) => new Predictions(app).list();
})();
