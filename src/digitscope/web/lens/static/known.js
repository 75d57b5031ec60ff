// Whether a field is a digit at all, judged by what the network computed for it. It names no digit.
//
//   Digitscope.openKnown(json) -> known         decodes the weights of the small network that judges
//   Digitscope.known(known, layers, values) -> number   probability 0..1 that it is a digit
//     layers: of the model; values: what run() computed for each of them
//
// reading/out_of_distribution.py computes the same in Python; reading/detector_fit.py fits it to a model.

"use strict";

globalThis.Digitscope ??= {};

Digitscope.openKnown = (json) => {
  const { hidden } = json;
  const weights = Digitscope.halves(json.weights);
  const inputs = (weights.length - 1) / hidden - 2;
  const kernel = weights.subarray(0, inputs * hidden);
  const [bias, output] = [0, 1].map((i) => weights.subarray((inputs + i) * hidden, (inputs + i + 1) * hidden));
  return { ...json, weights: null, inputs, kernel, bias, output, last: weights[weights.length - 1] };
};

Digitscope.known = ({ layers: names, steps, hidden, kernel, bias, output, last }, layers, values) => {
  const sums = Float64Array.from(bias);
  let row = 0;
  layers.forEach((layer, i) => {
    if (!names.includes(layer.name)) return;
    for (let at = 0; at < values[i].values.length; at += steps[names.indexOf(layer.name)]) {
      const value = values[i].values[at];
      if (value !== 0) for (let unit = 0; unit < hidden; unit++) sums[unit] += value * kernel[row + unit];
      row += hidden;
    }
  });
  const sum = sums.reduce((total, one, unit) => total + Math.max(0, one) * output[unit], last);
  return 1 / (1 + Math.exp(-sum));
};
