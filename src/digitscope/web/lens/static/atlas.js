// All maps of a layer in one picture, one pixel per cell, that mouse and keyboard can walk map by map.
//
//   new Digitscope.Atlas({layer, columns, scale, label, describe, move, open, point})
//     layer.shape: [height, width, maps], or [n]: n maps of one cell
//   atlas.paint(values, limits, kind): one ImageData; limits[map] is full colour; a map that is 0 everywhere is struck out
//   atlas.rectOf(cell) -> [x, y, width, height] in CSS pixels from the canvas' corner; mark(cell): the frame round its map

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make } = Digitscope;

  class Atlas extends Digitscope.Walk {
    constructor({ layer, columns, scale, ...options }) {
      const [height, width, maps] = layer.shape.length === 3 ? layer.shape : [1, 1, layer.shape[0]];
      super({ ...options, rows: Math.ceil(maps / columns), columns }, make("canvas", { className: "atlas" }));
      Object.assign(this, { height, width, maps, gap: height > 1 && maps > 1 ? 1 : 0 });
      this.canvas.width = columns * (width + this.gap) - this.gap;
      this.canvas.height = this.rows * (height + this.gap) - this.gap;
      this.brush = this.canvas.getContext("2d");
      this.image = this.brush.createImageData(this.canvas.width, this.canvas.height);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.frame = make("span", { className: "frame" });
      this.element.append(this.frame);
      this.resize(scale);
      this.canvas.addEventListener("pointermove", (event) => this.point?.(this.under(event)));
      this.canvas.addEventListener("pointerleave", () => this.point?.(null));
      this.canvas.addEventListener("click", (event) => {
        const cell = this.under(event);
        if (cell !== null) this.press(cell);
      });
    }

    resize(scale) {
      this.scale = scale;
      this.canvas.style.width = `${this.canvas.width * scale}px`;
      this.canvas.style.height = `${this.canvas.height * scale}px`;
    }

    corner(map) {
      return [map % this.columns * (this.width + this.gap), Math.floor(map / this.columns) * (this.height + this.gap)];
    }

    rectOf(cell, rows = 1, columns = 1) {
      const map = cell % this.maps, place = Math.floor(cell / this.maps);
      const [x, y] = this.corner(map);
      return [x + place % this.width, y + Math.floor(place / this.width), columns, rows].map((side) => side * this.scale);
    }

    // Which cell is under the pointer; in a gap, the nearest of the map before it.
    under(event) {
      const box = this.canvas.getBoundingClientRect();
      const x = Math.floor((event.clientX - box.left) / box.width * this.canvas.width);
      const y = Math.floor((event.clientY - box.top) / box.height * this.canvas.height);
      const [column, row] = [Math.floor(x / (this.width + this.gap)), Math.floor(y / (this.height + this.gap))];
      const map = row * this.columns + column;
      if (x < 0 || y < 0 || column >= this.columns || map >= this.maps) return null;
      const inside = [y - row * (this.height + this.gap), x - column * (this.width + this.gap)];
      const place = Math.min(inside[0], this.height - 1) * this.width + Math.min(inside[1], this.width - 1);
      return place * this.maps + map;
    }

    mark(cell) {
      const map = cell % this.maps;
      const [x, y] = this.corner(map);
      const { style } = this.frame;
      style.left = `${x * this.scale}px`;
      style.top = `${y * this.scale}px`;
      style.width = `${this.width * this.scale}px`;
      style.height = `${this.height * this.scale}px`;
      this.stand(Math.floor(map / this.columns), map % this.columns);
    }

    paint(values, limits, kind = "signed") {
      const { width, height, maps, pixels } = this;
      const { signed, grey } = Digitscope.colours();
      const line = this.canvas.width;
      for (let map = 0; map < maps; map++) {
        const [left, top] = this.corner(map);
        const scale = limits[map] ? 255 / limits[map] : 0;
        let from = map;
        for (let y = 0; y < height; y++) {
          let to = (top + y) * line + left;
          for (let x = 0; x < width; x++, from += maps) {
            const part = values[from] * scale;
            pixels[to++] = kind === "grey" ? grey[part + 0.5 | 0] : signed[part > 255 ? 510 : part < -255 ? 0 : 255.5 + part | 0];
          }
        }
      }
      this.brush.putImageData(this.image, 0, 0);
      this.tell();
    }

    // A line through every map in which nothing happens, so that it does not pass for a faint one.
    strike(dead) {
      if (!this.gap) return;
      this.brush.strokeStyle = Digitscope.theme() === "dark" ? "#6b727b" : "#a9a397";
      this.brush.lineWidth = Math.max(0.6, 1 / this.scale);
      this.brush.beginPath();
      dead.forEach((map) => {
        const [x, y] = this.corner(map);
        this.brush.moveTo(x + this.width * 0.3, y + this.height * 0.7);
        this.brush.lineTo(x + this.width * 0.7, y + this.height * 0.3);
      });
      this.brush.stroke();
    }
  }

  Digitscope.Atlas = Atlas;
})();
