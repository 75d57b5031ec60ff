// What the page remembers for the next visit: a text under a name of its own.
//
//   Digitscope.kept(name) -> text | null; Digitscope.keep(name, text)
//
// Some browsers keep nothing for files opened from disk: then everything is as on the first visit.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const KEY = "digitscope-";

  const stored = (act) => {
    try {
      return act(localStorage);
    } catch (error) {
      if (error.name !== "SecurityError" && error.name !== "QuotaExceededError") throw error;
      return null;
    }
  };

  const kept = (name) => stored((all) => all.getItem(KEY + name));
  const keep = (name, text) => stored((all) => all.setItem(KEY + name, text));

  Object.assign(Digitscope, { kept, keep });
})();
