// Replays a training: a slider from the untrained network to the finished one, over the loss of every step.
//
//   new Digitscope.Replay(app, wear) -> {element, open(), close()}   wear(weights | null): puts a stage on the screen

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed, count } = Digitscope;
  const BEAT = 900; // milliseconds a stage stays: long enough to look from the filters to the answer

  class Replay {
    constructor(app, wear) {
      Object.assign(this, { app, wear, course: null, playing: null });
      this.button = make("button", { type: "button", className: "main", textContent: words("learn.play"), onclick: () => (this.playing ? this.pause() : this.play()) });
      this.slider = make("input", { type: "range", min: 0, value: 0, "aria-label": words("learn.stage"), oninput: () => { this.pause(); this.show(Number(this.slider.value)); } });
      this.name = make("b", { className: "learn-name" });
      this.loss = make("span", { className: "note" });
      this.curve = new Digitscope.Curve();
      this.ends = make("p", { className: "curve-ends note" });
      this.element = make("div", { className: "replay" });
    }

    async open() {
      const { course } = this.app.model;
      if (!course) {
        this.app.state.stage = null;
        this.element.replaceChildren(make("p", { className: "lead", textContent: words("learn.none") }));
        return;
      }
      this.course ??= await Digitscope.openCourse(course);
      this.slider.max = this.course.count;
      const curve = this.course.losses.length ? [this.curve.element, this.ends] : [];
      this.ends.replaceChildren(make("span", { textContent: words("learn.untrained") }), make("span", { textContent: words("learn.curve") }), make("span", { textContent: words("learn.steps", { steps: count(this.course.steps) }) }));
      this.element.replaceChildren(make("div", { className: "row" }, this.button, this.name, this.loss), this.slider, ...curve,
        make("p", { className: "note", textContent: words("learn.rounded") }));
      this.show(this.course.stageOf(this.app.state.stage));
    }

    close() {
      this.pause();
      this.app.state.stage = null;
    }

    show(stage) {
      const { course } = this;
      this.stage = stage;
      this.app.state.stage = course.nameOf(stage);
      this.slider.value = stage;
      this.name.textContent = course.labelOf(stage);
      this.slider.setAttribute("aria-valuetext", course.labelOf(stage));
      this.wear(course.weightsOf(stage), course.labelOf(stage));
      if (course.losses.length) this.drawCurve(stage);
    }

    drawCurve(stage) {
      const { course } = this;
      const places = Array.from(course.losses, (_, i) => Math.min(1, course.placeOf(Math.min(course.steps, (i + 0.5) * course.every + 0.5)) / course.count));
      const here = course.losses[Math.max(0, places.findLastIndex((place) => place <= stage / course.count + 1e-9))];
      this.loss.textContent = words("learn.loss", { loss: fixed(here, 2) });
      this.curve.draw({ losses: course.losses, places, at: stage / course.count,
        sentence: words("learn.curve.what", { first: fixed(course.losses[0], 2), last: fixed(course.losses.at(-1), 2) }) });
    }

    // From where it was stopped; from the beginning if that was the end.
    play() {
      let stage = this.stage >= this.course.count ? 0 : this.stage;
      this.button.textContent = words("learn.pause");
      const beat = () => {
        this.show(stage);
        if (stage >= this.course.count) this.pause();
        stage += 1;
      };
      this.playing = setInterval(beat, BEAT);
      beat();
    }

    pause() {
      clearInterval(this.playing);
      this.playing = null;
      this.button.textContent = words("learn.play");
    }
  }

  Digitscope.Replay = Replay;
})();
