// Runs the network beside the page, so that drawing never waits for it. It holds no arithmetic of its own.
//
//   Digitscope.Worker(modelJson) -> {run(field) -> Promise<run | null>, use(weights, judged), close()}
//     use: other weights from the next call on; judged: whether what tells digits from anything else belongs to them
//   Digitscope.workerFrom(files) -> () => Worker that runs these scripts, which it reads at once, before the page replaces them; the
//     last one loads the others where they are separate files
//
// One field is worked on at a time. While that lasts the newest call waits; a call that waited and was overtaken resolves to
// null. The same file is loaded in the page, where it makes workers, and in the worker, where it answers them. Where a
// browser allows no worker (some do so for files opened from disk), the page computes by itself.

"use strict";

globalThis.Digitscope ??= {};

if (typeof document === "undefined") {
  if (!Digitscope.run) importScripts("engine.js", "known.js");
  let model = null, known = null;
  addEventListener("message", ({ data }) => {
    if (data.model) {
      model = Digitscope.openModel(data.model);
      known = model.known;
      return;
    }
    if (data.weights) {
      Digitscope.setWeights(model, data.weights);
      model.known = data.judged ? known : null;
      return;
    }
    const run = Digitscope.run(model, data.field);
    const buffers = new Set(run.layers.flatMap(({ values, sums }) => (sums ? [values.buffer, sums.buffer] : [values.buffer])));
    postMessage(run, [...buffers]);
  });
} else {
  Digitscope.workerFrom = (files) => {
    const sources = files.map(Digitscope.inlined);
    return () => {
      if (sources.includes(null)) return new globalThis.Worker(files.at(-1));
      const address = URL.createObjectURL(new Blob(sources, { type: "text/javascript" }));
      const worker = new globalThis.Worker(address);
      URL.revokeObjectURL(address);
      return worker;
    };
  };

  Digitscope.Worker = function (modelJson) {
    const needed = { layers: modelJson.layers, weights: modelJson.weights, known: modelJson.known };
    let worker = null, working = null, waiting = null, own = null, used = null;

    const next = () => {
      working = waiting;
      waiting = null;
      if (!working) return;
      if (worker) worker.postMessage({ field: working.field });
      else compute();
    };
    const finish = (answer) => {
      const { resolve } = working;
      next();
      resolve(answer);
    };
    const compute = () => {
      own ??= Digitscope.openModel(needed);
      if (used) {
        Digitscope.setWeights(own, used.weights);
        if (!used.judged) own.known = null;
        else own.known ??= Digitscope.openKnown(needed.known);
        used = null;
      }
      setTimeout(() => finish(Digitscope.run(own, working.field)));
    };
    const alone = () => {
      worker?.terminate();
      worker = null;
      if (working) compute();
    };

    try {
      worker = Digitscope.workerFrom(["engine.js", "known.js", "worker.js"])();
      worker.addEventListener("message", ({ data }) => finish(data));
      worker.addEventListener("error", (event) => { event.preventDefault(); alone(); });
      worker.postMessage({ model: needed });
    } catch {
      alone();
    }
    return {
      run: (field) => new Promise((resolve) => {
        waiting?.resolve(null);
        waiting = { field, resolve };
        if (!working) next();
      }),
      use: (weights, judged) => {
        if (worker) worker.postMessage({ weights, judged });
        else used = { weights, judged };
      },
      close: () => worker?.terminate(),
    };
  };
}
