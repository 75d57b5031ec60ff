// How the network came to be, over the stage: its training replayed, trained anew in the page, or beside another network.
//
//   new Digitscope.Learn(app) -> {element, buttons, draw()}   buttons: name -> what opens and closes each part, to be put anywhere
//     draw: after every answer of the network on the screen

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words } = Digitscope;
  const BY_ITSELF = ["replay", "train"]; // only one of them decides which weights are on the screen

  class Learn {
    constructor(app) {
      this.app = app;
      const wear = (weights, name) => app.wear(weights, name);
      this.parts = { replay: new Digitscope.Replay(app, wear), train: new Digitscope.Training(app, wear), beside: new Digitscope.Beside(app) };
      this.buttons = Object.fromEntries(Object.keys(this.parts).map((name) => [name, make("button", {
        type: "button", className: "plain", textContent: words(`learn.${name}`), "aria-expanded": "false", "aria-controls": `learn-${name}`, onclick: () => this.toggle(name),
      })]));
      this.bodies = Object.fromEntries(Object.entries(this.parts).map(([name, { element }]) => [name,
        make("section", { id: `learn-${name}`, className: "learn-body card", hidden: true, tabIndex: -1, "aria-label": words(`learn.${name}`) },
          make("button", { type: "button", className: "plain learn-close", textContent: "\u00d7", title: words("learn.close"), "aria-label": words("learn.close"), onclick: () => this.close(name) }), element)]));
      this.filters = this.filtersOf(app.model);
      this.onScreen = make("p", { className: "on-screen" });
      this.element = make("div", { className: "learn", role: "group", "aria-label": words("learn.label") }, this.onScreen, ...Object.values(this.bodies));
    }

    // The filters of a convolution that looks at the picture itself: small enough to watch all of them change.
    filtersOf({ layers }) {
      const first = layers.find(({ kind, kernelShape }) => kind === "conv2d" && kernelShape[2] === 1);
      if (!first) return null;
      const [height, width, , filters] = first.kernelShape;
      const label = words("learn.filters", { n: filters, layer: Digitscope.nameOf(first) });
      const atlas = new Digitscope.Atlas({ layer: { shape: [height, width, filters] }, columns: Math.min(8, filters), scale: 6, passive: true, label });
      const element = make("figure", { className: "learn-filters" }, make("figcaption", { className: "map-name", textContent: label }), atlas.element);
      return { layer: first, atlas, element };
    }

    isOpen(name) { return !this.bodies[name].hidden; }

    toggle(name) {
      const opening = !this.isOpen(name);
      if (BY_ITSELF.includes(name)) {
        BY_ITSELF.filter((one) => this.isOpen(one)).forEach((one) => this.fold(one));
        this.app.wear(null);
      } else if (!opening) this.fold(name);
      if (opening) this.unfold(name);
      this.app.resized(true);
    }

    // A stage of the training in the address opens the replay there; an address without one closes it.
    arrive() {
      const { stage } = this.app.state, open = this.isOpen("replay");
      if (open !== (stage !== null)) this.toggle("replay");
      else if (open) this.parts.replay.open();
    }

    close(name) {
      this.toggle(name);
      this.buttons[name].focus({ preventScroll: true });
    }

    fold(name) {
      this.bodies[name].hidden = true;
      this.buttons[name].setAttribute("aria-expanded", "false");
      this.parts[name].close();
    }

    unfold(name) {
      this.bodies[name].hidden = false;
      this.buttons[name].setAttribute("aria-expanded", "true");
      if (BY_ITSELF.includes(name) && this.filters) this.bodies[name].append(this.filters.element);
      this.parts[name].open();
      this.draw();
      this.bodies[name].focus({ preventScroll: true });
      this.bodies[name].scrollIntoView({ block: "nearest" });
    }

    draw() {
      const { wornName } = this.app;
      this.onScreen.textContent = wornName ? words("learn.onscreen", { name: wornName }) : "";
      if (this.filters && BY_ITSELF.some((one) => this.isOpen(one))) {
        const { layer, atlas } = this.filters;
        atlas.paint(layer.kernel, new Float32Array(layer.kernelShape[3]).fill(layer.kernel.reduce((most, one) => Math.max(most, Math.abs(one)), 0)));
      }
      this.parts.beside.draw();
    }
  }

  Digitscope.Learn = Learn;
})();
