// What is drawn: strokes, a test image, or pixels that were typed in. It keeps every state for undo, and draws nothing.
//
//   a drawing is {strokes: [...]} | {sample: index} | {pixels: Uint8Array(784)} and never changes; pixels from a photo have a
//     `photo` beside them, see picture.js, which the address leaves out
//   Digitscope.Drawings(first) -> {now, push(drawing), undo(), redo(), canUndo, canRedo}
//   Digitscope.fieldOf(drawing, samples, options) -> {field, steps}   steps: what Digitscope.raster or fieldOfInk gives, else null
//   Digitscope.overlaid(field, stroke) -> Uint8Array(784)   a field with the stroke over it or, if it erases, off it
//   Digitscope.packDrawing(drawing) -> string, unpackDrawing(string) -> drawing | null   for the address of the page

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const KEPT = 200;

  class Drawings {
    constructor(first) {
      this.all = [first];
      this.at = 0;
    }

    get now() { return this.all[this.at]; }
    get canUndo() { return this.at > 0; }
    get canRedo() { return this.at < this.all.length - 1; }

    push(drawing) {
      this.all = [...this.all.slice(0, this.at + 1), drawing].slice(-KEPT);
      this.at = this.all.length - 1;
    }

    undo() { this.at = Math.max(0, this.at - 1); }
    redo() { this.at = Math.min(this.all.length - 1, this.at + 1); }
  }

  const scaled = (pixels) => Float32Array.from(pixels, (pixel) => pixel / 255);

  const fieldOf = (drawing, samples, options) => {
    if (drawing.photo) {
      const steps = Digitscope.fieldOfInk(drawing.photo, options);
      return { field: steps.field, steps };
    }
    if (drawing.pixels) return { field: scaled(drawing.pixels), steps: null };
    if ("sample" in drawing) return { field: scaled(samples.get(drawing.sample).bytes), steps: null };
    const steps = Digitscope.raster(drawing.strokes, options);
    return { field: steps.field, steps };
  };

  const overlaid = (field, { points, width, erase }) => {
    const { field: stroke } = Digitscope.raster([{ points, width, erase: false }], { fit: false });
    return Uint8Array.from(field, (ink, i) => Math.round(255 * (erase ? Math.min(ink, 1 - stroke[i]) : Math.max(ink, stroke[i]))));
  };

  // Numbers as bytes: seven bits each, the eighth says that more follow; signs go into the lowest bit.

  const write = (bytes, value) => {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest > 127) {
      bytes.push(128 | rest & 127);
      rest >>>= 7;
    }
    bytes.push(rest);
  };

  const reader = (bytes) => {
    let at = 0;
    return {
      more: () => at < bytes.length,
      next: () => {
        let value = 0, shift = 0, byte;
        do {
          if (at >= bytes.length || shift > 28) throw new RangeError("the drawing ends too early");
          byte = bytes[at++];
          value |= (byte & 127) << shift;
          shift += 7;
        } while (byte & 128);
        return value & 1 ? -(value + 1) / 2 : value / 2;
      },
    };
  };

  const toText = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

  const packStrokes = (strokes) => {
    const bytes = [];
    for (const { points, width, erase } of strokes) {
      write(bytes, points.length / 2);
      write(bytes, erase ? -width : width);
      points.forEach((value, i) => write(bytes, value - (i < 2 ? 0 : points[i - 2])));
    }
    return bytes;
  };

  const unpackStrokes = (bytes) => {
    const source = reader(bytes), strokes = [];
    while (source.more()) {
      const length = source.next(), width = source.next();
      if (length < 1 || Math.abs(width) > 100) throw new RangeError("no stroke");
      const points = [];
      for (let i = 0; i < 2 * length; i++) points.push(source.next() + (i < 2 ? 0 : points[i - 2]));
      strokes.push({ points, width: Math.abs(width), erase: width < 0 });
    }
    return strokes;
  };

  const packPixels = (pixels) => {
    const bytes = [];
    for (let i = 0; i < pixels.length;) {
      let run = 1;
      while (i + run < pixels.length && pixels[i + run] === pixels[i]) run++;
      write(bytes, run);
      write(bytes, pixels[i]);
      i += run;
    }
    return bytes;
  };

  const unpackPixels = (bytes) => {
    const source = reader(bytes), pixels = new Uint8Array(784);
    for (let at = 0; source.more();) {
      const run = source.next();
      if (run < 1 || at + run > 784) throw new RangeError("no picture of 28 x 28");
      pixels.fill(source.next(), at, at + run);
      at += run;
    }
    return pixels;
  };

  const packDrawing = (drawing) => {
    if ("sample" in drawing) return `t${drawing.sample}`;
    return drawing.pixels ? `p${toText(packPixels(drawing.pixels))}` : `s${toText(packStrokes(drawing.strokes))}`;
  };

  // The text may come from anywhere; what is no drawing is null.
  const unpackDrawing = (text) => {
    try {
      if (/^t\d+$/.test(text)) return { sample: Number(text.slice(1)) };
      if (text[0] === "p") return { pixels: unpackPixels(toBytes(text.slice(1))) };
      if (text[0] === "s") return { strokes: unpackStrokes(toBytes(text.slice(1))) };
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof DOMException)) throw error;
    }
    return null;
  };

  Object.assign(Digitscope, { Drawings, fieldOf, overlaid, packDrawing, unpackDrawing });
})();
