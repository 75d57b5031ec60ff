// Slow questions about a digit, answered beside the page: what speaks for it, and what would change the answer.
//
//   Digitscope.Background(modelJson) -> {ask(question, about, progress) -> Promise<answer | null>, drop(question), use(weights, judged), close()}
//     question: a name in QUESTIONS; about: its arguments, plain values
//     progress(steps): called now and then with the steps of the work so far
//     use: other weights from the next question on, as those of Digitscope.Worker; what is open then resolves to null
//
// Every question is a generator that stops after each run of the network, so that a newer one of the same name can take its
// place: the older then resolves to null. One whose work throws rejects. Different questions are worked on in turn. As in
// worker.js, the same file is loaded in the page and in the worker, and the page works by itself where there is no worker.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const NEEDED = ["engine.js", "known.js", "raster.js", "drawing.js", "backward.js", "attribution.js", "change.js"];
  const SLICE = 12; // milliseconds of work between two looks at what else was asked

  const QUESTIONS = {
    * evidence(model, { run, pair }) { return Digitscope.evidence(model, run, pair); },
    integrated: (model, { field, pair }) => Digitscope.integratedGradients(model, field, pair),
    change: (model, { base, digit, erase }) => Digitscope.leastChange(model, base, digit, erase),
  };

  // Takes questions and sends answers: {question, number, steps} on the way, {question, number, answer} in the end, or
  // {question, number, failed} where the work throws.
  class Answering {
    constructor(model, send) {
      Object.assign(this, { model, send, known: model.known, open: new Map(), busy: false });
    }

    use({ weights, judged }) {
      this.open.clear();
      Digitscope.setWeights(this.model, weights);
      this.model.known = judged ? this.known : null;
    }

    take({ question, number, about }) {
      this.open.delete(question);
      if (about) this.open.set(question, { number, steps: 0, work: QUESTIONS[question](this.model, about) });
      if (!this.busy) this.later();
    }

    later() {
      this.busy = this.open.size > 0;
      if (this.busy) setTimeout(() => { this.work(); this.later(); });
    }

    // A slice of every open question.
    work() {
      for (const [question, one] of this.open) {
        const end = performance.now() + SLICE;
        let next;
        try {
          do {
            next = one.work.next();
            one.steps++;
          } while (!next.done && performance.now() < end);
        } catch (error) {
          this.open.delete(question);
          this.send({ question, number: one.number, failed: String(error) });
          continue;
        }
        if (next.done) this.open.delete(question);
        this.send({ question, number: one.number, steps: one.steps, ...(next.done ? { answer: next.value } : {}) });
      }
    }
  }

  if (typeof document === "undefined") {
    if (!Digitscope.run) importScripts(...NEEDED);
    let answering = null;
    addEventListener("message", ({ data }) => {
      if (data.model) answering = new Answering(Digitscope.openModel(data.model), (answer) => postMessage(answer));
      else if (data.weights) answering.use(data);
      else answering.take(data);
    });
  }

  Digitscope.Background = function (modelJson) {
    const needed = { layers: modelJson.layers, weights: modelJson.weights, known: modelJson.known };
    const asked = new Map();
    let number = 0, post = null, used = null;

    const told = ({ question, number: of, steps, answer, failed }) => {
      const one = asked.get(question);
      if (!one || one.number !== of) return;
      if (!failed) one.progress?.(steps);
      if (answer === undefined && !failed) return;
      asked.delete(question);
      if (failed) one.reject(new Error(failed));
      else one.resolve(answer);
    };
    const alone = () => {
      const answering = new Answering(Digitscope.openModel(needed), told);
      post = (sent) => (sent.weights ? answering.use(sent) : answering.take(sent));
      if (used) post(used);
      for (const one of asked.values()) post(one.sent);
    };
    let worker = null;
    try {
      worker = Digitscope.workerFrom([...NEEDED, "background.js"])();
      worker.addEventListener("message", ({ data }) => told(data));
      worker.addEventListener("error", (event) => { event.preventDefault(); alone(); });
      worker.postMessage({ model: needed });
      post = (sent) => worker.postMessage(sent);
    } catch {
      alone();
    }
    const drop = (question) => {
      asked.get(question)?.resolve(null);
      asked.delete(question);
    };
    return {
      ask: (question, about, progress) => new Promise((resolve, reject) => {
        drop(question);
        const sent = { question, number: ++number, about };
        asked.set(question, { number, sent, progress, resolve, reject });
        post(sent);
      }),
      drop: (question) => {
        drop(question);
        post({ question, about: null });
      },
      use: (weights, judged) => {
        used = { weights, judged };
        [...asked.keys()].forEach(drop);
        post(used);
      },
      close: () => worker?.terminate(),
    };
  };
})();
