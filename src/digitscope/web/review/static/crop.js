// The picture of a number, as large as its place allows, with a frame around what was read.
//
//   Digitscope.cropView() -> { element, show(item, alt) }   item.picture is an Image, item.frame [x, y, width, height] in its pixels

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const MOST = 10, TALLEST = 0.4, ROOM = 2;

  const cropView = () => {
    const { make } = Digitscope;
    const frame = make("div", { className: "crop-frame" });
    const sheet = make("div", { className: "crop-sheet" });
    const room = make("div", { className: "crop-room" }, sheet);
    const element = make("div", { className: "crop" }, room);
    let shown = null;

    const place = () => {
      const { picture, frame: [x, y, width, height] } = shown;
      const [wide, high] = [picture.naturalWidth, picture.naturalHeight];
      const scale = Math.min(room.clientWidth / wide, TALLEST * innerHeight / high, MOST);
      Object.assign(sheet.style, { width: `${wide * scale}px`, height: `${high * scale}px` });
      const covers = width >= wide && height >= high;
      frame.hidden = covers;
      Object.assign(frame.style, {
        left: `${x * scale - ROOM}px`, top: `${y * scale - ROOM}px`,
        width: `${width * scale + 2 * ROOM}px`, height: `${height * scale + 2 * ROOM}px`,
      });
    };

    const show = (item, alt) => {
      shown = item;
      item.picture.alt = alt;
      sheet.replaceChildren(item.picture, frame);
      item.picture.decode().then(() => shown === item && place());
    };

    addEventListener("resize", () => shown && place());
    return { element, show };
  };

  Object.assign(Digitscope, { cropView });
})();
