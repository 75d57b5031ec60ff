// The review page: a number large, the guess, one field. Enter saves and shows the next, which is there already.
//
// An answer counts as saved when the service says so; until then it is in the outbox, and sent again.

"use strict";

(() => {
  const { make, words, percent, fixed, count, listed } = Digitscope;
  const PERSON = "digitscope-review-person", TOKEN = "digitscope-review-token";
  const FRESH = 30000, SOON = 3000, MOST_HELD = 8; // the service takes no more numbers
  const DIGITS = /^[0-9]+$/, NUMBER = /^(?=.*[0-9])[0-9.,\-/=]+$/;
  const COMMANDS = { x: "unreadable", s: "skip", u: "undo" };

  const kept = (name, made) => {
    const value = sessionStorage.getItem(name) ?? made;
    sessionStorage.setItem(name, value);
    return value;
  };

  const person = kept(PERSON, Digitscope.newId());
  const queue = [], drafts = new Map();
  let parts, outbox, moves = 0;

  // What the service says

  const asked = async (path, body) => {
    const token = sessionStorage.getItem(TOKEN);
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const held = queue.slice(0, MOST_HELD).map(({ number }) => number);
    const answer = await fetch(`../v1/review/${path}`, { method: "POST", headers, body: JSON.stringify({ ...body, person, held }) });
    if (answer.ok) return answer.json();
    const problem = await answer.json().catch(() => ({}));
    throw { status: answer.status, detail: problem.detail ?? answer.statusText };
  };

  const withPicture = (item) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${item.crop}`;
    return { ...item, picture };
  };

  const receive = ({ items, progress }) => {
    const there = new Set([...queue.map(({ number }) => number), ...outbox.acts.map(({ item }) => item)]);
    queue.push(...items.filter(({ number }) => !there.has(number)).map(withPicture));
    showProgress(progress);
    if (parts.shown !== queue[0]) show();
  };

  const refresh = async () => {
    if (outbox.acts.length) return outbox.retry();
    const before = moves;
    try {
      const answer = await asked("next", {});
      showProblem(null);
      if (moves === before) receive(answer); // else it may hold what has been answered meanwhile
    } catch (problem) {
      showProblem(problem);
    }
  };

  const taken = (act, answer) => {
    if (act.action !== "undo") {
      say(act.action === "text" ? words("saved", { text: act.text }) : words(`saved.${act.action}`));
    } else if (!answer.undone) {
      say(words("undo.nothing"));
    } else {
      const { item, text } = answer.undone;
      keepDraft();
      const before = queue.findIndex(({ number }) => number === item.number);
      if (before >= 0) queue.splice(before, 1);
      queue.unshift(withPicture(item));
      drafts.set(item.number, text ?? "");
      say(text === null ? words("undone.unreadable") : words("undone", { text }));
    }
    receive(answer);
  };

  const refused = (act, detail) => {
    if (act.text) drafts.set(act.item, act.text);
    say(words("refused.answer", { detail }));
    refresh();
  };

  // What the page shows

  const say = (text) => { parts.status.textContent = text; };

  const showProblem = (problem) => {
    const waiting = outbox.acts.length;
    const isToken = problem?.status === 401;
    parts.token.hidden = !isToken;
    parts.gone.hidden = !problem || isToken;
    parts.review.hidden = isToken;
    if (isToken) parts.tokenInput.focus();
    if (!problem || isToken) return;
    const key = waiting === 0 ? "gone.nothing" : waiting === 1 ? "gone.one" : "gone.many";
    parts.gone.textContent = problem.status ? words("busy", { detail: problem.detail }) : words(key, { n: waiting });
  };

  const showProgress = (progress) => {
    const done = progress.items - progress.open - progress.disputed;
    parts.bar.max = Math.max(progress.items, 1);
    parts.bar.value = done;
    parts.facts.textContent = [
      words("progress", { done: count(done), items: count(progress.items) }),
      progress.disputed ? words("progress.disputed", { n: count(progress.disputed) }) : null,
      progress.agreement === null ? null : words("progress.agreement", { share: percent(progress.agreement, 0) }),
      progress.per_minute === null ? null : words("progress.speed", { n: fixed(progress.per_minute, 0) }),
      progress.seconds === null ? null : words("progress.median", { n: fixed(progress.seconds, 1) }),
    ].filter(Boolean).join(" · ");
  };

  const keepDraft = () => {
    if (parts.shown) drafts.set(parts.shown.number, parts.input.value);
  };

  const show = () => {
    const [item] = queue;
    parts.shown = item;
    parts.item.hidden = !item;
    parts.nothing.hidden = Boolean(item);
    complain("");
    if (!item) return;
    parts.crop.show(item, words("crop", { file: item.file }));
    parts.source.textContent = words(item.page > 1 ? "source.page" : "source", item);
    parts.guess.textContent = item.guess || words("guess.none");
    parts.sure.textContent = item.guess ? words("guess.sure", { share: percent(item.confidence, 1) }) : "";
    parts.reason.textContent = item.reason ? words("refused", { reason: item.reason }) : words("accepted");
    parts.said.textContent = item.said.length > 1 ? words("said", { texts: listed(item.said.map((text) => text ?? words("said.none"))) }) : "";
    parts.hint.textContent = words(item.guess ? "input.hint.guess" : "input.hint.none");
    parts.input.value = drafts.get(item.number) ?? "";
    parts.input.focus({ preventScroll: true });
    parts.input.select();
    label();
  };

  // The button says what Enter will do.
  const label = () => {
    const confirms = parts.input.value.trim() === "" && parts.shown?.guess;
    parts.save.firstChild.textContent = words(confirms ? "confirm" : "save");
  };

  const complain = (text) => {
    parts.wrong.textContent = text;
    parts.input.setAttribute("aria-invalid", text !== "");
  };

  // What people do

  const act = (action, text = null) => {
    moves += 1;
    if (action === "undo") return outbox.put({ action });
    const item = queue.shift();
    drafts.delete(item.number);
    say(action === "text" ? words("sending", { text }) : "");
    outbox.put({ action, item: item.number, seen: item.seen, ...(text !== null && { text }) });
    show();
  };

  const submit = (event) => {
    event.preventDefault();
    const [item] = queue;
    if (!item) return;
    const text = parts.input.value.replace(/\s/g, "") || item.guess;
    if (!text) return complain(words("wrong.empty"));
    if (!(item.kind === "digit" ? DIGITS : NUMBER).test(text)) return complain(words(`wrong.${item.kind}`));
    act("text", text);
  };

  const command = (action) => (queue.length || action === "undo") && act(action);

  const onKey = (event) => {
    const undo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    const typed = !event.ctrlKey && !event.metaKey && !event.altKey && event.target === parts.input;
    const action = undo ? "undo" : typed ? COMMANDS[event.key.toLowerCase()] : null;
    if (event.repeat && (action || (typed && event.key === "Enter"))) return event.preventDefault();
    if (action) {
      event.preventDefault();
      command(action);
    } else if (/^[0-9]$/.test(event.key) && event.target.tagName !== "INPUT") {
      parts.input.focus();
    }
  };

  const openWithToken = (event) => {
    event.preventDefault();
    sessionStorage.setItem(TOKEN, parts.tokenInput.value.trim());
    parts.tokenInput.value = "";
    parts.tokenSaid.textContent = words("token.wrong");
    refresh();
  };

  // The elements

  const button = (action, key, properties = {}) => make("button", { type: "button", className: "plain", onclick: () => { command(action); parts.input.focus(); }, ...properties }, words(action === "unreadable" ? "none" : action), make("kbd", {}, key));

  const built = () => {
    const made = {
      crop: Digitscope.cropView(), shown: null,
      bar: make("progress", { "aria-label": words("progress.label") }),
      facts: make("p", { className: "facts" }),
      guess: make("span", { className: "read-guess" }), sure: make("span"), reason: make("span"),
      source: make("span", { className: "read-source" }), said: make("p", { className: "said" }),
      input: make("input", { id: "answer", type: "text", inputMode: "decimal", autocomplete: "off", spellcheck: false, enterKeyHint: "next", "aria-describedby": "hint wrong", oninput: () => { complain(""); label(); } }),
      save: make("button", { type: "submit", className: "main" }, words("save"), make("kbd", {}, "Enter")),
      hint: make("p", { id: "hint", className: "note" }),
      wrong: make("p", { id: "wrong", className: "answer-wrong", role: "alert" }),
      status: make("p", { className: "status", role: "status" }, words("waiting")),
      gone: make("p", { className: "gone", role: "alert", hidden: true }),
      tokenInput: make("input", { id: "token", type: "password", autocomplete: "off" }),
      tokenSaid: make("p", { className: "note", role: "status" }),
    };
    made.item = make("div", { className: "review", hidden: true },
      made.crop.element,
      make("p", { className: "read" }, make("span", { className: "unseen" }, words("guess")), made.guess, made.sure, made.reason, made.source),
      made.said,
      make("form", { className: "answer-form", onsubmit: submit, noValidate: true },
        make("label", { htmlFor: "answer" }, words("input")),
        make("div", { className: "answer-line" }, made.input, made.save), made.hint, made.wrong),
    );
    made.nothing = make("div", { className: "review nothing", hidden: true }, make("h2", {}, words("done")), make("p", {}, words("done.text")));
    made.review = make("div", {}, made.item, made.nothing,
      make("div", { className: "review" }, make("div", { className: "acts" }, button("unreadable", "X"), button("skip", "S"), button("undo", "Ctrl Z")), made.status));
    made.token = make("form", { className: "review token", hidden: true, onsubmit: openWithToken },
      make("p", {}, words("token.text")), make("label", { htmlFor: "token" }, words("token")), made.tokenInput,
      make("button", { type: "submit", className: "main" }, words("token.open")), made.tokenSaid);
    return made;
  };

  const start = async () => {
    Digitscope.setStrings(await Digitscope.json("strings.en.json"));
    document.title = words("title");
    parts = built();
    outbox = Digitscope.outbox({ ask: (one) => asked("answers", one), taken, refused, changed: showProblem });
    document.body.append(
      make("header", { className: "top" }, make("h1", {}, make("b", {}, "Digitscope"), make("span", {}, words("heading"))), parts.bar, parts.facts),
      make("main", {}, parts.gone, parts.token, parts.review),
    );
    document.addEventListener("keydown", onKey);
    addEventListener("beforeunload", (event) => outbox.acts.length && event.preventDefault());
    await refresh();
    parts.status.textContent = "";
    setInterval(() => document.visibilityState === "visible" && refresh(), FRESH);
    setInterval(() => (!queue.length || !parts.gone.hidden) && parts.token.hidden && refresh(), SOON);
    Digitscope.review = { queue, outbox };
  };

  start();
})();
