// "Predict, then look": one question after the other, a guess, and then what the network itself says. It stands over the
// lower edge of the page, as the tour does, and moves nothing. predictions.js has the questions.
//
//   new Digitscope.Questions(app) -> {element, button, open(), close(), draw()}   button: opens it; draw: after every answer of
//     the network

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words } = Digitscope;
  const KEPT = "questions"; // the guesses, id -> which choice

  const remembered = () => {
    try {
      return { ...JSON.parse(Digitscope.kept(KEPT) ?? "{}") };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return {};
    }
  };

  class Questions {
    constructor(app) {
      Object.assign(this, { app, all: Digitscope.predictions(app), guesses: remembered(), at: 0, made: null });
      const plain = (key, act) => make("button", { type: "button", className: "plain", textContent: words(key), onclick: act });
      this.button = make("button", { type: "button", className: "plain ask", title: words("questions.open.what"), textContent: words("questions.open"), onclick: () => this.open() });
      this.title = make("h2", { tabIndex: -1 });
      this.dots = make("ol", { className: "dots" }, ...this.all.map((_, i) => make("li", {}, make("button", { type: "button", onclick: () => this.go(i) }))));
      this.text = make("p", { className: "question-text" });
      this.choices = make("div", { className: "question-choices", role: "group", "aria-label": words("questions.choices") });
      this.verdict = make("p", { className: "question-verdict", "aria-live": "polite" });
      this.show = plain("questions.show", () => this.look());
      this.again = plain("questions.again", () => this.guess(null));
      this.back = plain("tour.back", () => this.go(this.at - 1));
      this.next = make("button", { type: "button", className: "main", onclick: () => (this.at === this.all.length - 1 ? this.close() : this.go(this.at + 1)) });
      this.element = make("section", { className: "questions", hidden: true, "aria-label": words("questions.label"), onkeydown: (event) => this.key(event) },
        make("div", {}, this.title, this.dots),
        make("div", { className: "question-body" }, this.text, this.choices, this.verdict, make("div", { className: "row" }, this.show, this.again)),
        make("div", { className: "question-buttons" }, this.back, this.next, plain("questions.close", () => this.close())));
    }

    get question() { return this.all[this.at]; }

    // The first that has no answer yet.
    open() {
      if (this.app.state.tour !== null) this.app.tour.close();
      this.element.hidden = false;
      document.body.classList.add("asking");
      this.go(Math.max(0, this.all.findIndex(({ id }) => !(id in this.guesses))));
    }

    close() {
      this.element.hidden = true;
      document.body.classList.remove("asking");
      this.button.focus({ preventScroll: true });
    }

    key(event) {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    }

    go(at) {
      Object.assign(this, { at, of: null, made: null });
      this.draw();
      this.title.focus();
    }

    guess(which) {
      const { id } = this.question;
      if (which === null) delete this.guesses[id];
      else this.guesses[id] = which;
      Digitscope.keep(KEPT, JSON.stringify(this.guesses));
      this.tell();
      (which === null ? this.choices.firstChild : this.show).focus();
    }

    // What is shown may put something else on the pad: the question stays about what was there.
    look() {
      this.found.show();
      this.made = this.app.drawing;
    }

    draw() {
      const { app } = this;
      if (this.element.hidden || this.made === app.drawing) return;
      if (app.state.tour !== null) return this.close();
      if (this.of === app.run) return;
      const { own, look } = this.question;
      this.of = app.run;
      this.found = own && (app.outcome.blank || app.outcome.refused) ? null : look();
      this.tell();
    }

    tell() {
      const { all, at, found, guesses, question: { id } } = this;
      const guess = guesses[id] ?? null, known = found && guess !== null;
      this.title.textContent = `${at + 1}. ${words(`question.${id}.title`)}`;
      [...this.dots.children].forEach(({ firstChild: dot }, i) => {
        const answered = all[i].id in guesses;
        dot.classList.toggle("answered", answered);
        dot.setAttribute("aria-label", words(answered ? "questions.one.answered" : "questions.one", { n: i + 1 }));
        dot.toggleAttribute("aria-current", i === at);
      });
      this.text.textContent = found ? words(`question.${id}.text`, found.values) : words("questions.first");
      this.choices.replaceChildren(...(found?.choices ?? []).map((text, i) => make("button", {
        type: "button", className: `plain${known && i === found.right ? " right" : ""}`, disabled: known, "aria-pressed": `${i === guess}`, onclick: () => this.guess(i),
      }, known && i === found.right ? `\u2713 ${text}` : known && i === guess ? `\u2717 ${text}` : text)));
      this.verdict.textContent = known ? `${words(guess === found.right ? "questions.right" : "questions.wrong")} ${words(`question.${id}.why`, found.values)}` : "";
      this.show.hidden = this.again.hidden = !known;
      this.back.disabled = at === 0;
      this.next.textContent = words(at === all.length - 1 ? "tour.end" : "tour.next");
    }
  }

  Digitscope.Questions = Questions;
})();
