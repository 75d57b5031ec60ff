// One map of the last hidden layer: every sample of the page as a point, the digit on the pad among its neighbours.
//
//   new Digitscope.FeatureMap(app, index) -> {element, fit(width), draw()}   index: of the layer
//   Digitscope.showMap(app, index): opens that layer and brings the map into sight
//
// web/lens/feature_map.py computes directions and points; here the digit on the pad is put along the same directions.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed, percent, count, halves } = Digitscope;
  const NEAREST = 8;
  const WIDEST = 760, SHARE = 0.62; // CSS pixels of the map, and its height for its width
  const THUMB = 22, OWN = 34; // CSS pixels of a sample's picture, and of the digit on the pad
  const ROOM = 0.8; // pictures of samples cover each other by no more than what this leaves of their side

  class FeatureMap {
    constructor(app, index) {
      const { map } = app.model;
      Object.assign(this, { app, index, shares: map.shares, size: map.shares.length, samples: [...app.samples.values()] });
      this.mean = halves(map.mean);
      this.directions = halves(map.directions);
      this.points = halves(map.points);
      this.canvas = make("canvas", { className: "feature-map", role: "img", onclick: (event) => this.press(event) });
      this.near = make("ol", { className: "neighbours" });
      this.whose = make("p", { className: "whose" });
      this.sum = make("p");
      const spread = (n) => percent(this.shares.slice(0, n).reduce((sum, share) => sum + share, 0), 0);
      const n = count(this.mean.length);
      this.element = make("section", { className: "feature-map-box", "aria-label": words("map.title", { n }) },
        make("h3", { textContent: words("map.title", { n }) }),
        make("p", { className: "lead", textContent: words("map.lead", { n, count: count(this.samples.length), share: spread(2) }) }), this.whose,
        make("div", { className: "feature-map-parts" }, this.canvas, make("div", { className: "near" },
          make("p", { className: "note", textContent: words("map.near", { directions: this.size, share: spread(this.size) }) }), this.near, this.sum)));
      this.spread();
    }

    // Lowest and highest place of a sample along the two directions that are drawn.
    spread() {
      this.ends = [0, 1].map((axis) => {
        let low = Infinity, high = -Infinity;
        this.samples.forEach((_, i) => {
          const place = axis < this.size ? this.points[i * this.size + axis] : 0;
          low = Math.min(low, place);
          high = Math.max(high, place);
        });
        return [low, high > low ? high : low + 1];
      });
    }

    fit(width) {
      this.width = Math.min(WIDEST, width);
      this.height = Math.round(this.width * SHARE);
      this.ground = null;
    }

    // A place along the directions in CSS pixels; what lies beyond the samples stays at the rim.
    at(point) {
      const inside = (axis) => {
        const [low, high] = this.ends[axis];
        return Math.min(1, Math.max(0, ((point[axis] ?? 0) - low) / (high - low)));
      };
      const margin = OWN / 2 + 3;
      return [margin + inside(0) * (this.width - 2 * margin), margin + (1 - inside(1)) * (this.height - 2 * margin)];
    }

    pointOf(values) {
      const { size, mean, directions } = this;
      return Float64Array.from({ length: size }, (_, k) => mean.reduce((sum, middle, i) => sum + (values[i] - middle) * directions[k * mean.length + i], 0));
    }

    nearest(point) {
      const { size, points } = this;
      const own = this.app.drawing.sample;
      const far = this.samples.map((sample, i) => {
        let sum = 0;
        for (let k = 0; k < size; k++) sum += (points[i * size + k] - point[k]) ** 2;
        return { sample, i, distance: Math.sqrt(sum) };
      });
      return far.filter(({ sample }) => sample.index !== own).sort((a, b) => a.distance - b.distance).slice(0, NEAREST);
    }

    // Showing

    // While the pen moves, once a frame and after the answer has been painted.
    async draw() {
      if (this.waiting) return;
      this.waiting = Boolean(this.app.unfinished);
      if (this.waiting) await Digitscope.painted();
      this.waiting = false;
      if (this.width) this.show();
    }

    show() {
      const { app } = this, blank = app.outcome.blank;
      this.whose.textContent = app.whose;
      const point = this.pointOf(app.finishedRun.layers[this.index].values);
      const near = blank ? [] : this.nearest(point);
      this.paint(point, near, blank);
      this.list(near);
      const [right, up] = this.at(point);
      this.canvas.setAttribute("aria-label", blank ? words("map.blank") : words("map.picture", {
        count: count(this.samples.length), right: percent(right / this.width, 0), up: percent(1 - up / this.height, 0),
        labels: near.map(({ sample }) => sample.label).join(", "),
      }));
    }

    paint(point, near, blank) {
      const sharp = devicePixelRatio || 1, { canvas, width, height } = this;
      const theme = Digitscope.theme();
      if (!this.ground || this.drawnFor !== theme) {
        this.drawnFor = theme;
        this.ground = this.paintGround(sharp);
      }
      canvas.width = this.ground.width;
      canvas.height = this.ground.height;
      canvas.style.width = `${width}px`;
      const brush = canvas.getContext("2d");
      brush.drawImage(this.ground, 0, 0);
      if (blank) return;
      brush.scale(sharp, sharp);
      const style = getComputedStyle(canvas), [x, y] = this.at(point);
      const places = near.map(({ i }) => this.at(this.points.subarray(i * this.size, (i + 1) * this.size)));
      brush.strokeStyle = style.outlineColor;
      brush.lineWidth = 1.5;
      places.forEach(([toX, toY]) => {
        brush.beginPath();
        brush.moveTo(x, y);
        brush.lineTo(toX, toY);
        brush.stroke();
      });
      places.forEach((place, i) => thumb(brush, near[i].sample.bytes, place, THUMB, theme));
      places.forEach(([toX, toY]) => brush.strokeRect(toX - THUMB / 2, toY - THUMB / 2, THUMB, THUMB));
      thumb(brush, Uint8Array.from(this.app.field, (ink) => Math.round(255 * ink)), [x, y], OWN, theme);
      brush.strokeStyle = style.color;
      brush.lineWidth = 3;
      brush.beginPath();
      brush.arc(x, y, OWN / 2 + 1, 0, 7);
      brush.stroke();
    }

    // Every sample: a picture where there is room for one, else a dot.
    paintGround(sharp) {
      const canvas = make("canvas", { width: Math.round(this.width * sharp), height: Math.round(this.height * sharp) });
      const brush = canvas.getContext("2d"), taken = [], dark = Digitscope.theme() === "dark";
      brush.scale(sharp, sharp);
      this.places = this.samples.map((_, i) => this.at(this.points.subarray(i * this.size, (i + 1) * this.size)));
      brush.fillStyle = dark ? "#6b727b" : "#a9a397";
      this.places.forEach(([x, y]) => brush.fillRect(x - 1, y - 1, 2, 2));
      this.places.forEach((place, i) => {
        if (taken.some(([x, y]) => Math.max(Math.abs(place[0] - x), Math.abs(place[1] - y)) < THUMB * ROOM)) return;
        taken.push(place);
        thumb(brush, this.samples[i].bytes, place, THUMB, this.drawnFor);
      });
      return canvas;
    }

    list(near) {
      this.near.replaceChildren(...near.map(({ sample, distance }) => {
        const canvas = make("canvas", { width: 28, height: 28, "aria-hidden": "true" });
        thumb(canvas.getContext("2d"), sample.bytes, [14, 14], 28, "dark", true);
        const label = words("map.one", { index: sample.index, label: sample.label, distance: fixed(distance, 1) });
        return make("li", {}, make("button", { type: "button", title: label, "aria-label": label, onclick: () => this.app.keep({ sample: sample.index }) },
          canvas, make("span", { textContent: words("map.label", { label: sample.label }) })));
      }));
      const votes = near.reduce((all, { sample }) => { all[sample.label]++; return all; }, new Array(10).fill(0));
      const digit = Digitscope.strongest(votes);
      this.sum.textContent = near.length ? words("map.votes", { n: votes[digit], all: near.length, digit }) : words("map.blank");
    }

    press(event) {
      const box = this.canvas.getBoundingClientRect();
      const [x, y] = [(event.clientX - box.left) * this.width / box.width, (event.clientY - box.top) * this.height / box.height];
      const far = this.places.map(([toX, toY]) => Math.hypot(toX - x, toY - y));
      const best = far.reduce((least, one, i) => (one < far[least] ? i : least), 0);
      if (far[best] <= THUMB) this.app.keep({ sample: this.samples[best].index });
    }
  }

  // A digit as ink alone, or `whole`: white on black.
  const thumb = (brush, bytes, [x, y], side, theme, whole = false) => {
    const made = thumbs.get(bytes) ?? {}, kind = whole ? "whole" : theme;
    thumbs.set(bytes, made);
    made[kind] ??= pictureOf(bytes, kind);
    brush.drawImage(made[kind], x - side / 2, y - side / 2, side, side);
  };
  const thumbs = new WeakMap();

  const pictureOf = (bytes, kind) => {
    const small = make("canvas", { width: 28, height: 28 }), pen = small.getContext("2d"), image = pen.createImageData(28, 28);
    const level = kind === "dark" ? 0xffffff : 0x28231f;
    new Uint32Array(image.data.buffer).set(Array.from(bytes, (byte) => (kind === "whole" ? Digitscope.colours().grey[byte] : (byte << 24 | level) >>> 0)));
    pen.putImageData(image, 0, 0);
    return small;
  };

  const showMap = (app, index) => {
    app.open(index);
    app.stage.querySelector(".feature-map-box").scrollIntoView({ block: "start" });
  };

  Object.assign(Digitscope, { FeatureMap, showMap });
})();
