// Arithmetic on grey pictures: resizing, blurring, widening, parts and distances, as OpenCV does them. It knows no digits.
//
//   a plane is {width, height, values: Float32Array | Uint8Array}, row by row; a mask is a plane of 0 and 1
//   Digitscope.mapped(plane, act), masked(plane, test)   another plane, or mask, of act(value, index)
//   Digitscope.cut(plane, left, top, width, height)   a part, 0 beyond the rim
//   Digitscope.resized(plane, width, height, "cubic" | "linear")   averages areas where it shrinks, else interpolates
//   Digitscope.blurred(plane, kernel)    kernel: half of a symmetric one, its middle first
//   Digitscope.dilated(plane, reach), eroded(plane, reach)   the largest and the smallest value in a square of that side
//   Digitscope.partsOf(mask) -> {labels: Int32Array, parts: [{left, top, right, bottom, area, label}]}   8-connected, label 1...
//   Digitscope.distances(mask) -> Float32Array   from every 1 to the nearest 0, of the plane; Digitscope.quantile(values, share)
//
// Source of the distances: Borgefors, "Distance transformations in digital images", 1986, with OpenCV's weights for 5 x 5.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const CUBIC = -0.75; // OpenCV's slope of the cubic at 1
  const STEPS = [[0, -1, 1], [-1, 0, 1], [-1, -1, 1.4], [1, -1, 1.4], [-2, -1, 2.1969], [2, -1, 2.1969], [-1, -2, 2.1969], [1, -2, 2.1969]];
  const FAR = 1e6;
  const ENOUGH = 40000; // values of which a quantile is known to a hundredth of a share

  const plane = (width, height, values = new Float32Array(width * height)) => ({ width, height, values });
  const clamp = (value, low, high) => (value < low ? low : value > high ? high : value);
  const mapped = (source, act) => filled(source, new Float32Array(source.values.length), act);
  const masked = (source, test) => filled(source, new Uint8Array(source.values.length), (value, i) => (test(value, i) ? 1 : 0));

  // Plain loops, here and below: on half a million pixels the array methods that take a function need seconds.
  const filled = ({ width, height, values }, into, act) => {
    for (let i = 0; i < values.length; i++) into[i] = act(values[i], i);
    return plane(width, height, into);
  };

  // A part of a plane, 0 beyond its rim.
  const cut = ({ width, height, values }, left, top, wide, high) => {
    const part = plane(wide, high);
    for (let y = Math.max(0, -top); y < Math.min(high, height - top); y++) {
      for (let x = Math.max(0, -left); x < Math.min(wide, width - left); x++) part.values[y * wide + x] = values[(top + y) * width + left + x];
    }
    return part;
  };

  const cubic = (t) => {
    const near = (d) => ((CUBIC + 2) * d - (CUBIC + 3)) * d * d + 1;
    const far = (d) => ((CUBIC * d - 5 * CUBIC) * d + 8 * CUBIC) * d - 4 * CUBIC;
    return [far(t + 1), near(t), near(1 - t), far(2 - t)];
  };

  // What one place of a resized line is made of: indices, and a weight for each.
  const taps = (from, to, kind, i) => {
    const scale = from / to;
    if (scale >= 1) {
      const start = i * scale, end = Math.min(from, start + scale), first = Math.floor(start);
      const at = Array.from({ length: Math.ceil(end - 1e-9) - first }, (_, k) => first + k);
      return { at, weights: at.map((j) => (Math.min(end, j + 1) - Math.max(start, j)) / scale) };
    }
    const middle = (i + 0.5) * scale - 0.5, first = Math.floor(middle), t = middle - first;
    const weights = kind === "cubic" ? cubic(t) : [1 - t, t];
    return { weights, at: weights.map((_, k) => clamp(first + k - (kind === "cubic" ? 1 : 0), 0, from - 1)) };
  };

  // Resizes the columns of a plane, and turns it on its side; twice is a plane resized along both axes.
  const resizedColumns = ({ width, height, values }, size, kind) => {
    const into = plane(size, width);
    for (let i = 0; i < size; i++) {
      const { at, weights } = taps(height, size, kind, i);
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let k = 0; k < at.length; k++) sum += values[at[k] * width + x] * weights[k];
        into.values[x * size + i] = sum;
      }
    }
    return into;
  };

  const resized = (source, width, height, kind = "linear") =>
    (source.width === width && source.height === height ? source : resizedColumns(resizedColumns(source, height, kind), width, kind));

  // The same with the longer side at most so long.
  const reduced = (source, longest) => {
    const scale = Math.min(1, longest / Math.max(source.width, source.height));
    return resized(source, ...[source.width, source.height].map((side) => Math.max(1, Math.round(side * scale))));
  };

  const mirror = (at, length) => {
    if (length === 1) return 0;
    const around = 2 * length - 2, place = ((at % around) + around) % around;
    return place < length ? place : around - place;
  };

  const blurred = ({ width, height, values }, kernel) => {
    const across = new Float32Array(values.length), down = plane(width, height);
    for (let x = 0; x < width; x++) {
      const near = kernel.map((_, k) => [mirror(x - k, width), mirror(x + k, width)]);
      for (let line = 0; line < values.length; line += width) {
        let sum = values[line + x] * kernel[0];
        for (let k = 1; k < kernel.length; k++) sum += (values[line + near[k][0]] + values[line + near[k][1]]) * kernel[k];
        across[line + x] = sum;
      }
    }
    for (let y = 0; y < height; y++) {
      const near = kernel.map((_, k) => [mirror(y - k, height) * width, mirror(y + k, height) * width]);
      for (let x = 0; x < width; x++) {
        let sum = across[y * width + x] * kernel[0];
        for (let k = 1; k < kernel.length; k++) sum += (across[near[k][0] + x] + across[near[k][1] + x]) * kernel[k];
        down.values[y * width + x] = sum;
      }
    }
    return down;
  };

  const gaussian = (deviation) => {
    const half = Array.from({ length: Math.round(4 * deviation) + 1 }, (_, k) => Math.exp(-k * k / (2 * deviation * deviation)));
    const total = half.reduce((sum, one, k) => sum + (k ? 2 * one : one), 0);
    return half.map((one) => one / total);
  };

  // The largest of every `reach` values of each row, turned on its side: of blocks of that length, the largest so far from both
  // ends (van Herk, "A fast algorithm for local minimum and maximum filters", 1992).
  const largestOfRows = ({ width, height, values }, reach) => {
    const before = Math.floor(reach / 2), length = width + 2 * reach;
    const line = new Float32Array(length), on = new Float32Array(length), back = new Float32Array(length), into = plane(height, width);
    for (let y = 0; y < height; y++) {
      line.fill(-Infinity);
      line.set(values.subarray(y * width, (y + 1) * width), before);
      for (let i = 0; i < length; i++) on[i] = i % reach ? Math.max(on[i - 1], line[i]) : line[i];
      for (let i = length - 1; i >= 0; i--) back[i] = (i + 1) % reach && i + 1 < length ? Math.max(back[i + 1], line[i]) : line[i];
      for (let x = 0; x < width; x++) into.values[x * height + y] = Math.max(back[x], on[x + reach - 1]);
    }
    return into;
  };

  const dilated = (source, reach) => largestOfRows(largestOfRows(source, reach), reach);
  const eroded = (source, reach) => mapped(dilated(mapped(source, (value) => -value), reach), (value) => -value);

  const partsOf = ({ width, height, values }) => {
    const labels = new Int32Array(values.length), parts = [], waiting = new Int32Array(values.length);
    for (let start = 0; start < values.length; start++) {
      if (!values[start] || labels[start]) continue;
      const part = { left: width, top: height, right: 0, bottom: 0, area: 0, label: parts.length + 1 };
      let n = 0;
      waiting[n++] = start;
      labels[start] = part.label;
      while (n) {
        const at = waiting[--n], x = at % width, y = (at - x) / width;
        part.area++;
        part.left = Math.min(part.left, x);
        part.right = Math.max(part.right, x + 1);
        part.top = Math.min(part.top, y);
        part.bottom = Math.max(part.bottom, y + 1);
        for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
          for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
            const next = v * width + u;
            if (!values[next] || labels[next]) continue;
            labels[next] = part.label;
            waiting[n++] = next;
          }
        }
      }
      parts.push(part);
    }
    return { labels, parts };
  };

  const distances = ({ width, height, values }) => {
    const wide = width + 4, found = new Float32Array(wide * (height + 4)).fill(FAR);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (!values[y * width + x]) found[(y + 2) * wide + x + 2] = 0;
    const steps = STEPS.map(([x, y]) => y * wide + x), lengths = STEPS.map(([, , length]) => length);
    const pass = (at, sign) => {
      let least = found[at];
      if (!least) return;
      for (let k = 0; k < steps.length; k++) least = Math.min(least, found[at + sign * steps[k]] + lengths[k]);
      found[at] = least;
    };
    for (let y = 2; y < height + 2; y++) for (let x = 2; x < width + 2; x++) pass(y * wide + x, 1);
    for (let y = height + 1; y > 1; y--) for (let x = width + 1; x > 1; x--) pass(y * wide + x, -1);
    const away = plane(width, height);
    for (let y = 0; y < height; y++) away.values.set(found.subarray((y + 2) * wide + 2, (y + 2) * wide + 2 + width), y * width);
    return away.values;
  };

  // The value below which a share of all lies; the median is that of a half. Of many values, every second or third ... counts.
  const quantile = (values, share) => {
    const step = Math.ceil(values.length / ENOUGH), some = new Float32Array(Math.ceil(values.length / step));
    for (let i = 0; i < some.length; i++) some[i] = values[i * step];
    const sorted = some.sort(), place = share * (sorted.length - 1), low = Math.floor(place);
    return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
  };

  Object.assign(Digitscope, { plane, mapped, masked, cut, resized, reduced, blurred, gaussian, dilated, eroded, partsOf, distances, quantile });
})();
