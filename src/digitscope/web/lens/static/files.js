// Where the page's other files come from: out of the page itself when it is one file, else from the server. No arithmetic.
//
//   Digitscope.inlined(name) -> text | null     what `<script data-file="name">` of this document holds
//   Digitscope.json(name) -> Promise            the value of a JSON file, inlined or fetched
//   Digitscope.unpacked(base64) -> Promise<Uint8Array>   what web/lens/stages.py packed

"use strict";

globalThis.Digitscope ??= {};

Digitscope.inlined = (name) => document.querySelector(`script[data-file="${name}"]`)?.textContent.trim() || null;

Digitscope.unpacked = async (base64) => {
  const packed = new Blob([Digitscope.bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
};

Digitscope.json = async (name) => {
  const text = Digitscope.inlined(name);
  const packed = document.querySelector(`script[data-file="${name}"]`)?.dataset.packed;
  if (text) return JSON.parse(packed ? new TextDecoder().decode(await Digitscope.unpacked(text)) : text);
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  return answer.json();
};
