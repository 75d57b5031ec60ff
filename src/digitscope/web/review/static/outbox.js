// Answers on their way to the service: sent one after the other, and again until the service has taken each. No elements.
//
//   Digitscope.newId() -> text
//   Digitscope.outbox({ ask, taken, refused, changed }) -> { put(act), retry(), acts }
//     ask(act) -> Promise of the answer; it throws { status, detail } for an error of the service, anything else if it is gone
//     taken(act, answer), refused(act, detail), changed(problem)   problem: null | { status, detail }
//
// Acts that were not taken outlive a reload of the page. Each has an id by which the service takes it once.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const KEY = "digitscope-review-outbox", PAUSE = 1500;
  const MAY_PASS = [401, 403, 404, 408, 421, 429]; // it is about the service or what is before it, not about the answer

  // Without randomUUID, which browsers have on https and on this machine only.
  const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  const isFinal = ({ status }) => status >= 400 && status < 500 && !MAY_PASS.includes(status);

  const outbox = ({ ask, taken, refused, changed }) => {
    const acts = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    const store = () => sessionStorage.setItem(KEY, JSON.stringify(acts));
    let running = false, timer = 0;

    const settle = (done) => {
      const act = acts.shift();
      store();
      changed(null);
      done(act);
    };

    const run = async () => {
      if (running) return;
      running = true;
      clearTimeout(timer);
      while (acts.length) {
        try {
          const answer = await ask(acts[0]);
          settle((act) => taken(act, answer));
        } catch (error) {
          if (isFinal(error)) {
            settle((act) => refused(act, error.detail));
            continue;
          }
          changed(error);
          if (error.status !== 401) timer = setTimeout(run, PAUSE);
          break;
        }
      }
      running = false;
    };

    const put = (act) => {
      acts.push({ id: newId(), ...act });
      store();
      run();
    };

    return { put, retry: run, acts };
  };

  Object.assign(Digitscope, { newId, outbox });
})();
