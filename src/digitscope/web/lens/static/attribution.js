// What speaks for one digit and against another: the evidence of every pixel and of every unit before the last layer.
// It draws nothing. The score is sum(digit) - sum(other) of the last layer, before softmax; e to its power says how many
// times as probable the digit is as the other.
//
//   Digitscope.score(run, [digit, other]) -> number
//   Digitscope.gradient(model, run, pair) -> Float64Array(784)   how the score changes per unit of ink in each pixel
//   Digitscope.evidence(model, run, pair) -> {score, units, bias, pixels}
//     units: Float64Array, value x (weight to digit - weight to other), of the layer before the last; with bias they add up to
//     the score; pixels: Float64Array(784), gradient x input
//   Digitscope.integratedGradients(model, field, pair) -> generator that returns {pixels, sum, score, empty, runs}
//     pixels add up to sum; what they explain is score - empty, empty being the score of a field without ink. It yields after
//     every run of the network.
//
// Sources: gradient x input: Shrikumar et al. 2016, arXiv 1605.01713; integrated gradients and their completeness:
// Sundararajan, Taly and Yan 2017, arXiv 1703.01365.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const PARTS = 8; // of the path from no ink to the field, at first; parts that do not add up are halved
  const MOST = 128; // parts in the end: about 260 runs of the network; what is missing then is below 1 %
  const TOLERANCE = 1e-2; // of the difference of the scores: the errors of all parts, signs aside

  const score = (run, [digit, other]) => {
    const { sums } = run.layers[run.layers.length - 1];
    return sums[digit] - sums[other];
  };

  // Backwards through one layer: derivatives of its sums or values -> derivatives of the values before it.

  const throughDense = (layer, after, before) => {
    const units = layer.shape[0];
    for (let i = 0; i < before.length; i++) {
      let sum = 0;
      for (let unit = 0; unit < units; unit++) sum += layer.kernel[i * units + unit] * after[unit];
      before[i] = sum;
    }
  };

  // Behind ReLU and pooling most derivatives are 0: only the filters that matter at a place are gone through.
  const throughConvolution = (layer, shape, after, before) => {
    const [height, width, filters] = layer.shape;
    const [, inputWidth, channels] = shape;
    const active = new Int32Array(filters);
    for (let row = 0; row < height; row++) {
      const [top, bottom, upper] = Digitscope.span(layer, shape, 0, row);
      for (let column = 0; column < width; column++) {
        const cell = (row * width + column) * filters;
        let found = 0;
        for (let f = 0; f < filters; f++) if (after[cell + f] !== 0) active[found++] = f;
        if (!found) continue;
        const [left, right, outer] = Digitscope.span(layer, shape, 1, column);
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) {
            const source = (y * inputWidth + x) * channels;
            const weights = ((y - upper) * layer.window[1] + x - outer) * channels * filters;
            for (let c = 0; c < channels; c++) {
              let sum = 0;
              for (let k = 0; k < found; k++) sum += after[cell + active[k]] * layer.kernel[weights + c * filters + active[k]];
              before[source + c] += sum;
            }
          }
        }
      }
    }
  };

  const gradient = (model, run, [digit, other]) => {
    const { layers } = model;
    let slopes = new Float64Array(layers[layers.length - 1].shape[0]);
    slopes[digit] += 1;
    slopes[other] -= 1;
    for (let i = layers.length - 1; i > 0; i--) {
      const layer = layers[i], { shape } = layers[i - 1], { values } = run.layers[i - 1];
      if (layer.activation === "relu") slopes = slopes.map((slope, cell) => (run.layers[i].sums[cell] > 0 ? slope : 0));
      if (layer.kind === "flatten") continue;
      const before = new Float64Array(values.length);
      if (layer.kind === "dense") throughDense(layer, slopes, before);
      else if (layer.kind === "conv2d") throughConvolution(layer, shape, slopes, before);
      else Digitscope.throughPooling(layer, shape, values, slopes, before); // of backward.js
      slopes = before;
    }
    return slopes;
  };

  const evidence = (model, run, pair) => {
    const [digit, other] = pair;
    const last = model.layers[model.layers.length - 1];
    const classes = last.shape[0];
    const { values } = run.layers[run.layers.length - 2];
    const units = Float64Array.from(values, (value, i) => value * (last.kernel[i * classes + digit] - last.kernel[i * classes + other]));
    const { values: field } = run.layers[0];
    return {
      score: score(run, pair), units, bias: last.bias[digit] - last.bias[other],
      pixels: gradient(model, run, pair).map((slope, i) => slope * field[i]),
    };
  };

  // The mean gradient on the straight path from no ink to the field, times the field. The path is parted where the gradient
  // changes most: a part explains its score at the end less that at the start, so what is wrong with it is known.
  const integratedGradients = function* (model, field, pair) {
    let runs = 0;
    const at = (share) => {
      runs++;
      return Digitscope.run(model, field.map((ink) => ink * share));
    };
    const part = (from, to, first, last) => {
      const run = at((from + to) / 2);
      const slopes = gradient(model, run, pair).map((slope, i) => slope * field[i] * (to - from));
      const explained = slopes.reduce((sum, slope) => sum + slope, 0);
      return { from, to, first, last, middle: score(run, pair), slopes, explained, wrong: last - first - explained };
    };
    const ends = [];
    for (let i = 0; i <= PARTS; i++) {
      ends.push(score(at(i / PARTS), pair));
      yield;
    }
    const parts = [];
    for (let i = 0; i < PARTS; i++) {
      parts.push(part(i / PARTS, (i + 1) / PARTS, ends[i], ends[i + 1]));
      yield;
    }
    const whole = Math.max(1, Math.abs(ends[PARTS] - ends[0]));
    const wrong = () => parts.reduce((sum, one) => sum + Math.abs(one.wrong), 0);
    while (parts.length < MOST && wrong() > TOLERANCE * whole) {
      const worst = parts.reduce((most, one, i) => (Math.abs(one.wrong) > Math.abs(parts[most].wrong) ? i : most), 0);
      const { from, to, first, last, middle } = parts[worst];
      const half = (from + to) / 2;
      parts.splice(worst, 1, part(from, half, first, middle), part(half, to, middle, last));
      yield;
    }
    const pixels = new Float64Array(field.length);
    for (const { slopes } of parts) slopes.forEach((slope, i) => { pixels[i] += slope; });
    return { pixels, sum: pixels.reduce((sum, one) => sum + one, 0), score: ends[PARTS], empty: ends[0], runs };
  };

  Object.assign(Digitscope, { score, gradient, evidence, integratedGradients });
})();
