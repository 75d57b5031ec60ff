// The page itself: one state, what follows from it, and which parts show it. The parts never change the state themselves.
//
// state: {drawing, prepare, place, view, scale, raw, tour}; everything else here is computed from it and the model.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, count, fixed, percent, isMaps, nameOf, cellOf, mapOf } = Digitscope;
  const SETTLED = 250; // milliseconds without a change after which the address follows

  class App {
    constructor(json) {
      this.model = Digitscope.openModel(json);
      this.samples = new Map(json.samples.map((sample) => [sample.index, { ...sample, bytes: Digitscope.bytesOf(sample.pixels) }]));
      this.worker = Digitscope.Worker(json);
      this.views = new Map();
      this.timing = {};
      this.begin();
    }

    begin() {
      const found = Digitscope.unpackPlace(location.hash, this.model);
      const first = this.valid(found.drawing) ?? { sample: (this.samples.get(0) ?? [...this.samples.values()][0]).index };
      this.drawings = new Digitscope.Drawings(first);
      this.state = { ...found, place: found.place ?? { depth: 0, layer: 0, cell: 0, from: 0 } };
      this.live = null;
      this.compute();
      const [last] = this.model.layers.map((layer, i) => (layer.kind === "conv2d" ? i : 0)).sort((a, b) => b - a);
      if (!found.place) Object.assign(this.state.place, { layer: last, cell: this.interesting(last) });
      this.pointed = { layer: this.state.place.layer, cell: this.state.place.cell };
    }

    // A drawing from an address, if this page can show it.
    valid(drawing) {
      return drawing && (!("sample" in drawing) || this.samples.has(drawing.sample)) ? drawing : null;
    }

    // What follows from the state

    get drawing() { return this.live ?? this.drawings.now; }

    compute() {
      const { field, steps } = Digitscope.fieldOf(this.drawing, this.samples, this.state.prepare);
      Object.assign(this, { field, steps });
      this.take(Digitscope.run(this.model, field));
    }

    take(run) {
      this.run = run;
      this.cache = null;
      const probabilities = run.probabilities;
      const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
      this.outcome = { answer: order[0], runnerUp: order[1], probabilities, refused: run.refused, blank: this.field.every((ink) => ink === 0) };
      this.measure();
    }

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

    interesting(index) { return Digitscope.strongest(this.model.layers[index], this.run.layers[index].values); }

    // "conv 1, filter 5, row 12, column 9: -0.71, ReLU gives 0"
    sentence(index, cell) {
      const layer = this.model.layers[index], { values, sums } = this.run.layers[index];
      const [row, column] = cellOf(layer.shape, cell);
      const common = { layer: nameOf(layer), row, column, cell: row, value: fixed(values[cell]), sum: sums ? fixed(sums[cell]) : "" };
      if (index === 0) return words("say.input", { ...common, raw: Math.round(255 * values[cell]) });
      const where = this.whereIs(index, cell);
      if (layer.activation === "softmax") return words("say.softmax", { ...common, share: percent(values[cell]) });
      if (layer.kind === "flatten") return words("say.flatten", { ...common, where, from: this.whereIs(index - 1, cell) });
      return words(layer.window && !sums ? `say.${layer.kind}` : layer.activation === "relu" ? "say.relu" : "say.linear", { ...common, where, n: layer.window ? layer.window[0] * layer.window[1] : 0 });
    }

    // "pool 2, map 27, row 2, column 1"
    whereIs(index, cell) {
      const layer = this.model.layers[index];
      const [row, column, map] = cellOf(layer.shape, cell);
      return words(isMaps(layer) ? "say.cell" : "say.number", { layer: nameOf(layer), unit: Digitscope.unitWord(layer), row, column, map, cell: row });
    }

    outcomeSentence() {
      const { answer, probabilities, refused, blank } = this.outcome;
      if (blank) return words("answer.blank");
      return refused ? words("answer.refused") : words("answer.sentence", { digit: answer, share: percent(probabilities[answer]) });
    }

    // Changing the state

    preview(drawing) {
      this.live = drawing;
      this.ask();
    }

    keep(drawing) {
      this.live = null;
      this.drawings.push(drawing);
      this.ask(true);
    }

    undo() { this.drawings.undo(); this.ask(true); }
    redo() { this.drawings.redo(); this.ask(true); }

    // The pad at once, everything else as soon as the worker has answered.
    async ask(settled = false) {
      const asked = performance.now();
      const { field, steps } = Digitscope.fieldOf(this.drawing, this.samples, this.state.prepare);
      Object.assign(this, { field, steps });
      this.pad.draw();
      const run = await this.worker.run(field);
      if (!run) return;
      const answered = performance.now();
      this.take(run);
      this.show();
      this.drawRail();
      this.timing = { asked, answered, drawn: performance.now() };
      if (settled) this.say(this.outcomeSentence());
      this.remember();
    }

    set(change) {
      Object.assign(this.state, change);
      if (change.prepare) this.ask();
      else this.refresh();
    }

    refresh() {
      this.measure();
      this.draw();
      this.remember();
    }

    go(change) {
      const { place } = this.state;
      const next = { ...place, ...change };
      if (next.layer !== place.layer && change.from === undefined) next.from = 0;
      const deeper = next.depth !== place.depth;
      if (!deeper && next.layer === place.layer && next.cell === place.cell && next.from === place.from) return;
      if (next.layer !== place.layer || deeper) this.remember(true);
      this.state.place = next;
      this.pointed = { layer: next.layer, cell: next.cell };
      this.show();
      if (deeper) {
        this.remember(true);
        this.focusStage();
      } else this.remember();
      this.tell(next.layer, next.cell);
    }

    // Opens a layer at a cell; lists of numbers open at their numbers.
    open(index, cell = this.interesting(index)) {
      const { from } = this.bestSource(index, cell);
      this.go({ depth: 1, layer: index, cell, from });
    }

    bestSource(index, cell) {
      const layer = this.model.layers[index];
      return { from: layer.kind === "conv2d" ? this.contributions(index, cell)[0].map ?? 0 : 0 };
    }

    point(place, spoken = false) {
      if (!place) return;
      this.pointed = place;
      this.state.place = { ...this.state.place, ...place };
      this.network.link();
      if (spoken) this.tell(place.layer, place.cell);
    }

    back() {
      const { depth } = this.state.place;
      if (depth) this.go({ depth: depth - 1 });
      else if (this.state.tour !== null) this.tour.close();
    }

    // Showing

    build() {
      this.pad = new Digitscope.Pad(this);
      this.samplesView = new Digitscope.Samples(this);
      this.steps3 = new Digitscope.Steps(this, false);
      this.answer = new Digitscope.Answer();
      this.network = new Digitscope.Network(this);
      this.tour = new Digitscope.Tour(this);
      this.live3 = make("p", { className: "unseen", "aria-live": "polite", role: "status" });
      this.stage = make("div", { className: "stage-body" });
      this.bar = make("div", { className: "stage-bar" });
      const rail = make("aside", { className: "rail", "aria-label": words("rail.label") },
        make("section", { className: "card draw", "aria-label": words("pad.title") }, this.pad.element, this.pad.tools, this.samplesView.element),
        this.answer.element,
        make("section", { className: "card seen", "aria-label": words("steps.title") },
          make("button", { type: "button", className: "card-title", onclick: () => this.open(0) }, words("steps.title"), make("span", { textContent: words("steps.open") })),
          this.steps3.element));
      document.title = words("title");
      document.body.replaceChildren(
        make("a", { className: "skip", href: "#stage", textContent: words("skip"), onclick: (event) => { event.preventDefault(); this.focusStage(); } }),
        this.header(), make("div", { className: "page" }, rail,
          make("main", { className: "stage", id: "stage", tabIndex: -1 }, this.tour.element, this.bar, this.stage)), this.live3);
      this.listen();
      this.show();
      this.draw();
      if (this.state.tour !== null && !location.hash.includes("map=") && !location.hash.includes("number=")) this.tour.go(this.state.tour);
    }

    header() {
      const { card, name } = this.model;
      const facts = [name, words("facts.parameters", { n: count(card.parameters ?? 0) }),
        card.test_accuracy === undefined ? null : words("facts.accuracy", { share: percent(card.test_accuracy, 2) })].filter(Boolean);
      const item = (kind) => make("button", { type: "button", textContent: words(`export.${kind}`), onclick: () => { menu.open = false; Digitscope.exportAs(this, kind); } });
      const menu = make("details", { className: "menu" }, make("summary", { textContent: words("export.menu") }),
        make("div", {}, item("png"), item("svg"), item("csv"),
          make("button", { type: "button", textContent: words("export.link"), onclick: () => { menu.open = false; this.copyLink(); } })));
      menu.addEventListener("focusout", (event) => { if (!menu.contains(event.relatedTarget)) menu.open = false; });
      return make("header", { className: "top" },
        make("h1", {}, make("b", { textContent: "Digitscope" }), make("span", { textContent: words("subtitle") })),
        make("p", { className: "facts", textContent: facts.join(" \u00b7 ") }),
        make("div", { className: "top-buttons" },
          make("button", { type: "button", className: "main", textContent: words("tour.start"), onclick: () => this.tour.start() }),
          menu,
          make("button", { type: "button", className: "plain", textContent: words("theme"), title: words("theme.what"), onclick: () => this.turn() }),
          make("button", { type: "button", className: "plain", textContent: words("keys"), "aria-haspopup": "dialog", onclick: () => this.help() })));
    }

    // The bar over the stage: at depth 0 what the maps show, deeper the way back and the layers.
    showBar() {
      const { place, view, scale } = this.state;
      if (place.depth === 0) {
        const legend = make("canvas", { className: "legend", width: 101, height: 1, role: "img", "aria-label": words("legend.what") });
        this.legend = legend;
        this.bar.replaceChildren(make("h2", { textContent: words("network.title") }),
          make("div", { className: "options" },
            make("span", { className: "legend-box" }, words("legend.low"), legend, words("legend.high")),
            Digitscope.choice(words("maps.show"), [["sum", words("maps.sum")], ["value", words("maps.relu")]], view, (value) => this.set({ view: value })),
            make("span", { className: "option-name", textContent: words("scale") }),
            Digitscope.choice(words("scale.what"), ["map", "layer", "network"].map((one) => [one, words(`scale.${one}`)]), scale, (value) => this.set({ scale: value }))));
        return;
      }
      const tabs = this.model.layers.map((layer, index) => make("button", {
        type: "button", "aria-current": index === place.layer ? "true" : null, onclick: () => this.open(index),
      }, make("b", { textContent: nameOf(layer) }), make("span", { textContent: layer.shape.map(count).join("\u00d7") })));
      const layer = this.model.layers[place.layer];
      const turn = (by) => make("button", {
        type: "button", className: "plain", textContent: by < 0 ? "\u2039" : "\u203a",
        "aria-label": words(by < 0 ? "maps.before" : "maps.after", { unit: Digitscope.unitWord(layer) }), onclick: () => this.turnMap(by),
      });
      this.heading = make("h2", {});
      this.bar.replaceChildren(
        make("nav", { className: "tabs", "aria-label": words("tabs.label") },
          make("button", { type: "button", className: "whole", onclick: () => this.go({ depth: 0 }) }, make("b", { textContent: words("tabs.whole") })), ...tabs),
        make("div", { className: "crumbs" },
          make("button", { type: "button", className: "plain", onclick: () => this.back() }, `\u2190 ${words(place.depth === 2 ? "back.map" : "back.network")}`, make("kbd", { textContent: "Esc" })),
          this.heading, ...(isMaps(layer) && layer.shape[2] > 1 ? [turn(-1), turn(1)] : [])));
    }

    turnMap(by) {
      const { place } = this.state;
      const [, , maps] = this.model.layers[place.layer].shape;
      const map = place.cell % maps;
      this.go({ cell: place.cell - map + (map + by + maps) % maps });
    }

    view() {
      const { depth, layer: index } = this.state.place;
      if (depth === 0) return this.network;
      const key = `${depth}:${index}`;
      if (!this.views.has(key)) this.views.set(key, this.makeView(depth, index));
      return this.views.get(key);
    }

    makeView(depth, index) {
      const layer = this.model.layers[index];
      if (depth === 2) return new Digitscope.Numbers(this, index);
      if (index === 0) return new Digitscope.Matrix(this);
      if (isMaps(layer)) return new Digitscope.Maps(this, index);
      return layer.activation === "softmax" ? new Digitscope.Softmax(this, index) : new Digitscope.Vector(this, index);
    }

    // After a change of place: another view if need be, and its numbers.
    show() {
      const { depth, layer } = this.state.place;
      const key = `${depth}:${layer}`;
      const view = this.view();
      if (this.shownKey !== key) {
        this.shownKey = key;
        document.body.dataset.depth = depth;
        this.showBar();
        this.stage.replaceChildren(view.element);
        view.fit(this.stage.clientWidth);
      }
      this.drawStage();
    }

    draw() {
      this.pad.draw();
      this.drawRail();
      this.drawStage();
    }

    drawRail() {
      this.samplesView.draw();
      this.steps3.draw();
      this.answer.draw(this.outcome);
    }

    drawStage() {
      const { depth, layer: index, cell } = this.state.place;
      this.view().draw();
      this.tour.draw();
      if (depth === 0) {
        const brush = this.legend.getContext("2d");
        for (let i = 0; i <= 100; i++) {
          brush.fillStyle = Digitscope.shade("signed", (i - 50) / 50).fill;
          brush.fillRect(i, 0, 1, 1);
        }
        return;
      }
      const layer = this.model.layers[index];
      const [row, column] = cellOf(layer.shape, cell);
      const where = isMaps(layer) && layer.shape[2] > 1 ? words("crumb.map", { layer: nameOf(layer), unit: Digitscope.unitWord(layer), map: mapOf(layer, cell) }) : nameOf(layer);
      if (depth === 2) {
        this.heading.textContent = this.sentence(index, cell);
        return;
      }
      const number = isMaps(layer) ? words("crumb.cell", { row, column }) : words("crumb.number", { unit: Digitscope.unitWord(layer), cell });
      this.heading.replaceChildren(where, make("span", { textContent: ` ${number}` }));
    }

    // Saying

    say(text) { this.live3.textContent = text; }

    tell(index, cell) {
      clearTimeout(this.telling);
      this.telling = setTimeout(() => this.say(this.sentence(index, cell)), 120);
    }

    focusStage() {
      const target = this.stage.querySelector('[role="grid"]') ?? document.getElementById("stage");
      target.focus({ preventScroll: true });
      if (matchMedia("(max-width: 44rem)").matches) document.getElementById("stage").scrollIntoView();
    }

    // Address, keys, size, theme

    remember(now = false) {
      clearTimeout(this.remembering);
      const write = (push) => {
        const address = Digitscope.packPlace({ ...this.state, drawing: this.drawings.now }, this.model);
        if (address === location.hash) return;
        try {
          history[push ? "pushState" : "replaceState"](null, "", address);
        } catch (error) {
          if (error.name !== "SecurityError") throw error; // some browsers limit this for files
        }
      };
      if (now) write(true);
      else this.remembering = setTimeout(() => write(false), SETTLED);
    }

    return() {
      const found = Digitscope.unpackPlace(location.hash, this.model);
      const drawing = this.valid(found.drawing);
      if (drawing && Digitscope.packDrawing(drawing) !== Digitscope.packDrawing(this.drawings.now)) this.drawings.push(drawing);
      Object.assign(this.state, found, { place: found.place ?? { ...this.state.place, depth: 0 } });
      this.pointed = { layer: this.state.place.layer, cell: this.state.place.cell };
      this.compute();
      this.show();
      this.draw();
    }

    listen() {
      addEventListener("popstate", () => this.return());
      addEventListener("keydown", (event) => this.key(event));
      addEventListener("resize", () => this.resized());
      addEventListener("beforeprint", () => this.resized());
      Digitscope.onTheme(() => this.draw());
      this.resized();
      new ResizeObserver(() => this.resized()).observe(this.stage);
    }

    resized() {
      const { clientWidth } = this.stage;
      if (!clientWidth || this.width === `${clientWidth}:${innerHeight}:${devicePixelRatio}`) return;
      this.width = `${clientWidth}:${innerHeight}:${devicePixelRatio}`;
      this.view().fit(clientWidth);
      this.shownKey = null;
      this.show();
      this.pad.draw();
    }

    key(event) {
      const typing = event.target.matches?.("input, select, textarea");
      if (event.key === "Escape") this.back();
      else if ((event.ctrlKey || event.metaKey) && event.key === "z" && !typing) (event.shiftKey ? this.redo() : this.undo());
      else if ((event.ctrlKey || event.metaKey) && event.key === "y" && !typing) this.redo();
      else if (!typing && !event.ctrlKey && !event.metaKey && (event.key === "[" || event.key === "]") && this.state.place.depth) this.turnMap(event.key === "[" ? -1 : 1);
      else return;
      event.preventDefault();
    }

    turn() {
      Digitscope.setTheme(Digitscope.theme() === "dark" ? "light" : "dark");
      this.draw();
    }

    help() {
      const close = make("button", { type: "button", className: "main", textContent: words("keys.close"), onclick: () => dialog.close() });
      const rows = ["tab", "arrows", "enter", "esc", "brackets", "pad", "undo"].map((key) =>
        make("div", {}, make("dt", {}, make("kbd", { textContent: words(`keys.${key}`) })), make("dd", { textContent: words(`keys.${key}.what`) })));
      const dialog = make("dialog", { "aria-label": words("keys.title"), onclose: () => dialog.remove() },
        make("h2", { textContent: words("keys.title") }), make("dl", {}, ...rows), close);
      dialog.addEventListener("keydown", (event) => event.stopPropagation());
      document.body.append(dialog);
      dialog.showModal();
    }

    async copyLink() {
      clearTimeout(this.remembering);
      history.replaceState(null, "", Digitscope.packPlace({ ...this.state, drawing: this.drawings.now }, this.model));
      await this.toClipboard(location.href);
    }

    copy(what) { return this.toClipboard(Digitscope.pixelText(this, what)); }

    async toClipboard(text) {
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = make("textarea", { value: text, className: "unseen" });
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      this.say(words("copied"));
      this.toast(words("copied"));
    }

    toast(text) {
      const note = make("p", { className: "toast", textContent: text });
      document.body.append(note);
      setTimeout(() => note.remove(), 2000);
    }
  }

  const start = async () => {
    Digitscope.setStrings(await Digitscope.json("strings.en.json"));
    const app = new App(await Digitscope.json("model.json"));
    app.build();
    Digitscope.app = app;
    dispatchEvent(new CustomEvent("digitscope-ready"));
  };

  start().catch((error) => {
    document.body.replaceChildren(make("p", { className: "noscript", textContent: `${error.message || error}` }));
    throw error;
  });
})();
