// Digits from a picture: a file, the clipboard, something dropped on the page, the camera. Each opens in the lens.
//
//   new Digitscope.Picture(app) -> {element, buttons, open(file), draw()}
//     element: the picture and the digits found in it, hidden until there is one; buttons: to choose a file, to use the camera
//   Digitscope.pictureOf(source, width, height) -> ImageData, reduced to LONGEST
//
// A digit becomes the drawing {pixels, photo: {digit, whole, image, from}}; ink.js finds it and field.js makes its field.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, percent, count } = Digitscope;
  const LONGEST = 480; // pixels of the longer side in which ink is looked for: enough for a line of digits, and soon done
  const LARGEST = 100_000_000; // pixels of the largest picture that is taken, as digitscope/io/pixels.py has it
  const SHOWN = 24; // digits of one picture
  const SHOWN_HIGH = 150; // CSS pixels of the picture on the page

  const canvasOf = (width, height) => {
    const canvas = make("canvas", { width, height });
    return { canvas, brush: canvas.getContext("2d", { willReadFrequently: true }) };
  };

  // What is transparent is white paper.
  const pictureOf = (source, width, height) => {
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    const [wide, high] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
    const { brush } = canvasOf(wide, high);
    brush.imageSmoothingQuality = "high";
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, wide, high);
    brush.drawImage(source, 0, 0, wide, high);
    return brush.getImageData(0, 0, wide, high);
  };

  // The picture in a file as ImageData, or an error of one sentence.
  const decoded = async (file) => {
    const address = URL.createObjectURL(file);
    try {
      const image = new Image();
      image.src = address;
      await new Promise((resolve, reject) => { image.onload = resolve; image.onerror = () => reject(new Error(words("picture.broken", { name: file.name }))); });
      const { naturalWidth: width, naturalHeight: height } = image;
      if (width * height > LARGEST) throw new Error(words("picture.huge", { width: count(width), height: count(height), most: count(LARGEST / 1e6) }));
      if (!width || !height) throw new Error(words("picture.broken", { name: file.name }));
      return pictureOf(image, width, height);
    } finally {
      URL.revokeObjectURL(address);
    }
  };

  class Picture {
    constructor(app) {
      Object.assign(this, { app, finder: Digitscope.Finder(), turn: 0 });
      this.file = make("input", { type: "file", accept: "image/*", hidden: true, tabIndex: -1, "aria-label": words("picture.open"), onchange: () => this.chosen() });
      const button = (key, act) => make("button", { type: "button", className: "plain", textContent: words(`picture.${key}`), title: words(`picture.${key}.what`), onclick: act });
      this.buttons = make("div", { className: "row picture-buttons" }, this.file,
        button("open", () => this.file.click()), button("camera", () => this.camera()));
      this.title = make("h2");
      this.body = make("div", { className: "picture-body" });
      this.element = make("section", { className: "card picture", hidden: true, "aria-label": words("picture.label") },
        make("div", { className: "picture-head" }, this.title,
          this.closing = make("button", { type: "button", className: "plain", onclick: () => this.close() })),
        this.body);
      this.items = [];
      this.listen();
    }

    listen() {
      addEventListener("paste", (event) => {
        if (event.target.matches?.("input, textarea")) return;
        const [file] = event.clipboardData?.files ?? [];
        if (file) this.open(file);
      });
      const over = (on) => document.body.classList.toggle("dropping", on);
      addEventListener("dragover", (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        over(true);
      });
      addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
      addEventListener("drop", (event) => {
        over(false);
        const [file] = event.dataTransfer?.files ?? [];
        if (!file) return;
        event.preventDefault();
        this.open(file);
      });
    }

    chosen() {
      const [file] = this.file.files;
      this.file.value = "";
      if (file) this.open(file);
    }

    async open(file) {
      const turn = this.begin();
      try {
        const image = await decoded(file);
        if (turn === this.turn) await this.read(image, turn);
      } catch (error) {
        if (turn === this.turn) this.tell(error.message);
      }
    }

    // From now on the panel says that it works, and its button cancels; what was begun before is of no interest any more.
    begin() {
      this.finder.cancel();
      this.items = [];
      this.tell(words("picture.reading"));
      this.body.replaceChildren(make("progress", { "aria-label": words("picture.reading") }));
      this.settle(true);
      return ++this.turn;
    }

    settle(busy) {
      this.element.setAttribute("aria-busy", busy);
      this.closing.textContent = words(busy ? "picture.cancel" : "picture.close");
    }

    // Closes the panel, or cancels what it is at.
    close() {
      if (this.element.getAttribute("aria-busy") === "true") this.app.say(words("picture.cancelled"));
      this.turn++;
      this.finder.cancel();
      this.element.hidden = true;
      this.buttons.querySelector("button").focus({ preventScroll: true });
    }

    // A picture without digits, or none at all: one sentence.
    tell(sentence) {
      this.items = [];
      this.title.textContent = sentence;
      this.body.replaceChildren();
      this.settle(false);
      this.show();
      this.app.say(sentence);
    }

    show() {
      this.element.hidden = false;
      if (matchMedia("(max-width: 68rem)").matches) this.element.scrollIntoView({ block: "nearest" });
    }

    async read(image, turn = this.begin()) {
      const found = await this.finder.find(image);
      if (!found) return;
      const { ink, digits } = found;
      if (!digits.length) {
        this.tell(words("picture.blank"));
        return;
      }
      const shown = digits.slice(0, SHOWN), items = [];
      for (const [i, digit] of shown.entries()) {
        await new Promise((next) => setTimeout(next)); // the network takes some milliseconds for each: the pen goes first
        if (turn !== this.turn) return;
        items.push(this.item({ digit, whole: ink, image, from: shown.length }, i));
      }
      this.items = items;
      this.settle(false);
      const more = digits.length > SHOWN ? words("picture.more", { n: SHOWN, all: digits.length }) : "";
      this.title.textContent = digits.length === 1 ? words("picture.one") : words("picture.many", { n: digits.length }) + more;
      this.body.replaceChildren(photo(image, shown), make("ol", { className: "found" }, ...this.items.map(({ element }) => element)),
        make("p", { className: "note", textContent: words("picture.limits") }));
      this.show();
      this.app.keep(this.items[0].drawing);
      this.app.say(this.title.textContent);
    }

    // A digit that was found: its field, the answer, and the way into the lens.
    item(photo, i) {
      const { app } = this;
      const { field } = Digitscope.fieldOfInk(photo);
      const { probabilities, refused } = Digitscope.run(app.model, field);
      const answer = Digitscope.strongest(probabilities), text = refused ? "?" : `${answer}`;
      const drawing = { pixels: Uint8Array.from(field, (ink) => Math.round(255 * ink)), photo };
      const share = refused ? words("picture.refused") : percent(probabilities[answer]);
      const small = canvasOf(28, 28);
      const pixels = small.brush.createImageData(28, 28);
      new Uint32Array(pixels.data.buffer).set(Array.from(drawing.pixels, (level) => Digitscope.colours().grey[level]));
      small.brush.putImageData(pixels, 0, 0);
      const button = make("button", { type: "button", "aria-label": words("picture.digit", { n: i + 1, text, share }), onclick: () => app.keep(drawing) },
        make("span", { className: "number", textContent: i + 1 }), small.canvas, make("b", { textContent: text }), make("small", { textContent: share }));
      return { drawing, button, element: make("li", {}, button) };
    }

    // Which of them is in the lens.
    draw() {
      const { photo } = this.app.drawing;
      for (const { drawing, button } of this.items) button.setAttribute("aria-current", drawing.photo === photo);
    }

    async camera() {
      let stream = null;
      try {
        if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "NotSupportedError");
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
      } catch (error) {
        this.tell(words({ NotAllowedError: "picture.forbidden", NotSupportedError: "picture.unsupported" }[error.name] ?? "picture.nocamera"));
        return;
      }
      this.film(stream);
    }

    film(stream) {
      const video = make("video", { srcObject: stream, autoplay: true, muted: true, playsInline: true });
      const take = () => {
        if (!video.videoWidth) return;
        const image = pictureOf(video, video.videoWidth, video.videoHeight);
        dialog.close();
        this.read(image);
      };
      const dialog = make("dialog", {
        className: "camera", "aria-label": words("picture.camera"), onkeydown: (event) => event.stopPropagation(),
        onclose: () => { stream.getTracks().forEach((track) => track.stop()); dialog.remove(); },
      }, video, make("p", { className: "note", textContent: words("picture.hold") }), make("div", { className: "row" },
        make("button", { type: "button", className: "main", textContent: words("picture.take"), onclick: take }),
        make("button", { type: "button", className: "plain", textContent: words("picture.close"), onclick: () => dialog.close() })));
      document.body.append(dialog);
      dialog.showModal();
    }
  }

  // The picture with a numbered box round every digit.
  const photo = (image, digits) => {
    const scale = Math.min(2, SHOWN_HIGH / image.height), sharp = devicePixelRatio || 1;
    const [wide, high] = [image.width * scale, image.height * scale];
    const { canvas, brush } = canvasOf(Math.round(wide * sharp), Math.round(high * sharp));
    Object.assign(canvas.style, { width: `${wide}px` });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", words("picture.photo", { n: digits.length }));
    const whole = canvasOf(image.width, image.height);
    whole.brush.putImageData(image, 0, 0);
    brush.scale(scale * sharp, scale * sharp);
    brush.drawImage(whole.canvas, 0, 0);
    brush.lineWidth = 2 / scale;
    brush.font = `700 ${12 / scale}px system-ui, sans-serif`;
    digits.forEach(({ left, top, right, bottom }, i) => {
      const gap = 3 / scale, label = `${i + 1}`, size = 15 / scale;
      brush.strokeStyle = brush.fillStyle = "#c2410c";
      brush.strokeRect(left - gap, top - gap, right - left + 2 * gap, bottom - top + 2 * gap);
      const [x, y] = [Math.max(0, left - gap), Math.max(0, top - gap - size)];
      brush.fillRect(x, y, brush.measureText(label).width + 6 / scale, size);
      brush.fillStyle = "#fff";
      brush.fillText(label, x + gap, y + 12 / scale);
    });
    return canvas;
  };

  Object.assign(Digitscope, { Picture, pictureOf });
})();
