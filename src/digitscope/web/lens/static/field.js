// From the ink of one digit in a photo to the 28x28 field that the network sees. It recognises nothing.
//
//   Digitscope.fieldOfInk({digit, whole}, {fit = true, pen = true, centre = true}) -> as Digitscope.raster
//     digit: one of Digitscope.findInk, whole: the ink of the picture
//     picture: the ink in a square round the digit, `size` pixels wide; box: where the digit is in it; the options and the other
//     steps as in raster.js
//
// digitscope/preprocessing/field.py does the same in Python, with the same constants.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { mapped, masked, cut, resized, partsOf, distances } = Digitscope;
  const FIELD = 28, FITTED = 20, FINE = 80;
  const STROKE = [2.3, 3.8]; // narrowest and widest mean stroke in pixels of the field
  const HALF = 0.5;
  const MARGIN = 0.15; // of the digit's longer side, left round it in the picture of the ink

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  const scaled = (source, scale, kind) => {
    const [width, height] = [source.width, source.height].map((side) => Math.max(1, Math.round(side * scale)));
    return mapped(resized(source, width, height, kind), (ink) => clamp(ink, 0, 1));
  };

  // The shape at half ink, its outline moved until the mean stroke is as wide as MNIST's: inside a stroke of width w the mean
  // distance to the outline is w / 4.
  const withStroke = (fine, setPen) => {
    const mask = masked(fine, (ink) => ink > HALF), unit = FINE / FITTED;
    const area = mask.values.reduce((sum, one) => sum + one, 0);
    if (!area || area === mask.values.length) return { shape: fine, drawn: 0, used: 0 };
    const inside = distances(mask), outside = distances(masked(mask, (one) => !one));
    const drawn = 4 * inside.reduce((sum, one) => sum + one, 0) / area / unit, used = setPen ? clamp(drawn, ...STROKE) : drawn;
    const move = (used - drawn) / 2 * unit;
    return { drawn, used, shape: mapped(mask, (one, i) => clamp(inside[i] - outside[i] + 1 - one + move, 0, 1)) };
  };

  const trimmed = (shape) => {
    const { parts } = partsOf(masked(shape, (ink) => ink > HALF));
    if (!parts.length) return shape;
    const [left, top] = ["left", "top"].map((side) => Math.min(...parts.map((part) => part[side])));
    const [right, bottom] = ["right", "bottom"].map((side) => Math.max(...parts.map((part) => part[side])));
    return cut(shape, left, top, right - left, bottom - top);
  };

  // Where the corner of the fitted shape goes, so that its centre of mass is at the middle; in the middle if it is not to be.
  const cornerOf = ({ width, height, values }, centre) => {
    if (!centre) return [width, height].map((side) => Math.floor((FIELD - side) / 2));
    let total = 0, across = 0, down = 0;
    values.forEach((ink, i) => {
      total += ink;
      across += ink * (i % width);
      down += ink * Math.floor(i / width);
    });
    return [[across, width], [down, height]].map(([sum, side]) => clamp(Math.round(FIELD / 2 - sum / (total || 1)), 0, FIELD - side));
  };

  Digitscope.fieldOfInk = ({ digit: { left, top, right, bottom, ink }, whole }, { fit = true, pen = true, centre = true } = {}) => {
    const width = right - left, height = bottom - top, longer = Math.max(width, height), around = Math.round(MARGIN * longer);
    const size = longer + 2 * around;
    const [x, y] = [width, height].map((side) => Math.floor((size - side) / 2));
    const picture = cut(ink, -x, -y, size, size).values, box = [x, y, x + width, y + height];
    const steps = { size, picture, box, fitted: null, shift: [0, 0], pen: null };
    if (!fit) {
      const side = Math.max(whole.width, whole.height), square = cut(whole, (whole.width - side) >> 1, (whole.height - side) >> 1, side, side);
      return { ...steps, field: resized(square, FIELD, FIELD).values };
    }
    const margin = Math.max(2, Math.round(longer / 10));
    const crop = cut(ink, -margin, -margin, width + 2 * margin, height + 2 * margin);
    const { shape, drawn, used } = withStroke(scaled(crop, FINE / longer, "cubic"), pen);
    const clean = trimmed(shape), fitted = scaled(clean, FITTED / Math.max(clean.width, clean.height));
    const middle = (side) => [fitted.width, fitted.height].map((one) => Math.floor((side - one) / 2));
    const corner = cornerOf(fitted, centre), placed = (side, [across, down]) => cut(fitted, -across, -down, side, side).values;
    return {
      ...steps, fitted: placed(FITTED, middle(FITTED)), shift: corner.map((place, axis) => place - middle(FIELD)[axis]),
      pen: { drawn, used }, field: placed(FIELD, corner),
    };
  };
})();
