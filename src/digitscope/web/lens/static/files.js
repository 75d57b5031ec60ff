// Where the page's other files come from: out of the page itself when it is one file, else from the server. No arithmetic.
//
//   Digitscope.inlined(name) -> text | null     what `<script data-file="name">` of this document holds
//   Digitscope.json(name) -> Promise            the value of a JSON file, inlined or fetched

"use strict";

globalThis.Digitscope ??= {};

Digitscope.inlined = (name) => document.querySelector(`script[data-file="${name}"]`)?.textContent.trim() || null;

Digitscope.json = async (name) => {
  const text = Digitscope.inlined(name);
  if (text) return JSON.parse(text);
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  return answer.json();
};
