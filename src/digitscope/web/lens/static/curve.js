// A curve of losses, with a line where one stands. It knows no network.
//
//   new Digitscope.Curve() -> {element, draw({losses, places, at, sentence})}
//     places: 0..1 of each loss from left to right; at: 0..1 or null; sentence: what it shows, for those who cannot see it

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, fixed } = Digitscope;
  const SPACE = "http://www.w3.org/2000/svg";
  const LEAST = 2.5; // a little above ln(10) = 2.30, the loss of a guess: the scale of every curve reaches there

  const shape = (name, className) => {
    const made = document.createElementNS(SPACE, name);
    made.setAttribute("class", className);
    made.setAttribute("vector-effect", "non-scaling-stroke");
    return made;
  };

  class Curve {
    constructor() {
      this.picture = shape("svg", "curve-picture");
      this.picture.setAttribute("viewBox", "0 0 100 100");
      this.picture.setAttribute("preserveAspectRatio", "none");
      this.picture.setAttribute("role", "img");
      this.line = shape("polyline", "curve-line");
      this.stand = shape("line", "curve-stand");
      this.picture.append(this.line, this.stand);
      this.top = make("span", { className: "curve-top" });
      this.element = make("div", { className: "curve" }, this.top, this.picture);
    }

    draw({ losses, places, at, sentence }) {
      const most = Math.max(LEAST, losses.reduce((top, loss) => Math.max(top, loss), 0));
      this.top.textContent = fixed(most, 1);
      this.line.setAttribute("points", Array.from(losses, (loss, i) => `${(100 * places[i]).toFixed(2)},${(100 - 100 * loss / most).toFixed(2)}`).join(" "));
      this.stand.toggleAttribute("hidden", at === null);
      for (const [key, value] of Object.entries({ x1: 100 * at, x2: 100 * at, y1: 0, y2: 100 })) this.stand.setAttribute(key, value);
      this.picture.setAttribute("aria-label", sentence);
    }
  }

  Digitscope.Curve = Curve;
})();
