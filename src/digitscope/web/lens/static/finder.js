// Looks for the digits in a picture beside the page, so that one can go on drawing and change one's mind. It holds no arithmetic.
//
//   Digitscope.Finder() -> {find(image) -> Promise<what Digitscope.findInk gives | null>, cancel()}
//     find: one picture at a time; one that is cancelled, or that another follows, resolves to null
//
// As in worker.js, the same file is loaded in the page and in the worker, and the page works by itself where there is no worker.

"use strict";

globalThis.Digitscope ??= {};

if (typeof document === "undefined") {
  if (!Digitscope.findInk) importScripts("plane.js", "ink.js");
  addEventListener("message", ({ data }) => postMessage(Digitscope.findInk(data)));
} else {
  Digitscope.Finder = function () {
    const hire = Digitscope.workerFrom(["plane.js", "ink.js", "finder.js"]);
    let worker = null, open = null;

    const finish = (answer) => {
      const { resolve } = open ?? {};
      open = null;
      resolve?.(answer);
    };
    const alone = () => {
      const mine = open;
      setTimeout(() => { if (mine && mine === open) finish(Digitscope.findInk(mine.image)); });
    };
    const cancel = () => {
      if (!open) return;
      worker?.terminate();
      worker = null;
      finish(null);
    };
    return {
      cancel,
      find: (image) => new Promise((resolve) => {
        cancel();
        open = { image, resolve };
        try {
          if (!worker) {
            worker = hire();
            worker.addEventListener("message", ({ data }) => finish(data));
            worker.addEventListener("error", (event) => { event.preventDefault(); alone(); });
          }
          worker.postMessage({ width: image.width, height: image.height, data: image.data });
        } catch {
          alone();
        }
      }),
    };
  };
}
