// Trains a network in the page, in a worker of its own, from random weights on the digits that the page holds.
//
//   Digitscope.Trainer(modelJson, {fields, labels}, held, told, failed) -> {go(), pause(), reset(seed), close()} | null
//     held: {fields, labels} that are never learned, only measured; fields: Float32Array(784) 0..1 each; null: no worker here
//     failed(): the worker could not go on; told({steps, losses, weights, right}): losses of the steps since it was told last; right: how many of held are read
//       correctly, counted after every pass over the digits, else null
//
// Like worker.js, the same file is loaded in the page and in the worker.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const SCRIPTS = ["engine.js", "known.js", "backward.js", "trainer.js"];
  const BATCH = 32; // digits a step: small, so that a phone takes a step in a moment
  const RATE = 0.002; // of 0.001, 0.002 and 0.004 the middle one: steady, and three passes read nine in ten
  const PAUSE = 150; // milliseconds at least between two pictures of the network

  const worker = () => {
    let model, data, held, learner, next, order = [], running = false, losses = [], told = 0;

    const start = (seed) => {
      learner = new Digitscope.Learner(model, { seed, rate: RATE });
      next = Digitscope.random(seed + 1);
      order = [];
      losses = [];
      tell(measured());
    };

    const tell = (right = null) => {
      postMessage({ steps: learner.steps, losses, weights: learner.weights, right });
      losses = [];
      told = performance.now();
    };

    const measured = () => held.fields.reduce((right, field, i) => {
      const { probabilities } = Digitscope.run(model, field);
      return right + (probabilities.indexOf(Math.max(...probabilities)) === held.labels[i] ? 1 : 0);
    }, 0);

    // All digits in another order, as every pass over them.
    const shuffled = () => {
      const all = Array.from(data.labels, (_, i) => i);
      for (let i = all.length - 1; i > 0; i--) {
        const other = Math.floor(next() * (i + 1));
        [all[i], all[other]] = [all[other], all[i]];
      }
      return all;
    };

    const step = () => {
      if (!running) return;
      if (!order.length) order = shuffled();
      const batch = order.splice(0, BATCH);
      losses.push(learner.step(batch.map((i) => data.fields[i]), batch.map((i) => data.labels[i])));
      if (!order.length) tell(measured());
      else if (performance.now() - told > PAUSE) tell();
      setTimeout(step); // between two steps it listens
    };

    addEventListener("message", ({ data: asked }) => {
      if (asked.model) {
        model = Digitscope.openModel(asked.model);
        ({ data, held } = asked);
      }
      if ("seed" in asked) start(asked.seed);
      if ("running" in asked && asked.running !== running) {
        running = asked.running;
        if (running) step();
        else tell();
      }
    });
  };

  const start = typeof document === "undefined" ? null : Digitscope.workerFrom(SCRIPTS);

  const Trainer = (modelJson, data, held, told, failed) => {
    let made;
    try {
      made = start();
    } catch {
      return null;
    }
    const { layers, weights } = modelJson;
    made.addEventListener("message", (event) => told(event.data));
    made.addEventListener("error", (event) => { event.preventDefault(); failed(); });
    made.postMessage({ model: { layers, weights }, data, held });
    return {
      go: () => made.postMessage({ running: true }),
      pause: () => made.postMessage({ running: false }),
      reset: (seed) => made.postMessage({ running: false, seed }),
      close: () => made.terminate(),
    };
  };

  if (typeof document === "undefined") {
    if (!Digitscope.run) importScripts(...SCRIPTS.slice(0, -1));
    worker();
  } else Digitscope.Trainer = Trainer;
})();
