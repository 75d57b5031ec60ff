// From strokes to the 28x28 field that the network sees, the way MNIST's digits were made. It recognises nothing.
//
//   Digitscope.raster(strokes, {fit = true, pen = true, centre = true}) -> {
//     size: 280, picture: Float32Array(size * size)   what was drawn, 0 = paper, 1 = pen
//     box: [left, top, right, bottom] | null          where ink is, in pixels of the picture; null: nothing is drawn
//     frame: 200, fine: Float32Array(frame * frame)   the same strokes with the longer side 200, as wide as MNIST's
//     fitted: Float32Array(20 * 20)                   `fine`, each ten by ten pixels averaged
//     shift: [right, down], field: Float32Array(784)  `fitted` in the middle of 28x28, moved by whole pixels
//     pen: {drawn, used}                              widest stroke in pixels of the field, as drawn and as used
//     place: {scale, offset: [x, y]}                  a point p of the pad is p * scale + offset in pixels of the field
//   }
//   strokes: [{points: [x, y, x, y, ...] in pad units 0..280, width, erase: bool}], in the order they were made
//   options, each can be switched off to see the network fail without it. `fit`: the drawing is cut out and scaled (without
//   it, the whole pad is shrunk to 28x28: `fine` and `fitted` are null); `pen`: the stroke is as wide as MNIST's;
//   `centre`: the centre of mass goes to the middle.
//
// tests/stroke_raster.py does the same in Python: the same operations in the same order, so both agree bit for bit.
// That is why there are only + - * / and Math.sqrt here, which IEEE 754 defines to the last bit.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const PAD = 280;
  const FRAME = 200;
  const FITTED = 20;
  const FIELD = 28;
  const BLOCK = 10;
  const PEN = [2.3, 3.8]; // narrowest and widest pen in pixels of the field
  const LEAST = 1; // centre lines that span less pad units than this are a dot

  const clamp = (value, low, high) => (value < low ? low : value > high ? high : value);

  // One segment into `picture`: full ink up to the stroke's radius, falling to none over one pixel.
  const segment = (picture, size, ax, ay, bx, by, radius, erase) => {
    const dx = bx - ax, dy = by - ay;
    const length = dx * dx + dy * dy;
    const reach = radius + 1;
    const left = Math.max(0, Math.floor(Math.min(ax, bx) - reach));
    const right = Math.min(size, Math.ceil(Math.max(ax, bx) + reach));
    const top = Math.max(0, Math.floor(Math.min(ay, by) - reach));
    const bottom = Math.min(size, Math.ceil(Math.max(ay, by) + reach));
    for (let row = top; row < bottom; row++) {
      const py = row + 0.5;
      for (let column = left; column < right; column++) {
        const px = column + 0.5;
        const along = length > 0 ? clamp(((px - ax) * dx + (py - ay) * dy) / length, 0, 1) : 0;
        const ex = ax + along * dx - px, ey = ay + along * dy - py;
        const ink = clamp(radius + 0.5 - Math.sqrt(ex * ex + ey * ey), 0, 1);
        if (!(ink > 0)) continue;
        const at = row * size + column;
        if (erase) picture[at] = Math.min(picture[at], 1 - ink);
        else picture[at] = Math.max(picture[at], ink);
      }
    }
  };

  // All strokes, moved by `place`: a point p lands at p * scale + offset, a width w becomes w * thick.
  const draw = (strokes, size, { scale, offset, thick, eraser }) => {
    const picture = new Float32Array(size * size);
    for (const { points, width, erase } of strokes) {
      const radius = width * (erase ? eraser : thick) / 2;
      let ax = points[0] * scale + offset[0], ay = points[1] * scale + offset[1];
      if (points.length === 2) segment(picture, size, ax, ay, ax, ay, radius, erase);
      for (let i = 2; i + 1 < points.length; i += 2) {
        const bx = points[i] * scale + offset[0], by = points[i + 1] * scale + offset[1];
        segment(picture, size, ax, ay, bx, by, radius, erase);
        ax = bx;
        ay = by;
      }
    }
    return picture;
  };

  const boxOf = (picture, size) => {
    let left = size, top = size, right = 0, bottom = 0;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        if (picture[row * size + column] < 0.5) continue;
        if (column < left) left = column;
        if (column + 1 > right) right = column + 1;
        if (row < top) top = row;
        bottom = row + 1;
      }
    }
    return right > left ? [left, top, right, bottom] : null;
  };

  // What is left of the frame on each side of something so long, in whole blocks.
  const margin = (side) => Math.max(0, Math.floor((FITTED - Math.ceil(side / BLOCK)) / 2)) * BLOCK;

  // Where the strokes go in the frame: the centre lines of the ink in `box` and the pen fill its longer side. The lines are
  // those of the strokes, not guessed from the box: at the edge of the pad a part of the pen is missing.
  const placeOf = (strokes, box, width, setPen) => {
    const [across, down] = [0, 1].map((axis) => {
      let low = Infinity, high = -Infinity;
      for (const { points, erase } of strokes) {
        if (erase) continue;
        for (let i = axis; i < points.length; i += 2) {
          if (points[i] < low) low = points[i];
          if (points[i] > high) high = points[i];
        }
      }
      const start = Math.max(low, box[axis]);
      return { start, span: Math.max(Math.min(high, box[axis + 2]) - start, 0) };
    });
    const span = Math.max(across.span, down.span);
    if (span < LEAST) return enlarged(box, width);
    const drawn = width * FITTED / (span + width);
    const used = setPen ? clamp(drawn, PEN[0], PEN[1]) : drawn;
    const line = used * BLOCK;
    const scale = (FRAME - line) / span;
    const offset = [across, down].map((side) => margin(side.span * scale + line) + line / 2 - side.start * scale);
    return { scale, thick: line / width, eraser: scale, offset, drawn, used };
  };

  // The same for a dot, which has no centre line: its box fills the frame, and the pen grows with it.
  const enlarged = (box, width) => {
    const sides = [box[2] - box[0], box[3] - box[1]];
    const longer = Math.max(...sides);
    const scale = FRAME / longer;
    const offset = sides.map((side, i) => margin(side * scale) - box[i] * scale);
    const drawn = width * FITTED / longer;
    return { scale, thick: scale, eraser: scale, offset, drawn, used: drawn };
  };

  // Averages of ten by ten pixels.
  const averaged = (picture, size) => {
    const side = size / BLOCK;
    const values = new Float32Array(side * side);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        let sum = 0;
        for (let y = 0; y < BLOCK; y++) {
          for (let x = 0; x < BLOCK; x++) sum += picture[(row * BLOCK + y) * size + column * BLOCK + x];
        }
        values[row * side + column] = sum / (BLOCK * BLOCK);
      }
    }
    return values;
  };

  // How far right and down a square has to move from the middle of the field so that its centre of mass comes there.
  const shiftOf = (values, side) => {
    let total = 0, across = 0, down = 0;
    for (let i = 0; i < values.length; i++) {
      total += values[i];
      across += values[i] * (i % side);
      down += values[i] * Math.floor(i / side);
    }
    if (!(total > 0)) return [0, 0];
    const middle = (FIELD - side) / 2;
    const shift = (sum) => clamp(Math.floor(FIELD / 2 - sum / total + 0.5), 0, 2 * middle) - middle;
    return [shift(across), shift(down)];
  };

  const placed = (values, side, shift) => {
    const field = new Float32Array(FIELD * FIELD);
    const middle = (FIELD - side) / 2;
    for (let row = 0; row < side; row++) {
      const start = (row + middle + shift[1]) * FIELD + middle + shift[0];
      field.set(values.subarray(row * side, (row + 1) * side), start);
    }
    return field;
  };

  Digitscope.raster = (strokes, { fit = true, pen = true, centre = true } = {}) => {
    const made = strokes.filter((stroke) => stroke.points.length >= 2);
    const picture = draw(made, PAD, { scale: 1, offset: [0, 0], thick: 1, eraser: 1 });
    const box = boxOf(picture, PAD);
    const width = made.reduce((widest, stroke) => (stroke.erase ? widest : Math.max(widest, stroke.width)), 0);
    const steps = { size: PAD, picture, box, frame: FRAME, fine: null, fitted: null, shift: [0, 0], pen: null, place: null };
    if (!box || !fit) {
      const used = width * FIELD / PAD;
      return { ...steps, pen: { drawn: used, used }, place: { scale: FIELD / PAD, offset: [0, 0] }, field: averaged(picture, PAD) };
    }
    let place = placeOf(made, box, width, pen);
    let fine = draw(made, FRAME, place);
    if (!fine.some((ink) => ink > 0)) { // the eraser took all that a thinner pen left
      place = enlarged(box, width);
      fine = draw(made, FRAME, place);
    }
    const fitted = averaged(fine, FRAME);
    const shift = centre ? shiftOf(fitted, FITTED) : [0, 0];
    const { drawn, used } = place;
    const offset = shift.map((by, axis) => place.offset[axis] / BLOCK + (FIELD - FITTED) / 2 + by);
    return {
      ...steps, fine, fitted, shift, pen: { drawn, used }, place: { scale: place.scale / BLOCK, offset }, field: placed(fitted, FITTED, shift),
    };
  };
})();
