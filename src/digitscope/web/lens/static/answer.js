// The answer: a digit, how sure the network is, or that it knows no such digit. It shows what main.js gives it.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, percent } = Digitscope;

  // Without the sign, for the space over a bar; nothing but certainty is 100.
  const wholePercent = (part) => (part > 0.99 && part < 1 ? ">99" : `${Math.round(100 * part)}`);

  class Answer {
    constructor(app) {
      this.digit = make("p", { className: "answer-digit" });
      this.sure = make("p", { className: "answer-sure" });
      this.next = make("p", { className: "answer-next" });
      this.verdict = make("p", { className: "answer-verdict" });
      this.why = make("button", { type: "button", className: "plain answer-why", onclick: () => app.openPanel("why", { against: this.against }) });
      this.bars = Array.from({ length: 10 }, (_, digit) => {
        const bar = make("i");
        const share = make("span", { className: "share" });
        return { bar, share, item: make("li", {}, share, make("span", { className: "well" }, bar), make("b", { textContent: digit })) };
      });
      this.element = make("section", { className: "card answer", "aria-label": words("answer.label") },
        make("div", { className: "answer-head" }, this.digit, make("div", {}, this.sure, this.next)), this.verdict,
        make("ol", { className: "tenths" }, ...this.bars.map(({ item }) => item)), this.why);
    }

    draw(outcome) {
      const { answer, runnerUp, probabilities, refused, blank, reason, label } = outcome;
      const misread = !refused && !blank && label !== null && label !== answer;
      this.element.classList.toggle("refused", refused || blank);
      this.element.classList.toggle("misread", misread);
      this.verdict.textContent = misread ? `\u2717 ${words("answer.misread", { label, digit: answer })}` : "";
      this.against = misread ? label : null;
      this.why.hidden = blank;
      this.why.textContent = words(refused ? "why.open.refused" : "why.open", { digit: answer, other: this.against ?? runnerUp });
      this.digit.textContent = blank ? "\u2013" : refused ? "?" : answer;
      this.sure.textContent = blank ? words("answer.blank") : refused ? words("answer.refused")
        : words("answer.sure", { share: percent(probabilities[answer]) });
      this.next.textContent = blank ? words("answer.draw") : refused ? words(`answer.because.${reason}`, outcome)
        : words("answer.next", { digit: runnerUp, share: percent(probabilities[runnerUp]) });
      this.bars.forEach(({ bar, share, item }, digit) => {
        bar.style.height = `${refused || blank ? 0 : 100 * probabilities[digit]}%`;
        share.textContent = refused || blank || probabilities[digit] < 0.005 ? "" : wholePercent(probabilities[digit]);
        item.setAttribute("aria-label", refused || blank ? `${digit}` : `${digit}: ${percent(probabilities[digit])}`);
        item.classList.toggle("best", digit === answer && !blank && !refused);
      });
    }
  }

  Digitscope.Answer = Answer;
})();
