// What the network answered for one field, in numbers and in sentences. It shows nothing and changes no state.
//
// App in main.js is a Look: {model, state, run, field} are its own, the rest follows from them here.
//   outcome: {answer, runnerUp, probabilities, refused, blank, known, least, reason, label}
//     known, least: how probable a digit is, and must be, in percent; reason: why it refuses: "little" ink, two "pieces", or "unknown"; null if it does not
//     label: what a test image is, as people read it; null for a drawing
//   ranges[layer]: {low, high, limits, dead}   limits[map]: what is full colour; dead: maps that are 0 everywhere

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { words, short, percent, isMaps, nameOf, cellOf } = Digitscope;

  const SIDE = 28;
  const LITTLE = 40; // pad units: a dot or a dash of less than a seventh of the pad
  const INK = 0.25; // of a pixel that belongs to a piece
  const PIECE = 0.2; // of all ink is a piece; less is a speck or a dot

  // How many pieces of ink there are that touch nowhere, corners included.
  const pieces = (field) => {
    const rest = new Set([...field.keys()].filter((cell) => field[cell] >= INK));
    const least = PIECE * field.reduce((sum, ink) => sum + ink, 0);
    let found = 0;
    while (rest.size) {
      const open = [rest.values().next().value];
      rest.delete(open[0]);
      let ink = 0;
      while (open.length) {
        const cell = open.pop(), column = cell % SIDE;
        ink += field[cell];
        for (const down of [-SIDE, 0, SIDE]) {
          for (const right of [-1, 0, 1]) {
            if (column + right >= 0 && column + right < SIDE && rest.delete(cell + down + right)) open.push(cell + down + right);
          }
        }
      }
      found += ink >= least;
    }
    return found;
  };

  class Look {
    // Another answer of the network.
    take(run) {
      this.run = run;
      this.cache = null;
      const probabilities = run.probabilities;
      const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
      const blank = this.field.every((ink) => ink === 0);
      const sample = this.samples.get(this.drawing.sample);
      this.outcome = {
        answer: order[0], runnerUp: order[1], probabilities, refused: run.refused, blank, known: percent(run.known), least: percent(this.model.known?.threshold ?? 0),
        reason: run.refused && !blank ? this.reason() : null,
        label: sample ? sample.seen ?? sample.label : null,
      };
      this.measure();
    }

    // Why what is on the pad is no digit to the network.
    reason() {
      const { box } = this.steps ?? {};
      if (box && Math.max(box[2] - box[0], box[3] - box[1]) < LITTLE) return "little";
      return pieces(this.field) > 1 ? "pieces" : "unknown";
    }

    // The numbers that the maps of a layer show: its sums, or what is left of them after ReLU.
    shown(index) {
      const { values, sums } = this.run.layers[index];
      return this.state.view === "sum" && sums ? sums : values;
    }

    // Lowest and highest number of every layer, what is full colour in each of its maps, and which maps are dead.
    measure() {
      const { scale } = this.state;
      const usual = this.outcome.blank ? this.usual : null;
      this.ranges = this.model.layers.map((layer, index) => {
        const values = this.shown(index), maps = isMaps(layer) ? layer.shape[2] : 1;
        const limits = new Float32Array(maps);
        let low = Infinity, high = -Infinity;
        for (let i = 0, map = 0; i < values.length; i++) {
          const value = values[i], size = Math.abs(value);
          if (value < low) low = value;
          if (value > high) high = value;
          if (size > limits[map]) limits[map] = size;
          if (++map === maps) map = 0;
        }
        const dead = [...limits.keys()].filter((map) => limits[map] === 0);
        usual?.layers[index][this.state.view === "sum" && usual.layers[index].sums ? "sums" : "values"].forEach((value, i) => {
          limits[i % maps] = Math.max(limits[i % maps], Math.abs(value));
        });
        return { low, high, limits, dead };
      });
      const most = this.ranges.map(({ limits }) => Math.max(...limits));
      const all = Math.max(...most.slice(1, -1));
      this.ranges.forEach((range, index) => {
        const size = index === 0 ? 1 : scale === "network" && index < most.length - 1 ? all : most[index];
        if (scale !== "map" || index === 0) range.limits.fill(size);
        if (!isMaps(this.model.layers[index])) range.limits = new Float32Array(this.model.layers[index].shape[0]).fill(size);
      });
    }

    // What the first test image makes of the network: on an empty pad, where the biases alone speak, full colour is what it is there.
    get usual() {
      this.ofFirst ??= Digitscope.run(this.model, Float32Array.from([...this.samples.values()][0].bytes, (byte) => byte / 255));
      return this.ofFirst;
    }

    terms(index, cell) {
      this.cache ??= new Map();
      const key = `${index}:${cell}`;
      if (!this.cache.has(key)) this.cache.set(key, Digitscope.terms(this.model, this.run, index, cell));
      return this.cache.get(key);
    }

    contributions(index, cell) { return Digitscope.contributions(this.model, index, this.terms(index, cell)); }

    // The map of the layer before that adds most to a cell.
    bestSource(index, cell) {
      const layer = this.model.layers[index];
      return { from: layer.kind === "conv2d" ? this.contributions(index, cell)[0].map ?? 0 : 0 };
    }

    // The strongest cell, if any is above zero of a map that is not bright all over: there one sees best what the layer does.
    interesting(index) {
      const layer = this.model.layers[index], { values } = this.run.layers[index];
      const maps = layer.shape[2] ?? 1, active = new Uint32Array(maps);
      if (isMaps(layer)) values.forEach((value, i) => { active[i % maps] += value > 0; });
      const best = Digitscope.strongest(values.map((value, i) => (2 * maps * active[i % maps] > values.length ? 0 : value)));
      return 2 * maps * active[best % maps] <= values.length && values[best] > 0 ? best : Digitscope.strongest(values);
    }

    // "conv 1, filter 5, row 12, column 9: -0.71, ReLU gives 0"
    sentence(index, cell) {
      const layer = this.model.layers[index], { values, sums } = this.run.layers[index];
      const [row, column] = cellOf(layer.shape, cell);
      const common = { layer: nameOf(layer), row, column, cell: row, value: short(values[cell]), sum: sums ? short(sums[cell]) : "" };
      if (index === 0) return words("say.input", { ...common, raw: Math.round(255 * values[cell]) });
      const where = this.whereIs(index, cell);
      if (layer.activation === "softmax") return words("say.softmax", { ...common, share: percent(values[cell]) });
      if (layer.kind === "flatten") return words("say.flatten", { ...common, where, from: this.whereIs(index - 1, cell) });
      const rule = layer.window && !sums ? layer.kind : layer.activation;
      return words(`say.${rule}`, { ...common, where, n: layer.window ? layer.window[0] * layer.window[1] : 0 });
    }

    // "pool 2, map 27, row 2, column 1"
    whereIs(index, cell) {
      const layer = this.model.layers[index];
      const [row, column, map] = cellOf(layer.shape, cell);
      return words(isMaps(layer) ? "say.cell" : "say.number",
        { layer: nameOf(layer), unit: Digitscope.unitWord(layer), row, column, map, cell: row });
    }

    outcomeSentence() {
      const { answer, probabilities, refused, blank, reason, label } = this.outcome;
      if (blank) return words("answer.blank");
      if (!refused && label !== null && label !== answer) return words("answer.misread", { label, digit: answer });
      return refused ? `${words("answer.refused")}. ${words(`answer.because.${reason}`, this.outcome)}` : words("answer.sentence", { digit: answer, share: percent(probabilities[answer]) });
    }
  }

  Digitscope.Look = Look;
})();
