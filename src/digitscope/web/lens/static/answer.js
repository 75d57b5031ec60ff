// The answer: a digit, how sure the network is, or that it knows no such digit. It shows what main.js gives it.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, percent } = Digitscope;

  class Answer {
    constructor() {
      this.digit = make("p", { className: "answer-digit" });
      this.sure = make("p", { className: "answer-sure" });
      this.next = make("p", { className: "answer-next" });
      this.bars = Array.from({ length: 10 }, (_, digit) => {
        const bar = make("i");
        const share = make("span", { className: "share" });
        return { bar, share, item: make("li", {}, share, make("span", { className: "well" }, bar), make("b", { textContent: digit })) };
      });
      this.element = make("section", { className: "card answer", "aria-label": words("answer.label") },
        make("div", { className: "answer-head" }, this.digit, make("div", {}, this.sure, this.next)),
        make("ol", { className: "tenths" }, ...this.bars.map(({ item }) => item)));
    }

    draw({ answer, runnerUp, probabilities, refused, blank }) {
      this.element.classList.toggle("refused", refused || blank);
      this.digit.textContent = blank ? "\u2013" : refused ? "?" : answer;
      this.sure.textContent = blank ? words("answer.blank") : refused ? words("answer.refused")
        : words("answer.sure", { share: percent(probabilities[answer]) });
      this.next.textContent = blank ? words("answer.draw") : refused ? words("answer.nearest", { digit: answer })
        : words("answer.next", { digit: runnerUp, share: percent(probabilities[runnerUp]) });
      this.bars.forEach(({ bar, share, item }, digit) => {
        bar.style.height = `${100 * probabilities[digit]}%`;
        share.textContent = probabilities[digit] >= 0.005 ? `${Math.min(99, Math.round(100 * probabilities[digit]))}` : "";
        item.setAttribute("aria-label", `${digit}: ${percent(probabilities[digit])}`);
        item.classList.toggle("best", digit === answer && !blank);
      });
    }
  }

  Digitscope.Answer = Answer;
})();
