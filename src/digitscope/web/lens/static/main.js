// The page itself: one state, what follows from it, and which parts show it. The parts never change the state themselves.
//
// state: {drawing, prepare, place, view, scale, raw, tour, panel, against, stage}; everything else here is computed from it and the model.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, isMaps } = Digitscope;
  const SETTLED = 250; // milliseconds without a change after which the address follows
  const PAPER = 690; // CSS pixels between the margins of an A4 or letter page

  class App extends Digitscope.Look {
    constructor(json) {
      super();
      this.json = json;
      this.model = Digitscope.openModel(json);
      this.finished = { weights: Digitscope.weightsOf(this.model), known: this.model.known };
      this.worn = 0;
      this.samples = new Map(json.samples.map((sample) => [sample.index, { ...sample, bytes: Digitscope.bytesOf(sample.pixels) }]));
      this.worker = Digitscope.Worker(json);
      this.background = Digitscope.Background(json);
      this.views = new Map();
      this.timing = {};
      this.begin();
    }

    begin() {
      const found = Digitscope.unpackPlace(location.hash, this.model);
      const first = this.valid(found.drawing) ?? { sample: (this.samples.get(0) ?? [...this.samples.values()][0]).index };
      this.drawings = new Digitscope.Drawings(first);
      this.state = { ...found, place: found.place ?? { depth: 0, layer: 0, cell: 0, from: 0 } };
      this.unfinished = null;
      this.compute();
      this.state.place.from ??= this.bestSource(this.state.place.layer, this.state.place.cell).from;
      const [last] = this.model.layers.map((layer, i) => (layer.kind === "conv2d" ? i : 0)).sort((a, b) => b - a);
      if (!found.place) Object.assign(this.state.place, { layer: last, cell: this.interesting(last) });
      this.pointed = { layer: this.state.place.layer, cell: this.state.place.cell };
      Object.assign(this, { followed: last, chosen: Boolean(found.place), hovered: false });
    }

    // The frame stays on the strongest cell of the last convolution until one chooses a cell.
    follow() {
      if (this.chosen || this.hovered) return;
      this.pointed = { layer: this.followed, cell: this.interesting(this.followed) };
      Object.assign(this.state.place, this.pointed);
    }

    // A drawing from an address, if this page can show it.
    valid(drawing) {
      return drawing && (!("sample" in drawing) || this.samples.has(drawing.sample)) ? drawing : null;
    }

    // What follows from the state

    get drawing() { return this.unfinished ?? this.drawings.now; }

    compute() {
      const { field, steps } = Digitscope.fieldOf(this.drawing, this.samples, this.state.prepare);
      Object.assign(this, { field, steps });
      this.take(Digitscope.run(this.model, field));
    }

    // Changing the state

    preview(drawing) {
      this.unfinished = drawing;
      this.ask();
    }

    keep(drawing) {
      this.unfinished = null;
      this.drawings.push(drawing);
      this.ask(true);
    }

    undo() { this.drawings.undo(); this.ask(true); }
    redo() { this.drawings.redo(); this.ask(true); }

    // The field goes to the worker first, which computes while the pad is drawn; everything else follows when it has answered.
    async ask(settled = false) {
      const asked = performance.now();
      const { field, steps } = Digitscope.fieldOf(this.drawing, this.samples, this.state.prepare);
      Object.assign(this, { field, steps });
      const { worn } = this, answer = this.worker.run(field);
      this.pad.draw();
      const run = await answer;
      if (!run || worn !== this.worn) return;
      this.take(run);
      this.drawRail(); // the answer
      const answered = performance.now();
      this.follow();
      this.show();
      this.timing = { asked, answered, drawn: performance.now() };
      if (settled) this.say(this.outcomeSentence());
      this.remember();
    }

    // Other weights for the network on the screen, and what to call it then; null: those of the finished network. What tells
    // digits from anything else knows the finished network only.
    wear(weights, name = null) {
      const { finished } = this;
      Digitscope.setWeights(this.model, weights ?? finished.weights);
      this.model.known = weights ? null : finished.known;
      this.worker.use(weights ?? finished.weights, !weights);
      this.background.use(weights ?? finished.weights, !weights);
      this.worn += 1;
      this.wornName = weights ? name : null;
      this.ofFirst = null;
      this.pad.ghost = null; // it was found for the weights before
      this.compute();
      this.show();
      this.draw();
      this.remember();
    }

    // What the finished network makes of the digit, also while other weights are on the screen.
    get finishedRun() {
      if (!this.wornName) return this.run;
      this.finishedModel ??= Digitscope.openModel(this.json);
      return Digitscope.run(this.finishedModel, this.run.layers[0].values);
    }

    // What was worked out beforehand for the finished network says so while other weights are on the screen.
    get whose() { return this.wornName ? words("learn.whose", { name: this.wornName }) : ""; }

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
      const leaving = this.state.panel !== null;
      if (!leaving && next.depth === place.depth && next.layer === place.layer && next.cell === place.cell && next.from === place.from) return;
      const moved = leaving || next.layer !== place.layer || next.depth !== place.depth;
      if (moved) this.write("replaceState");
      Object.assign(this.state, { place: next, panel: null });
      this.chosen ||= Object.keys(change).length > 0;
      this.pointed = { layer: next.layer, cell: next.cell };
      this.show();
      if (moved) this.write("pushState");
      else this.remember();
      if (leaving || next.depth !== place.depth) this.focusStage();
      this.tell(next.layer, next.cell);
    }

    // Opens a panel in place of the network; it closes as one goes anywhere else.
    openPanel(panel, change = {}) {
      if (this.state.panel === panel) return this.set(change);
      this.write("replaceState");
      Object.assign(this.state, { panel, ...change });
      this.show();
      this.write("pushState");
      this.focusStage();
    }

    // Opens a layer at a cell; lists of numbers open at their numbers.
    open(index, cell = this.interesting(index)) {
      const { from } = this.bestSource(index, cell);
      this.go({ depth: 1, layer: index, cell, from });
    }

    point(place, spoken = false) {
      this.hovered = Boolean(place) && !spoken;
      this.chosen ||= spoken;
      if (!place) {
        this.follow();
        if (!this.chosen && this.view() === this.network) this.network.link();
        return;
      }
      this.pointed = place;
      this.state.place = { ...this.state.place, ...place };
      this.network.link();
      if (spoken) this.tell(place.layer, place.cell);
    }

    back() {
      const { panel, place: { depth } } = this.state;
      if (panel) this.go({});
      else if (depth) this.go({ depth: depth - 1 });
      else if (this.state.tour !== null) this.tour.close();
    }

    // Showing

    build() {
      this.pad = new Digitscope.Pad(this);
      this.samplesView = new Digitscope.Samples(this);
      this.picture = new Digitscope.Picture(this);
      this.stepsView = new Digitscope.Steps(this, false);
      this.answer = new Digitscope.Answer(this);
      this.network = new Digitscope.Network(this);
      this.learn = new Digitscope.Learn(this);
      this.tour = new Digitscope.Tour(this);
      this.questions = new Digitscope.Questions(this);
      if (this.state.tour >= this.tour.steps.length) this.state.tour = null;
      this.spoken = make("p", { className: "unseen", "aria-live": "polite", role: "status" });
      this.stage = make("div", { className: "stage-body" });
      this.more = make("div", { className: "row more", role: "group", "aria-label": words("more.label") }, ...Object.values(this.learn.buttons), ...this.network.more());
      this.bar = new Digitscope.Bar(this);
      const rail = make("aside", { className: "rail", "aria-label": words("rail.label") },
        make("section", { className: "card draw", "aria-label": words("pad.title") }, this.pad.element, this.pad.tools, this.samplesView.element, this.picture.buttons),
        this.answer.element,
        make("section", { className: "card seen", "aria-label": words("steps.title") },
          make("button", { type: "button", className: "card-title", onclick: () => this.open(0) }, words("steps.title"), make("span", { textContent: words("steps.open") })),
          this.stepsView.element));
      document.title = words("title");
      document.body.replaceChildren(
        make("a", { className: "skip", href: "#stage", textContent: words("skip"), onclick: (event) => { event.preventDefault(); this.focusStage(); } }),
        Digitscope.topBar(this), make("div", { className: "page" }, rail,
          make("main", { className: "stage", id: "stage", tabIndex: -1 }, this.tour.element, this.questions.element, this.learn.element, this.picture.element, this.bar.element, this.stage, this.more)), this.spoken);
      this.show();
      this.draw();
      this.listen();
      this.learn.arrive();
      if (this.state.tour !== null && !location.hash.includes("map=") && !location.hash.includes("number=")) this.tour.go(this.state.tour);
    }

    // The map before or after; a list of numbers has none.
    turnMap(by) {
      const { place } = this.state;
      const layer = this.model.layers[place.layer];
      if (!isMaps(layer)) return;
      const maps = layer.shape[2];
      const map = place.cell % maps;
      this.go({ cell: place.cell - map + (map + by + maps) % maps });
    }

    // The panel that is open, if one is.
    get panel() {
      const { panel } = this.state;
      if (!panel) return null;
      if (!this.views.has(panel)) this.views.set(panel, new { why: Digitscope.Why, errors: Digitscope.Errors }[panel](this));
      return this.views.get(panel);
    }

    view() {
      const { panel, state: { place: { depth, layer: index } } } = this;
      if (panel) return panel;
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
      const { panel, place: { depth, layer } } = this.state;
      const key = panel ?? `${depth}:${layer}`;
      const view = this.view();
      if (this.shownKey !== key) {
        this.shownKey = key;
        document.body.dataset.depth = panel ?? depth;
        const focused = this.bar.element.contains(document.activeElement);
        this.bar.show();
        this.stage.replaceChildren(view.element);
        this.bar.settle(focused);
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
      this.stepsView.draw();
      this.picture.draw();
      this.answer.draw(this.outcome);
      this.learn.draw();
      this.pad.said.textContent = this.outcomeSentence();
    }

    drawStage() {
      this.view().draw();
      this.tour.draw();
      this.questions.draw();
      this.bar.draw();
    }

    // Saying

    say(text) { this.spoken.textContent = text; }

    tell(index, cell) {
      clearTimeout(this.telling);
      this.telling = setTimeout(() => this.say(this.sentence(index, cell)), 120);
    }

    focusStage() {
      const target = this.stage.querySelector('.big [role="grid"]') ?? this.stage.querySelector('[role="grid"]') ?? document.getElementById("stage");
      target.focus({ preventScroll: true });
      if (matchMedia("(max-width: 44rem)").matches) document.getElementById("stage").scrollIntoView();
    }

    // Address, keys, size, theme

    remember() {
      clearTimeout(this.remembering);
      this.remembering = setTimeout(() => this.write("replaceState"), SETTLED);
    }

    // how: pushState, for a step that the browser's back button undoes, or replaceState.
    write(how) {
      clearTimeout(this.remembering);
      const address = Digitscope.packPlace({ ...this.state, drawing: this.drawings.now }, this.model);
      if (address === location.hash) return;
      try {
        history[how](null, "", address);
      } catch (error) {
        if (error.name !== "SecurityError") throw error; // some browsers limit this for files
      }
    }

    // Back or forward in the browser's history.
    arrive() {
      const found = Digitscope.unpackPlace(location.hash, this.model);
      const drawing = this.valid(found.drawing);
      if (drawing && Digitscope.packDrawing(drawing) !== Digitscope.packDrawing(this.drawings.now)) this.drawings.push(drawing);
      const tour = found.tour < this.tour.steps.length ? found.tour : null;
      Object.assign(this.state, found, { tour, place: found.place ?? { ...this.state.place, depth: 0 } });
      this.pointed = { layer: this.state.place.layer, cell: this.state.place.cell };
      this.compute();
      this.state.place.from ??= this.bestSource(this.state.place.layer, this.state.place.cell).from;
      this.show();
      this.draw();
      this.learn.arrive();
    }

    listen() {
      addEventListener("popstate", () => this.arrive());
      addEventListener("keydown", (event) => this.key(event));
      addEventListener("resize", () => this.resized());
      addEventListener("beforeprint", () => this.forPaper(true));
      addEventListener("afterprint", () => this.forPaper(false));
      Digitscope.onTheme(() => this.draw());
      new ResizeObserver(() => this.resized()).observe(this.stage);
    }

    resized(anyway = false) {
      const { clientWidth } = this.stage;
      if (!clientWidth || !anyway && this.width === `${clientWidth}:${innerHeight}:${devicePixelRatio}`) return;
      this.width = `${clientWidth}:${innerHeight}:${devicePixelRatio}`;
      if (matchMedia("(max-width: 68rem)").matches) this.bar.element.before(this.more);
      else this.stage.after(this.more);
      this.view().fit(clientWidth);
      this.draw();
    }

    // Paper is light, and as wide as it is.
    forPaper(on) {
      if (on) this.onScreen = Digitscope.chosenTheme();
      Digitscope.setTheme(on ? "light" : this.onScreen);
      this.view().fit(on ? PAPER : this.stage.clientWidth);
      this.draw();
    }

    key(event) {
      const typing = event.target.matches?.("input, select, textarea");
      const pressed = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey;
      const menu = document.querySelector(".menu[open]");
      if (event.key === "Escape" && menu) menu.open = false;
      else if (event.key === "Escape") this.back();
      else if (typing) return;
      else if (control && pressed === "z") (event.shiftKey ? this.redo() : this.undo());
      else if (control && pressed === "y") this.redo();
      else if (!control && (pressed === "[" || pressed === "]") && this.state.place.depth) this.turnMap(pressed === "[" ? -1 : 1);
      else return;
      event.preventDefault();
    }

    turn() {
      Digitscope.setTheme(Digitscope.theme() === "dark" ? "light" : "dark");
      Digitscope.keepTheme();
      this.draw();
    }

    async copyLink() {
      this.write("replaceState");
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
    const language = Digitscope.language();
    document.documentElement.lang = language;
    Digitscope.setStrings(await Digitscope.json(`strings.${language}.json`), language);
    window.name = "digitscope-page"; // the report's links find this tab again
    document.body.append(make("p", { className: "noscript", role: "status", textContent: words("waiting") }));
    const app = new App(await Digitscope.json("model.json"));
    app.build();
    Digitscope.app = app;
  };

  start().catch((error) => {
    document.body.replaceChildren(make("p", { className: "noscript", textContent: `${error.message || error}` }));
    throw error;
  });
})();
