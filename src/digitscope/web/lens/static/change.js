// The least ink to add or to erase so that the answer becomes another digit, as one stroke. It draws nothing.
//
//   Digitscope.leastChange(model, base, digit, erase) -> generator that returns null or
//       {stroke, drawing, ink, probability, refused, tried}
//     base: {strokes, prepare} of the pad, or {field} of an image; drawing: base with the stroke; ink: what the stroke changes as a share
//     of the ink there is; probability of the digit and whether the network refuses, afterwards; tried: strokes that were tried
//     It yields after every run of the network.
//
// A beam search: a short stroke is begun where the gradient promises most, and its ends grow in the most promising of eight
// directions until the answer is the digit; then both ends are shortened as long as it stays so. The gradient only proposes:
// what is kept has been drawn, fitted and read like a stroke of the pen. So the stroke is one that works, and the shortest of
// its kind, but a cleverer one of several strokes may exist.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const SIDE = 28;
  const STEP = 2; // pixels of the field by which a stroke grows: less than a pen is wide
  const LONGEST = 20; // steps: twice as long as the field is wide
  const BEAM = 4; // strokes kept after every step; 8 took twice as long and found a clearly shorter one once in 14 searches
  const PATIENCE = 6; // steps after which a stroke that comes no nearer to the digit is given up
  const TRIED = 3; // directions tried for each of them
  const HALVINGS = 4; // of the last step when an end is shortened: to an eighth of a pixel
  const PEN = 28; // pad units of a stroke on a test image: 2.8 pixels of the field, as wide as MNIST's
  const AROUND = Array.from({ length: 8 }, (_, i) => [Math.cos(i * Math.PI / 4), Math.sin(i * Math.PI / 4)]);

  class Search {
    constructor(model, base, digit, erase) {
      Object.assign(this, { model, base, digit, erase, tried: 0 });
      const drawn = (base.strokes ?? []).filter((stroke) => !stroke.erase);
      this.width = Math.max(...drawn.map(({ width }) => width), 0) || PEN;
    }

    // A field, what the network makes of it, and how far the digit is ahead of all others.
    look(drawing) {
      this.tried++;
      const { field, steps } = Digitscope.fieldOf(drawing, null, this.base.prepare);
      const run = Digitscope.run(this.model, field);
      const { sums } = run.layers[run.layers.length - 1];
      const rival = sums.reduce((best, sum, i) => (i !== this.digit && (best < 0 || sum > sums[best]) ? i : best), -1);
      const empty = field.every((ink) => ink === 0);
      return { drawing, field, run, rival, place: steps?.place ?? { scale: 0.1, offset: [0, 0] }, lead: empty ? -Infinity : sums[this.digit] - sums[rival] };
    }

    start() {
      const { strokes, field } = this.base;
      return { ...this.look(strokes ? { strokes } : { pixels: field.map((ink) => Math.round(255 * ink)) }), points: [] };
    }

    attempt(points) {
      const stroke = { points: points.map((part) => Math.min(280, Math.max(0, Math.round(part)))), width: this.width, erase: this.erase };
      const { strokes, field } = this.base;
      return { ...this.look(strokes ? { strokes: [...strokes, stroke] } : { pixels: Digitscope.overlaid(field, stroke) }), points, stroke };
    }

    // What a segment from a to b, in pixels of the field, promises: the slope of the lead times the ink that it changes.
    promise({ field, run, rival, place }) {
      const slopes = Digitscope.gradient(this.model, run, [this.digit, rival]);
      const gains = slopes.map((slope, i) => (this.erase ? -slope * field[i] : slope * (1 - field[i])));
      const radius = this.width * place.scale / 2;
      return ([ax, ay], [bx, by]) => {
        const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
        let sum = 0;
        const [left, right] = [Math.min(ax, bx), Math.max(ax, bx)].map((x, end) => Math.min(SIDE - 1, Math.max(0, Math.floor(x + (end ? radius : -radius)))));
        const [top, bottom] = [Math.min(ay, by), Math.max(ay, by)].map((y, end) => Math.min(SIDE - 1, Math.max(0, Math.floor(y + (end ? radius : -radius)))));
        for (let row = top; row <= bottom; row++) {
          for (let column = left; column <= right; column++) {
            const px = column + 0.5, py = row + 0.5;
            const along = length ? Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / length)) : 0;
            const near = Math.hypot(ax + along * dx - px, ay + along * dy - py);
            sum += gains[row * SIDE + column] * Math.min(1, Math.max(0, radius + 0.5 - near));
          }
        }
        return sum;
      };
    }

    // The most promising short strokes to begin with, each somewhere else.
    beginnings(state) {
      const promise = this.promise(state), found = [];
      for (let y = 2; y <= SIDE - 2; y++) {
        for (let x = 2; x <= SIDE - 2; x++) {
          for (const [right, down] of AROUND.slice(0, 4)) {
            const ends = [[x, y], [x + STEP * right, y + STEP * down]];
            found.push({ ends, gain: promise(...ends) });
          }
        }
      }
      found.sort((a, b) => b.gain - a.gain);
      const apart = [];
      for (const { ends } of found) {
        if (apart.length === 2 * BEAM) break;
        if (apart.every(([[x, y]]) => Math.hypot(x - ends[0][0], y - ends[0][1]) > STEP)) apart.push(ends);
      }
      return apart.map((ends) => ends.flatMap((end) => onPad(end, state.place)));
    }

    // The most promising ways to let a stroke grow, at either end.
    longer(state) {
      const promise = this.promise(state), found = [];
      const { points, place } = state;
      for (const atEnd of [true, false]) {
        const end = inField(atEnd ? points.slice(-2) : points.slice(0, 2), place);
        for (const [right, down] of AROUND) {
          const next = [end[0] + STEP * right, end[1] + STEP * down];
          if (next.some((part) => part < 1 || part > SIDE - 1)) continue;
          const added = onPad(next, place);
          found.push({ points: atEnd ? [...points, ...added] : [...added, ...points], gain: promise(end, next) });
        }
      }
      return found.sort((a, b) => b.gain - a.gain).slice(0, TRIED).map(({ points: longer }) => longer);
    }

    // Whether the answer is the digit, and one that the network does not refuse.
    reached({ lead, run }) { return lead > 0 && !run.refused; }

    * find() {
      const start = this.start();
      yield;
      let beam = [], nearest = start.lead, at = 0;
      for (let step = 0; step < LONGEST; step++) {
        const wanted = step ? beam.flatMap((state) => this.longer(state)) : this.beginnings(start);
        const seen = new Map();
        for (const points of wanted) {
          const key = points.map(Math.round).join();
          if (seen.has(key)) continue;
          seen.set(key, this.attempt(points));
          yield;
        }
        const found = [...seen.values()];
        const works = found.filter((state) => this.reached(state));
        if (works.length) return yield* this.least(start, works);
        beam = found.sort((a, b) => b.lead - a.lead).slice(0, BEAM);
        if (beam[0].lead > nearest) [nearest, at] = [beam[0].lead, step];
        else if (step - at >= PATIENCE) break;
      }
      return null;
    }

    // Of strokes that work, each shortened as far as it does, the one that changes least ink.
    * least(start, works) {
      let best = null;
      for (const state of works) {
        let short = yield* this.shortened(state, false);
        short = yield* this.shortened(short, true);
        const ink = changed(start, short);
        if (!best || ink < best.ink) best = { ...short, ink };
      }
      const { stroke, drawing, run, ink } = best;
      return { stroke, drawing, ink, probability: run.probabilities[this.digit], refused: run.refused, tried: this.tried };
    }

    // A stroke without as much of one end as it can spare.
    * shortened(state, fromStart) {
      let best = state;
      let [keep, lose] = [0, 1];
      for (let i = 0; i < HALVINGS; i++) {
        const share = (keep + lose) / 2;
        const next = this.attempt(cut(state.points, share, fromStart));
        yield;
        if (this.reached(next)) [best, keep] = [next, share];
        else lose = share;
      }
      return best;
    }
  }

  const onPad = (point, { scale, offset }) => point.map((part, axis) => (part - offset[axis]) / scale);
  const inField = (point, { scale, offset }) => point.map((part, axis) => part * scale + offset[axis]);

  // A stroke without a share of its last or first piece.
  const cut = (points, share, fromStart) => {
    const [near, far] = fromStart ? [[2, 3], [0, 1]] : [[-4, -3], [-2, -1]];
    const end = near.map((at, axis) => points.at(far[axis]) + share * (points.at(at) - points.at(far[axis])));
    return fromStart ? [...end, ...points.slice(2)] : [...points.slice(0, -2), ...end];
  };

  // How much ink is changed, as a share of the ink there was; strokes are compared on the pad, before they are fitted.
  const changed = (before, after) => {
    const picture = ({ drawing }) => (drawing.strokes ? Digitscope.raster(drawing.strokes, { fit: false }).picture : drawing.pixels);
    const [old, now] = [picture(before), picture(after)];
    return old.reduce((sum, ink, i) => sum + Math.abs(now[i] - ink), 0) / old.reduce((sum, ink) => sum + ink, 0);
  };

  Digitscope.leastChange = (model, base, digit, erase) => new Search(model, base, digit, erase).find();
})();
