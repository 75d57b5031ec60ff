// The sliding window: plays, pauses and steps through the cells of one map. What a step shows is the owner's business.
//
//   new Digitscope.Slide({length, at(), go(place), drawn(n)})   drawn: how many cells of the map are filled so far

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words } = Digitscope;

  class Slide {
    constructor(owner) {
      Object.assign(this, { owner, playing: false, pace: 4 });
      const button = (text, label, act) => make("button", { type: "button", className: "plain", textContent: text, title: label, "aria-label": label, onclick: act });
      this.button = make("button", { type: "button", className: "main", textContent: words("slide.play"), onclick: () => (this.playing ? this.pause() : this.play()) });
      const speed = make("input", { type: "range", min: 1, max: 8, value: this.pace, "aria-label": words("slide.speed"), oninput: () => { this.pace = Number(speed.value); } });
      this.count = make("span", { className: "slide-count" });
      this.element = make("div", { className: "slide", role: "group", "aria-label": words("slide.label") },
        this.button, button("\u2190", words("slide.back"), () => this.step(-1)), button("\u2192", words("slide.on"), () => this.step(1)),
        make("label", { className: "speed" }, words("slide.speed"), speed), this.count);
    }

    step(by) {
      this.pause();
      this.owner.go(Math.min(this.owner.length - 1, Math.max(0, this.owner.at() + by)));
    }

    // Goes on where it was paused; otherwise it starts at the first cell.
    play() {
      const { owner } = this;
      let place = owner.at() === this.paused && this.paused < owner.length - 1 ? this.paused : 0;
      let before = performance.now(), due = 0;
      this.playing = true;
      this.button.textContent = words("slide.pause");
      const show = () => {
        owner.drawn(place + 1);
        owner.go(place);
      };
      const tick = (now) => {
        if (!this.playing) return;
        due += Math.max(0, now - before) / 1000 * 2 ** this.pace; // the frame may have begun before Play was pressed
        before = now;
        const whole = Math.floor(due);
        due -= whole;
        place = Math.min(owner.length - 1, place + whole);
        if (whole) show();
        if (place >= owner.length - 1 || !this.element.isConnected) this.pause();
        else requestAnimationFrame(tick);
      };
      show();
      requestAnimationFrame(tick);
    }

    pause() {
      if (!this.playing) return;
      this.playing = false;
      this.paused = this.owner.at();
      this.button.textContent = words("slide.play");
      this.owner.drawn(Infinity);
    }
  }

  Digitscope.Slide = Slide;
})();
