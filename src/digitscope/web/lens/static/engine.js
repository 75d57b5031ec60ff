// The network, run on its own weights, and the exact arithmetic of any of its cells. It draws nothing.
//
//   Digitscope.openModel(json) -> model             decodes the weights once
//     model.layers[i]: {name, kind, activation, shape, parameters, formula, window, strides, padding,
//                       kernel, kernelShape, bias}  kernel and bias: Float32Array | null
//     model.known                                   what tells digits from anything else; null: nothing does
//   Digitscope.setWeights(model, weights)           other weights for the same layers, Float32Array: of each layer that learns its
//                                                   kernel, then its bias, as json.weights has them
//   Digitscope.weightsOf(model) -> Float32Array     those it has now
//   Digitscope.run(model, field) -> {layers: [{values, sums}], probabilities, known, refused}
//     field: Float32Array(784) 0..1; values, sums: Float32Array, channels last; sums: null where nothing is learned
//     known: probability 0..1 that the field is a digit at all; refused: known is below model.known.threshold
//   Digitscope.terms(model, run, layerIndex, cellIndex) -> {sources, values, weights, products, bias, sum, result, stored,
//                                                           difference, winner}
//     sources: Int32Array, cells of the layer before (of the input: the pixel); winner: of max-pooling, else null
//   Digitscope.softmax(sums) -> {largest, exponentials, total, probabilities}
//   Digitscope.flatIndex(shape, cell), Digitscope.cellOf(shape, index)
//   Digitscope.span(layer, shapeBefore, axis, place) -> [first, last + 1, start] under a window; start may lie outside
//
// Sums are added up in float64 and stored as float32. digitscope/lens.py says the same in Python.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  // Opening

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

  const half = (bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) return sign * 2 ** -24 * fraction;
    return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
  };

  // Base64 of little-endian float16 as Float32Array.
  const halves = (base64) => {
    const bytes = bytesOf(base64);
    const values = new Float32Array(bytes.length / 2);
    for (let i = 0; i < values.length; i++) values[i] = half(bytes[2 * i] | (bytes[2 * i + 1] << 8));
    return values;
  };

  const openModel = (json) => {
    const layers = json.layers.map((layer) => ({ ...layer, kernel: null, bias: null }));
    const known = json.known ? Digitscope.openKnown(json.known) : null;
    const model = { ...json, weights: null, layers, known };
    setWeights(model, halves(json.weights));
    return model;
  };

  // The layers stay the same objects, so that whatever shows them shows their new weights.
  const setWeights = ({ layers }, weights) => {
    let at = 0;
    const take = (shape) => weights.subarray(at, (at += shape.reduce((size, side) => size * side, 1)));
    for (const layer of layers) {
      if (layer.kernelShape) Object.assign(layer, { kernel: take(layer.kernelShape), bias: take(layer.kernelShape.slice(-1)) });
    }
  };

  const weightsOf = ({ layers }) => {
    const parts = layers.filter(({ kernel }) => kernel).flatMap(({ kernel, bias }) => [kernel, bias]);
    const weights = new Float32Array(parts.reduce((size, { length }) => size + length, 0));
    let at = 0;
    for (const part of parts) {
      weights.set(part, at);
      at += part.length;
    }
    return weights;
  };

  // Where cells are

  const flatIndex = (shape, cell) => cell.reduce((index, part, axis) => index * shape[axis] + part, 0);

  const cellOf = (shape, index) => {
    const cell = [];
    for (const side of [...shape].reverse()) {
      cell.unshift(index % side);
      index = Math.floor(index / side);
    }
    return cell;
  };

  const sizeOf = (shape) => shape.reduce((size, side) => size * side, 1);

  // What is missing at the top or left where "same" padding lets the window hang over the edge.
  const overhang = (layer, before, axis) => {
    if (layer.padding !== "same") return 0;
    const needed = (layer.shape[axis] - 1) * layer.strides[axis] + layer.window[axis];
    return Math.floor(Math.max(0, needed - before[axis]) / 2);
  };

  // First and last + 1 row (axis 0) or column (axis 1) under the window of a place, inside the layer before.
  const span = (layer, before, axis, place) => {
    const start = place * layer.strides[axis] - overhang(layer, before, axis);
    return [Math.max(0, start), Math.min(before[axis], start + layer.window[axis]), start];
  };

  // Running

  const convolve = (layer, before, input, sums) => {
    const [height, width, filters] = layer.shape;
    const [, inputWidth, channels] = before;
    const { kernel, bias } = layer;
    const sum = new Float64Array(filters);
    for (let row = 0; row < height; row++) {
      const [top, bottom, upper] = span(layer, before, 0, row);
      for (let column = 0; column < width; column++) {
        const [left, right, outer] = span(layer, before, 1, column);
        sum.set(bias);
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) {
            const source = (y * inputWidth + x) * channels;
            const weights = ((y - upper) * layer.window[1] + x - outer) * channels * filters;
            for (let c = 0; c < channels; c++) {
              const value = input[source + c];
              if (value === 0) continue;
              const first = weights + c * filters;
              for (let f = 0; f < filters; f++) sum[f] += value * kernel[first + f];
            }
          }
        }
        sums.set(sum, (row * width + column) * filters);
      }
    }
  };

  const multiply = (layer, before, input, sums) => {
    const units = layer.shape[0];
    const sum = Float64Array.from(layer.bias);
    for (let i = 0; i < before[0]; i++) {
      const value = input[i];
      if (value === 0) continue;
      const first = i * units;
      for (let unit = 0; unit < units; unit++) sum[unit] += value * layer.kernel[first + unit];
    }
    sums.set(sum);
  };

  const pool = (layer, before, input, values) => {
    const [height, width, channels] = layer.shape;
    const largest = layer.kind === "max_pooling2d";
    for (let row = 0; row < height; row++) {
      const [top, bottom] = span(layer, before, 0, row);
      for (let column = 0; column < width; column++) {
        const [left, right] = span(layer, before, 1, column);
        const share = 1 / ((bottom - top) * (right - left));
        for (let c = 0; c < channels; c++) {
          let most = -Infinity, sum = 0;
          for (let y = top; y < bottom; y++) {
            for (let x = left; x < right; x++) {
              const value = input[(y * before[1] + x) * channels + c];
              if (value > most) most = value;
              sum += value * share;
            }
          }
          values[(row * width + column) * channels + c] = largest ? most : sum;
        }
      }
    }
  };

  const softmax = (sums) => {
    const largest = sums.reduce((most, sum) => Math.max(most, sum), -Infinity);
    const exponentials = Float64Array.from(sums, (sum) => Math.exp(sum - largest));
    const total = exponentials.reduce((all, one) => all + one, 0);
    return { largest, exponentials, total, probabilities: exponentials.map((one) => one / total) };
  };

  const activated = (activation, sums) => {
    if (activation === "relu") return sums.map((sum) => (sum > 0 ? sum : 0));
    return activation === "softmax" ? Float32Array.from(softmax(sums).probabilities) : sums;
  };

  const forward = (layer, before, input) => {
    if (layer.kind === "flatten") return { values: input.slice(), sums: null };
    const values = new Float32Array(sizeOf(layer.shape));
    if (layer.kernel === null) {
      pool(layer, before, input, values);
      return { values, sums: null };
    }
    (layer.kind === "conv2d" ? convolve : multiply)(layer, before, input, values);
    return { values: activated(layer.activation, values), sums: values };
  };

  const run = (model, field) => {
    const layers = [{ values: Float32Array.from(field), sums: null }];
    for (let i = 1; i < model.layers.length; i++) {
      layers.push(forward(model.layers[i], model.layers[i - 1].shape, layers[i - 1].values));
    }
    const probabilities = layers[layers.length - 1].values;
    const known = model.known ? Digitscope.known(model.known, model.layers, layers) : 1;
    return { layers, probabilities, known, refused: known < (model.known?.threshold ?? 0) };
  };

  // What a cell depends on: one declaration per kind of layer, (layer, shape before, values before, cell) -> {sources, weights}.

  const window = (layer, before, [row, column]) => {
    const [top, bottom, upper] = span(layer, before, 0, row);
    const [left, right, outer] = span(layer, before, 1, column);
    const places = [];
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) places.push({ y, x, inside: (y - upper) * layer.window[1] + x - outer });
    }
    return places;
  };

  const inOneChannel = (layer, before, cell) =>
    Int32Array.from(window(layer, before, cell), ({ y, x }) => flatIndex(before, [y, x, cell[2]]));

  const depends = {
    input: (layer, before, values, cell) =>
      ({ sources: Int32Array.of(flatIndex(layer.shape, cell)), weights: Float64Array.of(1 / 255) }),
    conv2d: (layer, before, values, cell) => {
      const [, , channels, filters] = layer.kernelShape;
      const sources = [], weights = [];
      for (const { y, x, inside } of window(layer, before, cell)) {
        for (let c = 0; c < channels; c++) {
          sources.push(flatIndex(before, [y, x, c]));
          weights.push(layer.kernel[(inside * channels + c) * filters + cell[2]]);
        }
      }
      return { sources: Int32Array.from(sources), weights: Float32Array.from(weights) };
    },
    max_pooling2d: (layer, before, values, cell) => {
      const sources = inOneChannel(layer, before, cell);
      const winner = sources.reduce((best, source, i) => (values[source] > values[sources[best]] ? i : best), 0);
      return { sources, weights: Float32Array.from(sources, (_, i) => Number(i === winner)), winner };
    },
    average_pooling2d: (layer, before, values, cell) => {
      const sources = inOneChannel(layer, before, cell);
      return { sources, weights: new Float64Array(sources.length).fill(1 / sources.length) };
    },
    flatten: (layer, before, values, [index]) =>
      ({ sources: Int32Array.of(index), weights: Float32Array.of(1) }),
    dense: (layer, before, values, [unit]) => {
      const units = layer.shape[0];
      const sources = Int32Array.from({ length: before[0] }, (_, i) => i);
      return { sources, weights: Float32Array.from(sources, (i) => layer.kernel[i * units + unit]) };
    },
  };

  const terms = (model, run, layerIndex, cellIndex) => {
    const layer = model.layers[layerIndex];
    const before = layerIndex ? model.layers[layerIndex - 1].shape : layer.shape;
    const stored = run.layers[layerIndex].values[cellIndex];
    const all = layerIndex
      ? run.layers[layerIndex - 1].values
      : run.layers[0].values.map((value) => Math.round(value * 255000) / 1000);
    const cell = cellOf(layer.shape, cellIndex);
    const { sources, weights, winner = null } = depends[layer.kind](layer, before, all, cell);
    const values = Float32Array.from(sources, (source) => all[source]);
    const products = Float64Array.from(values, (value, i) => value * weights[i]);
    const bias = layer.bias ? layer.bias[cell[cell.length - 1]] : 0;
    const sum = products.reduce((total, product) => total + product, 0) + bias;
    let result = sum;
    if (layer.activation === "relu") result = Math.max(0, sum);
    if (layer.activation === "softmax") {
      const sums = Float64Array.from(run.layers[layerIndex].sums);
      sums[cellIndex] = sum;
      result = softmax(sums).probabilities[cellIndex];
    }
    return { sources, values, weights, products, bias, sum, result, stored, difference: result - stored, winner };
  };

  Object.assign(Digitscope, { bytesOf, halves, openModel, setWeights, weightsOf, span, flatIndex, cellOf, softmax, run, terms });
})();
