// What the network answered for one field, in numbers and in sentences. It shows nothing and changes no state.
//
// App in main.js is a Look: {model, state, run, field} are its own, the rest follows from them here.
//   outcome: {answer, runnerUp, probabilities, refused, blank}
//   ranges[layer]: {low, high, limits, dead}   limits[map]: what is full colour; dead: maps that are 0 everywhere

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { words, short, percent, isMaps, nameOf, cellOf } = Digitscope;

  class Look {
    // Another answer of the network.
    take(run) {
      this.run = run;
      this.cache = null;
      const probabilities = run.probabilities;
      const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
      const blank = this.field.every((ink) => ink === 0);
      this.outcome = { answer: order[0], runnerUp: order[1], probabilities, refused: run.refused, blank };
      this.measure();
    }

    // The numbers that the maps of a layer show: its sums, or what is left of them after ReLU.
    shown(index) {
      const { values, sums } = this.run.layers[index];
      return this.state.view === "sum" && sums ? sums : values;
    }

    // Lowest and highest number of every layer, what is full colour in each of its maps, and which maps are dead.
    measure() {
      const { scale } = this.state;
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
      const { answer, probabilities, refused, blank } = this.outcome;
      if (blank) return words("answer.blank");
      return refused ? words("answer.refused") : words("answer.sentence", { digit: answer, share: percent(probabilities[answer]) });
    }
  }

  Digitscope.Look = Look;
})();
