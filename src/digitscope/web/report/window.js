// The sliding window: a convolution or a pooling window walks over its input, one cell of the map after the other.
//
// Every number is computed here from pixels and weights and compared with what the model stored. Nothing is fetched.
// State is one number, `at`, the cell of the map that the window stands on; `shown` is how much of the map is drawn.

"use strict";

(() => {
  const source = document.getElementById("window-data");
  const data = JSON.parse(source.textContent);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let paper = false; // paper is light
  addEventListener("beforeprint", () => { paper = true; });
  addEventListener("afterprint", () => { paper = false; });
  const MINUS = "\u2212";

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const hidden = (made) => {
    made.setAttribute("aria-hidden", "true");
    return made;
  };
  const fixed = (value, digits = 2) => {
    const text = value.toFixed(digits).replace("-", MINUS);
    return Number(value.toFixed(digits)) === 0 ? (0).toFixed(digits) : text;
  };
  const grey = (part) => {
    const level = Math.round(255 * Math.min(1, Math.max(0, part)));
    return [level, level, level];
  };
  const signed = (part) => {
    const colours = dark.matches && !paper ? data.darkColours : data.colours;
    const place = (Math.min(1, Math.max(-1, part)) + 1) / 2 * (colours.length - 1);
    const low = Math.floor(place);
    const [from, to] = [colours[low], colours[Math.min(low + 1, colours.length - 1)]];
    return from.map((value, i) => Math.round(value + (to[i] - value) * (place - low)));
  };
  const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;
  // Black or white, whichever has more contrast by WCAG's relative luminance.
  const linear = (level) => (level <= 10 ? level / 3294.6 : ((level / 255 + 0.055) / 1.055) ** 2.4);
  const readable = ([r, g, b]) => (0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) > 0.179 ? "#000" : "#fff");
  const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const pixels = data.pixels.map((value) => Math.fround(value / 255));

  // What a window does: where it stands for a cell, what it computes there, and how its cells are coloured.

  const convolution = (filter) => {
    const { side, kernel: k, mapSide } = data;
    const limit = largest(filter.sums);
    const strongest = largest(filter.kernel);
    return {
      input: pixels, inputSide: side, outputSide: mapSide, size: k, stride: 1,
      start: filter.sums.indexOf(Math.max(...filter.sums)),
      inputName: `the digit, ${side}\u00d7${side}`,
      outputName: `map of filter ${filter.number}, ${mapSide}\u00d7${mapSide}`,
      inputColour: grey,
      outputColour: (value) => signed(value / limit),
      compute(values) {
        const products = values.map((value, i) => value * filter.kernel[i]);
        return { products, result: products.reduce((sum, value) => sum + value, 0) + filter.bias };
      },
      stored: filter.sums,
      explain(values, { products, result }, stored) {
        const sum = products.reduce((total, value) => total + value, 0);
        return [
          numbers("pixels", k, values, (value) => grey(value)),
          element("span", { className: "sign", textContent: "\u00d7" }),
          numbers("weights", k, filter.kernel, (value) => signed(value / strongest)),
          element("span", { className: "sign", textContent: "=" }),
          numbers("products", k, products, (value) => signed(value / strongest)),
          total([`products together ${fixed(sum, 3)}`, `bias ${fixed(filter.bias, 3)}`], "sum", result, stored),
        ];
      },
    };
  };

  const pooling = (map, mode) => {
    const { of, side, pooledSide } = data.pool;
    const input = map.values;
    const limit = largest(input);
    const own = mode === data.pool.mode;
    return {
      input, inputSide: side, outputSide: pooledSide, size: 2, stride: 2,
      start: map.pooled.indexOf(Math.max(...map.pooled)),
      inputName: `map of filter ${map.number}${of && ` of ${of}`} after ReLU, ${side}\u00d7${side}`,
      outputName: `${mode === "max" ? "maximum" : "average"}, ${pooledSide}\u00d7${pooledSide}`,
      inputColour: (value) => signed(value / limit),
      outputColour: (value) => signed(value / limit),
      compute(values) {
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        return { result: mode === "max" ? Math.max(...values) : mean };
      },
      stored: own ? map.pooled : null,
      explain(values, { result }, stored) {
        const rule = mode === "max" ? "the largest of the four" : "the mean of the four";
        return [
          numbers("four numbers", 2, values, (value) => signed(value / limit)),
          element("span", { className: "sign", textContent: "\u2192" }),
          total([rule], mode === "max" ? "maximum" : "average", result, stored),
        ];
      },
    };
  };

  const numbers = (label, columns, values, colour) => {
    const grid = element("span", { className: "grid" });
    grid.style.gridTemplateColumns = `repeat(${columns}, auto)`;
    for (const value of values) {
      const shade = colour(value);
      const cell = element("span", { textContent: fixed(value) });
      cell.style.background = css(shade);
      cell.style.color = readable(shade);
      grid.append(cell);
    }
    return element("span", {}, element("span", { className: "label", textContent: label }), grid);
  };

  const total = (lines, name, result, stored) => {
    const box = element("span", { className: "total" });
    for (const line of lines) box.append(line, element("br"));
    box.append(`${name} `, element("b", { textContent: fixed(result, 3) }), element("br"));
    if (stored !== null) {
      const agrees = Math.abs(result - stored) <= 1e-5 * Math.max(1, Math.abs(stored));
      const words = agrees ? "\u2713 equal to the model\u2019s own number" : `the model has ${fixed(stored, 6)}`;
      box.append(element("small", { textContent: words }));
    } else {
      box.append(element("small", { textContent: "this network was not trained with it" }));
    }
    return box;
  };

  // What a filter is known by: its kernel where it has only one, else its map.
  const emblem = (choice) => {
    if (choice.kernel) return choice.kernel;
    return data.pool.of ? choice.values : data.filters.find((filter) => filter.number === choice.number).kernel;
  };

  class Slide {
    constructor(root) {
      this.root = root;
      this.kind = root.dataset.slide;
      this.choices = this.kind === "conv" ? data.filters : data.pool.maps;
      this.choice = this.choices[0];
      this.mode = data.pool.mode;
      this.playing = false;
      this.pace = 4;
      root.replaceChildren(...this.build());
      this.choose();
      this.observe();
    }

    // Building

    build() {
      this.inputTitle = element("p");
      this.outputTitle = element("p");
      this.inputCanvas = this.canvas("input");
      this.outputCanvas = this.canvas("output");
      this.sum = element("div", { className: "slide-sum" });
      this.say = element("p", { className: "slide-say" });
      this.say.setAttribute("aria-live", "polite");
      const stage = element("div", { className: "slide-stage" },
        element("div", {}, this.inputTitle, this.inputCanvas),
        hidden(element("span", { className: "slide-arrow", textContent: "\u2192" })),
        element("div", {}, this.outputTitle, this.outputCanvas));
      return [stage, this.sum, this.controls(), this.say];
    }

    canvas(which) {
      const made = element("canvas", { className: "slide-field", tabIndex: which === "input" ? 0 : -1 });
      made.setAttribute("role", which === "input" ? "application" : "img");
      made.addEventListener("keydown", (event) => this.key(event));
      made.addEventListener("pointerdown", (event) => {
        this.pause();
        made.setPointerCapture(event.pointerId);
        this.point(event, which);
      });
      made.addEventListener("pointermove", (event) => {
        if (made.hasPointerCapture(event.pointerId)) this.point(event, which);
      });
      return made;
    }

    controls() {
      const button = (text, label, act, extra = "") => {
        const made = element("button", { type: "button", textContent: text, className: extra });
        if (label) made.setAttribute("aria-label", label);
        made.addEventListener("click", act);
        return made;
      };
      this.playButton = button("Play", "", () => (this.playing ? this.pause() : this.play()), "main");
      const buttons = element("div", { className: "slide-buttons" }, this.playButton,
        button("\u2190", "One step back", () => this.step(-1)), button("\u2192", "One step on", () => this.step(1)),
        button("Start over", "", () => this.restart()));
      const speed = element("input", { type: "range", min: 1, max: 7, step: 1, value: this.pace });
      speed.addEventListener("input", () => { this.pace = Number(speed.value); });
      const fields = [this.filterChoice()];
      if (this.kind === "pool") fields.push(this.modeChoice());
      return element("div", { className: "slide-controls" }, buttons,
        element("label", { className: "speed" }, "Speed", speed), ...fields);
    }

    filterChoice() {
      const field = element("fieldset", {}, element("legend", { textContent: "Filter" }));
      this.choices.forEach((choice, i) => {
        const [glyph, values] = [hidden(element("canvas")), emblem(choice)];
        paint(glyph, values, Math.sqrt(values.length), (value) => signed(value / largest(values)));
        field.append(this.radio("filter", `${choice.number}`, i === 0, glyph, () => { this.choice = choice; this.choose(); }));
      });
      return field;
    }

    modeChoice() {
      const field = element("fieldset", {}, element("legend", { textContent: "Keep the" }));
      for (const [mode, word] of [["max", "maximum"], ["average", "average"]]) {
        field.append(this.radio("mode", word, mode === this.mode, null, () => { this.mode = mode; this.choose(true); }));
      }
      return field;
    }

    radio(group, word, checked, glyph, act) {
      const input = element("input", { type: "radio", name: `${this.kind}-${group}`, checked });
      input.addEventListener("change", act);
      const made = element("label", { className: glyph ? "choice" : "choice plain" }, input);
      if (glyph) made.append(glyph);
      made.append(word);
      return made;
    }

    // Moving

    choose(keep = false) {
      this.work = this.kind === "conv" ? convolution(this.choice) : pooling(this.choice, this.mode);
      const { outputSide, size } = this.work;
      this.results = Array.from({ length: outputSide * outputSide }, (_, cell) => this.work.compute(this.under(cell)).result);
      if (!keep && !this.playing) {
        this.at = this.work.start;
        this.shown = this.results.length;
      }
      this.inputTitle.textContent = this.work.inputName;
      this.outputTitle.textContent = this.work.outputName;
      this.inputCanvas.setAttribute("aria-label",
        `Window of ${size}\u00d7${size} on ${this.work.inputName}. Arrow keys move it, space plays and pauses.`);
      this.outputCanvas.setAttribute("aria-label", this.work.outputName);
      this.draw();
    }

    under(cell) {
      const { input, inputSide, outputSide, size, stride } = this.work;
      const [row, column] = [Math.floor(cell / outputSide) * stride, cell % outputSide * stride];
      const values = [];
      for (let r = 0; r < size; r++) for (let c = 0; c < size; c++) values.push(input[(row + r) * inputSide + column + c]);
      return values;
    }

    move(cell, spoken = true) {
      this.at = Math.min(this.results.length - 1, Math.max(0, cell));
      this.shown = Math.max(this.shown, this.at + 1);
      this.draw();
      if (spoken) this.speak();
    }

    step(by) { this.pause(); this.move(this.at + by); }

    restart() { this.pause(); this.shown = 0; this.move(0); }

    point(event, which) {
      const box = event.currentTarget.getBoundingClientRect();
      const { inputSide, outputSide, size, stride } = this.work;
      const side = which === "input" ? inputSide : outputSide;
      const place = (offset, length) => {
        const cell = offset / length * side;
        const start = which === "input" ? Math.round((cell - size / 2) / stride) : Math.floor(cell);
        return Math.min(outputSide - 1, Math.max(0, start));
      };
      this.move(place(event.clientY - box.top, box.height) * outputSide + place(event.clientX - box.left, box.width), false);
    }

    key(event) {
      const n = this.work.outputSide;
      const [row, column] = [Math.floor(this.at / n), this.at % n];
      const moves = {
        ArrowLeft: column > 0 ? -1 : 0, ArrowRight: column < n - 1 ? 1 : 0,
        ArrowUp: row > 0 ? -n : 0, ArrowDown: row < n - 1 ? n : 0,
        Home: -column, End: n - 1 - column,
      };
      if (event.key === " ") this.playing ? this.pause() : this.play();
      else if (event.key in moves && !event.ctrlKey && !event.metaKey && !event.altKey) this.step(moves[event.key]);
      else return;
      event.preventDefault();
    }

    play() {
      if (this.at >= this.results.length - 1 || this.shown >= this.results.length) { this.at = 0; this.shown = 1; }
      this.playing = true;
      this.playButton.textContent = "Pause";
      this.say.textContent = "";
      let before = performance.now(), due = 0;
      const tick = (now) => {
        if (!this.playing) return;
        due += (now - before) / 1000 * 2 ** (this.pace + (this.kind === "conv" ? 1 : 0));
        before = now;
        const whole = Math.floor(due);
        due -= whole;
        if (whole) this.move(this.at + whole, false);
        if (this.at >= this.results.length - 1) this.pause();
        else requestAnimationFrame(tick);
      };
      this.draw();
      requestAnimationFrame(tick);
    }

    pause() {
      if (!this.playing) return;
      this.playing = false;
      this.playButton.textContent = "Play";
      this.speak();
    }

    observe() {
      addEventListener("beforeprint", () => { this.shown = this.results.length; this.draw(); });
      dark.addEventListener("change", () => this.draw());
      new ResizeObserver(() => this.draw()).observe(this.inputCanvas);
      if (calm.matches) return;
      const seen = new IntersectionObserver(([entry]) => {
        if (!entry.isIntersecting) return;
        seen.disconnect();
        this.play();
      }, { threshold: 0.9 });
      seen.observe(this.inputCanvas);
    }

    // Showing

    speak() {
      const n = this.work.outputSide;
      this.say.textContent =
        `Row ${Math.floor(this.at / n)}, column ${this.at % n} of the map: ${fixed(this.results[this.at], 3)}.`;
    }

    draw() {
      const { input, inputSide, outputSide, size, stride, stored } = this.work;
      const [row, column] = [Math.floor(this.at / outputSide), this.at % outputSide];
      paint(this.inputCanvas, input, inputSide, this.work.inputColour, [column * stride, row * stride, size]);
      paint(this.outputCanvas, this.results, outputSide, this.work.outputColour, [column, row, 1], this.shown);
      const values = this.under(this.at);
      this.sum.replaceChildren(...this.work.explain(values, this.work.compute(values), stored ? stored[this.at] : null));
    }
  }

  // A square of coloured cells, with a frame round some of them; cells from `shown` on are left empty.
  const paint = (canvas, values, side, colour, frame = null, shown = values.length) => {
    const wide = Math.max(side, Math.round((canvas.clientWidth || 26) * (devicePixelRatio || 1)));
    const edge = (place) => Math.round(place * wide / side);
    canvas.width = canvas.height = wide;
    const brush = canvas.getContext("2d");
    brush.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--zero");
    brush.fillRect(0, 0, canvas.width, canvas.height);
    values.slice(0, shown).forEach((value, i) => {
      brush.fillStyle = css(colour(value));
      const [row, column] = [Math.floor(i / side), i % side];
      brush.fillRect(edge(column), edge(row), edge(column + 1) - edge(column), edge(row + 1) - edge(row));
    });
    if (!frame) return;
    const [x, y, size] = frame.map(edge);
    const line = Math.max(2, wide / 110);
    const inside = (place) => Math.min(wide - line / 2, Math.max(line / 2, place));
    for (const [width, ink] of [[line * 2, "#fff"], [line, "#d55e00"]]) {
      brush.lineWidth = width;
      brush.strokeStyle = ink;
      brush.strokeRect(inside(x - line / 2), inside(y - line / 2),
        inside(x + size + line / 2) - inside(x - line / 2), inside(y + size + line / 2) - inside(y - line / 2));
    }
  };

  document.querySelectorAll("[data-slide]").forEach((root) => new Slide(root));

  Digitscope.setStrings(data.toy);
  document.querySelectorAll("[data-toy]").forEach((root) => root.replaceChildren(Digitscope.toy()));
})();
