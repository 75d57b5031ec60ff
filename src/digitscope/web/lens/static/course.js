// How a network came to be: its weights at some steps of its training, and the loss of every step. It shows nothing.
//
//   await Digitscope.openCourse(json) -> {count, steps, losses, every, labelOf(stage), weightsOf(stage), placeOf(step), nameOf(stage), stageOf(name)}
//     stage: 0..count, the last being the finished network, whose weights are null here; steps: of the whole fit
//     nameOf: a stage as an address has it, its step or "finished"; stageOf: the stage of that name, the first if there is none
//     losses: Float32Array, each the mean over `every` steps; placeOf: 0..count, between the stages as a step is
//
// web/lens/stages.py tells how the weights are packed.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { words, count: written } = Digitscope;

  const FINISHED = "finished";

  const openCourse = async ({ stages, sizes, scales, weights, losses, every, steps }) => {
    const changes = new Int8Array((await Digitscope.unpacked(weights)).buffer);
    const n = sizes.reduce((sum, size) => sum + size, 0);
    const last = stages.length;
    const numbered = typeof stages[0] === "number" && steps > 0;

    const weightsOf = (stage) => {
      if (stage >= last) return null;
      const levels = new Int8Array(n); // adding wraps round at 256, as the changes do
      for (let k = 0; k <= stage; k++) for (let i = 0, from = k * n; i < n; i++) levels[i] += changes[from + i];
      const values = new Float32Array(n);
      let at = 0;
      sizes.forEach((size, part) => { for (const end = at + size; at < end; at++) values[at] = levels[at] * scales[part]; });
      return values;
    };

    const labelOf = (stage) => {
      if (stage >= last) return words("learn.finished");
      if (stages[stage] === 0) return words("learn.untrained");
      return numbered ? words("learn.after", { steps: written(stages[stage]) }) : `${stages[stage]}`;
    };

    const nameOf = (stage) => (stage >= last ? FINISHED : `${stages[stage]}`);
    const stageOf = (name) => (name === FINISHED ? last : Math.max(0, stages.findIndex((stage) => `${stage}` === name)));
    const placeOf = (step) => {
      const ends = [...stages, steps];
      const stage = Math.max(0, ends.findIndex((end) => end >= step) - 1);
      return stage + (step - ends[stage]) / (ends[stage + 1] - ends[stage]);
    };

    return { count: last, steps, losses: numbered ? Digitscope.halves(losses) : new Float32Array(0), every, labelOf, weightsOf, placeOf, nameOf, stageOf };
  };

  Digitscope.openCourse = openCourse;
})();
