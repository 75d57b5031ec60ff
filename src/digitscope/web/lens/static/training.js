// Trains the page's network anew, on the page's own digits: start, stop, start again from other random weights.
//
//   new Digitscope.Training(app, wear) -> {element, open(), close()}   wear(weights | null): puts them on the screen

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed, count } = Digitscope;
  const HELD = 5; // every fifth digit is kept for measuring
  const SHOWN = 100; // steps that the curve has room for before it is squeezed

  class Training {
    constructor(app, wear) {
      Object.assign(this, { app, wear, trainer: null, running: false, seed: 1 });
      this.button = make("button", { type: "button", className: "main", onclick: () => (this.running ? this.pause() : this.go()) });
      this.again = make("button", { type: "button", className: "plain", textContent: words("learn.reset"), title: words("learn.reset.what"), onclick: () => this.reset() });
      this.state = make("p", { className: "learn-state", "aria-live": "polite" });
      this.curve = new Digitscope.Curve();
      this.parts = this.parted();
      this.element = make("div", { className: "training" },
        make("div", { className: "row" }, this.button, this.again, this.state), this.curve.element,
        make("p", { className: "curve-ends note" }, make("span", { textContent: words("learn.step.first") }), make("span", { textContent: words("learn.curve") }), this.last = make("span")),
        make("p", { className: "note", textContent: words("learn.train.what", { n: count(this.parts.data.labels.length), held: this.parts.held.labels.length }) }));
      this.clear();
    }

    // The page's digits, those to learn from and those to measure on.
    parted() {
      const parts = { data: { fields: [], labels: [] }, held: { fields: [], labels: [] } };
      for (const { index, bytes, label } of this.app.samples.values()) {
        const { fields, labels } = index % HELD ? parts.data : parts.held;
        fields.push(Float32Array.from(bytes, (byte) => byte / 255));
        labels.push(label);
      }
      return parts;
    }

    clear() {
      Object.assign(this, { losses: [], right: null, steps: 0 });
      this.draw();
    }

    open() { if (this.weights) this.wear(this.weights, words("learn.here", { steps: count(this.steps) })); }
    close() { this.pause(); }

    ready() {
      this.trainer ??= this.begin();
      if (!this.trainer) this.state.textContent = words("learn.noworker");
      return this.trainer;
    }

    begin() {
      const { data, held } = this.parts;
      const trainer = Digitscope.Trainer(this.app.json, data, held, (news) => this.told(news), () => this.failed());
      trainer?.reset(this.seed);
      return trainer;
    }

    failed() {
      this.trainer = null;
      this.running = false;
      this.draw();
      this.state.textContent = words("learn.noworker");
    }

    go() {
      if (!this.ready()) return;
      this.running = true;
      this.trainer.go();
      this.draw();
    }

    pause() {
      if (!this.running) return;
      this.running = false;
      this.trainer.pause();
      this.draw();
    }

    reset() {
      if (!this.ready()) return;
      this.running = false;
      this.trainer.reset(++this.seed);
    }

    told({ steps, losses, weights, right }) {
      if (steps === 0) this.clear();
      this.losses.push(...losses);
      this.right = right ?? this.right;
      Object.assign(this, { steps, weights });
      if (this.element.isConnected) this.wear(weights, words("learn.here", { steps: count(steps) }));
      this.draw();
    }

    draw() {
      const { losses, steps, right } = this;
      this.button.textContent = words(this.running ? "learn.stop" : "learn.start");
      const room = Math.max(SHOWN, losses.length);
      this.last.textContent = words("learn.step", { step: room });
      const mean = losses.slice(-10).reduce((sum, loss, _, all) => sum + loss / all.length, 0);
      this.state.textContent = [steps ? words("learn.progress", { step: count(steps), loss: fixed(mean, 2) }) : words("learn.before"),
        right === null ? "" : words("learn.right", { right, held: this.parts.held.labels.length })].filter(Boolean).join(" · ");
      this.curve.draw({ losses, places: losses.map((_, i) => i / (room - 1)), at: null,
        sentence: words("learn.curve.here", { steps: count(losses.length), last: losses.length ? fixed(mean, 2) : "–" }) });
    }
  }

  Digitscope.Training = Training;
})();
