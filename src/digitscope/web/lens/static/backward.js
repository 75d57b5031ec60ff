// How the loss changes with every weight: the network run backwards, and Adam, which takes a step. It draws nothing.
//
//   Digitscope.backward(model, run, label, gradient) -> loss
//     adds the loss' derivative with respect to every weight to gradient, a Float32Array laid out like weightsOf(model);
//     loss: the cross-entropy of one answer, -ln(share of the right digit); the last layer must be a softmax
//   Digitscope.throughPooling(layer, shape before, values before, delta, back)
//     adds to back, with the derivatives of what a pooling layer gives, those of the values before it
//   new Digitscope.Learner(model, {rate, seed}) -> {step(fields, labels) -> mean loss, weights}
//     starts from random weights and gives them to the model; weights: Float32Array, changed by every step
//
// Source of the way back: Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors", 1986; of the
// step: Kingma, Ba, "Adam", 2015, with Keras' constants; of the first weights: Glorot, Bengio, 2010, uniform, as in Keras.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const RATE = 0.001; // Keras' default
  const BETA_1 = 0.9, BETA_2 = 0.999, EPSILON = 1e-7; // as in Keras' Adam

  // Each: (layer, shape before, values before, delta, derivatives of kernel and bias, delta before | null).
  // delta: the loss' derivatives with respect to what the layer gives, before its activation.

  const dense = (layer, before, input, delta, kernel, bias, back) => {
    const units = layer.shape[0];
    for (let unit = 0; unit < units; unit++) bias[unit] += delta[unit];
    for (let i = 0; i < input.length; i++) {
      const first = i * units, value = input[i];
      let sum = 0;
      for (let unit = 0; unit < units; unit++) sum += layer.kernel[first + unit] * delta[unit];
      if (back) back[i] = sum;
      if (value !== 0) for (let unit = 0; unit < units; unit++) kernel[first + unit] += value * delta[unit];
    }
  };

  // After pooling and ReLU most derivatives are 0, so only the others are walked.
  const convolution = (layer, before, input, delta, kernel, bias, back) => {
    const [height, width, filters] = layer.shape, channels = before[2];
    const active = new Int32Array(filters);
    for (let row = 0; row < height; row++) {
      const [top, bottom, upper] = Digitscope.span(layer, before, 0, row);
      for (let column = 0; column < width; column++) {
        const place = (row * width + column) * filters;
        let n = 0;
        for (let f = 0; f < filters; f++) if (delta[place + f] !== 0) active[n++] = f;
        if (n === 0) continue;
        for (let k = 0; k < n; k++) bias[active[k]] += delta[place + active[k]];
        const [left, right, outer] = Digitscope.span(layer, before, 1, column);
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) {
            const source = (y * before[1] + x) * channels;
            const weights = ((y - upper) * layer.window[1] + x - outer) * channels * filters;
            for (let c = 0; c < channels; c++) {
              const first = weights + c * filters, value = input[source + c];
              let sum = 0;
              for (let k = 0; k < n; k++) {
                const f = active[k], part = delta[place + f];
                kernel[first + f] += value * part;
                sum += layer.kernel[first + f] * part;
              }
              if (back) back[source + c] += sum;
            }
          }
        }
      }
    }
  };

  // The largest takes it all; a mean shares it out.
  const throughPooling = (layer, before, input, delta, back) => {
    const [height, width, channels] = layer.shape;
    const largest = layer.kind === "max_pooling2d";
    for (let row = 0; row < height; row++) {
      const [top, bottom] = Digitscope.span(layer, before, 0, row);
      for (let column = 0; column < width; column++) {
        const [left, right] = Digitscope.span(layer, before, 1, column);
        const share = 1 / ((bottom - top) * (right - left));
        for (let c = 0; c < channels; c++) {
          const part = delta[(row * width + column) * channels + c];
          if (part === 0) continue;
          let winner = -1;
          for (let y = top; y < bottom; y++) {
            for (let x = left; x < right; x++) {
              const source = (y * before[1] + x) * channels + c;
              if (!largest) back[source] += part * share;
              else if (winner < 0 || input[source] > input[winner]) winner = source;
            }
          }
          if (largest) back[winner] += part;
        }
      }
    }
  };

  const backward = ({ layers }, run, label, gradient) => {
    let end = gradient.length;
    let delta = Float32Array.from(run.probabilities, (share, digit) => share - (digit === label ? 1 : 0));
    for (let i = layers.length - 1; i > 0; i--) {
      const layer = layers[i], before = layers[i - 1].shape;
      const input = run.layers[i - 1].values, { values } = run.layers[i];
      if (layer.activation === "relu") delta.forEach((_, k) => { if (!(values[k] > 0)) delta[k] = 0; });
      if (layer.kind === "flatten") continue; // the same numbers in the same order
      const back = i > 1 ? new Float32Array(input.length) : null;
      if (layer.kernel) {
        const bias = gradient.subarray(end - layer.bias.length, end);
        end -= layer.bias.length + layer.kernel.length;
        const kernel = gradient.subarray(end, end + layer.kernel.length);
        (layer.kind === "conv2d" ? convolution : dense)(layer, before, input, delta, kernel, bias, back);
      } else if (back) {
        throughPooling(layer, before, input, delta, back);
      }
      delta = back;
    }
    return -Math.log(Math.max(run.probabilities[label], EPSILON));
  };

  // Numbers 0..1 that look random and are the same for the same seed. Source: mulberry32 by Tommy Ettinger, public domain.
  const random = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };

  const firstWeights = ({ layers }, seed) => {
    const next = random(seed);
    return Float32Array.from(layers.filter(({ kernelShape }) => kernelShape).flatMap(({ kernelShape }) => {
      const [into, out] = kernelShape.slice(-2), field = kernelShape.slice(0, -2).reduce((size, side) => size * side, 1);
      const limit = Math.sqrt(6 / (field * (into + out)));
      return [...Array.from({ length: field * into * out }, () => limit * (2 * next() - 1)), ...new Array(out).fill(0)];
    }));
  };

  class Learner {
    constructor(model, { rate = RATE, seed = 0, weights = firstWeights(model, seed) } = {}) {
      const zeros = () => new Float32Array(weights.length);
      Object.assign(this, { model, rate, weights, gradient: zeros(), mean: zeros(), square: zeros(), steps: 0 });
      Digitscope.setWeights(model, weights);
    }

    step(fields, labels) {
      const { model, gradient } = this;
      gradient.fill(0);
      let loss = 0;
      fields.forEach((field, i) => { loss += backward(model, Digitscope.run(model, field), labels[i], gradient); });
      this.adam(fields.length);
      return loss / fields.length;
    }

    adam(n) {
      const { weights, gradient, mean, square } = this;
      this.steps += 1;
      const rate = this.rate * Math.sqrt(1 - BETA_2 ** this.steps) / (1 - BETA_1 ** this.steps);
      for (let i = 0; i < weights.length; i++) {
        const slope = gradient[i] / n;
        mean[i] += (1 - BETA_1) * (slope - mean[i]);
        square[i] += (1 - BETA_2) * (slope * slope - square[i]);
        weights[i] -= rate * mean[i] / (Math.sqrt(square[i]) + EPSILON);
      }
    }
  }

  Object.assign(Digitscope, { backward, throughPooling, random, Learner });
})();
