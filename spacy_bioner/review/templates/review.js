"use strict";
// Offsets count code points, as in records. A string of JavaScript counts UTF-16 units, so texts are split once into
// characters, and every offset is a place in that list.
(() => {
  const token = new URLSearchParams(location.search).get("token");
  const byId = (id) => document.getElementById(id);
  const RETRY = 400;
  let labels = [], items = [], place = 0, current = -1, caret = null;
  const done = [];      // ids of decisions of this tab, the latest last: what undo goes back through
  const waiting = [];   // decisions that the server has not acknowledged
  const theirs = new Set();   // ids of sentences that another tab has changed
  let sending = null;

  const item = () => items[place];
  const rows = (one) => [...one.spans.map((span) => ({span, given: true})),
    ...one.suggestions.filter((hint) => !one.spans.some((span) => same(span, hint)))
      .map((span) => ({span, given: false}))];
  const same = (one, other) => one.start === other.start && one.end === other.end && one.label === other.label;
  const inOrder = (spans) => [...spans].sort((one, other) => one.start - other.start || other.end - one.end
    || (one.label < other.label ? -1 : 1));
  const surface = (one, span) => one.characters.slice(span.start, span.end).join("");
  const colour = (label) => "k" + Math.max(0, labels.indexOf(label)) % 10;

  function adopt(fresh) {
    fresh.characters = Array.from(fresh.text);
    const index = items.findIndex((one) => one.id === fresh.id);
    if (index < 0) items.push(fresh); else items[index] = fresh;
  }

  // Undo goes back to nothing that another tab has decided, nor behind it.
  function forget(id) {
    done.splice(0, done.length, ...done.filter((one) => one !== id));
    theirs.add(id);
  }

  // --- saving -------------------------------------------------------------------------------------------------------

  async function ask(path, body) {
    const headers = {"X-Review-Token": token};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return fetch(path, {method: body === undefined ? "GET" : "POST", headers,
      body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store"});
  }

  function say(text, failing) {
    byId("saved").textContent = text;
    byId("saved").classList.toggle("failing", Boolean(failing));
  }

  function newKey() {
    return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-");
  }

  // Each decision is sent in its turn, again and again until the server has it on disk.
  async function flush() {
    while (waiting.length) {
      const {path, body, then} = waiting[0];
      let answer = null;
      try { answer = await ask(path, body); } catch (error) { answer = null; }
      if (answer === null || answer.status >= 500) {
        const why = answer !== null && answer.status === 503 ? `: ${await answer.text()}` : "";
        say(`${waiting.length} not saved yet; trying again${why}`, true);
        await new Promise((resolve) => setTimeout(resolve, RETRY));
        continue;
      }
      if (answer.status === 409) {
        const lost = waiting.filter((one) => one.body.id === body.id);
        waiting.splice(0, waiting.length, ...waiting.filter((one) => one.body.id !== body.id));
        adopt(await answer.json());
        forget(body.id);
        lost.forEach((one) => one.then(false));
        say(`Changed in another tab: its state is shown, ${lost.length} of this tab not kept`, true);
      } else if (answer.ok) {
        waiting.shift();
        const fresh = await answer.json();
        if (!waiting.some((one) => one.body.id === body.id)) adopt(fresh);
        then(true);
        if (!waiting.length) say("all saved");
      } else {
        waiting.shift();
        if (path === "/decide" && done.includes(body.id)) done.splice(done.lastIndexOf(body.id), 1);
        say(`Refused: ${await answer.text()}`, true);
        await load(body.id);
        then(false);
      }
      draw();
    }
    sending = null;
  }

  function send(path, body) {
    const finished = new Promise((then) => waiting.push({path, body, then}));
    say("saving");
    if (sending === null) sending = flush();
    return finished;
  }

  function decide(action, spans, status) {
    const one = item();
    const body = {id: one.id, version: one.version, key: newKey(), action, status,
      spans: spans.map((span) => ({...span}))};
    one.version += 1;
    one.spans = inOrder(spans);
    one.status = status;
    done.push(one.id);
    send("/decide", body);
  }

  async function undo() {
    if (!done.length && theirs.has(item().id)) {
      say("Nothing to undo: the newest decision here is not of this tab");
      return;
    }
    const id = done.length ? done.pop() : item().id;
    const index = items.findIndex((one) => one.id === id);
    place = index;
    await send("/undo", {id, version: items[index].version, key: newKey()});
    current = -1;
    caret = null;
  }

  window.addEventListener("beforeunload", (event) => { if (waiting.length) event.preventDefault(); });
  window.addEventListener("focus", () => { if (!waiting.length) load().then(draw); });

  // --- what is done -------------------------------------------------------------------------------------------------

  function shown() {
    const status = byId("status").value, least = Number(byId("doubt").value) || 0;
    return items.map((one, index) => index).filter((index) => (status === "all" || items[index].status === status)
      && items[index].doubt >= least);
  }

  function go(step) {
    const visible = shown();
    const next = step > 0 ? visible.find((index) => index > place)
      : [...visible].reverse().find((index) => index < place);
    if (next !== undefined) place = next;
    else if (step > 0 && visible.length && visible[0] < place) place = visible[0];
    current = -1;
    caret = null;
  }

  function edit(action, change) {
    const row = rows(item())[current];
    if (!row || !row.given) return;
    const others = item().spans.filter((span) => span !== row.span);
    const changed = change({...row.span});
    if (changed === null) { decide(action, others, item().status); current = Math.min(current, rows(item()).length - 1); }
    else if (changed !== undefined && !others.some((span) => same(span, changed))) {
      decide(action, [...others, changed], item().status);
      current = item().spans.findIndex((span) => same(span, changed));
    }
  }

  // A person has decided: nobody's probability stands for that.
  const certain = ({score, grounding, ...span}) => span;

  function accept() {
    const row = rows(item())[current];
    if (!row) return;
    if (row.given) edit("accept", certain);
    else decide("add", [...item().spans, {start: row.span.start, end: row.span.end, label: row.span.label}],
      item().status);
    current = Math.min(current + 1, rows(item()).length - 1);
  }

  function moveEdge(edge, step) {
    edit("move", (span) => {
      const edges = item().units.map((unit) => unit[edge === "start" ? 0 : 1]);
      const target = step > 0 ? edges.find((at) => at > span[edge])
        : [...edges].reverse().find((at) => at < span[edge]);
      if (target === undefined || edge === "start" && target >= span.end || edge === "end" && target <= span.start)
        return undefined;
      return certain({...span, [edge]: target});
    });
  }

  function assign(label) {
    if (caret) {
      const [first, last] = [Math.min(caret.from, caret.to), Math.max(caret.from, caret.to)];
      const span = {start: item().units[first][0], end: item().units[last][1], label};
      caret = null;
      if (item().spans.some((one) => same(one, span))) return;
      decide("add", [...item().spans, span], item().status);
      current = item().spans.findIndex((one) => same(one, span));
    } else edit("label", (span) => certain({...span, label}));
  }

  function moveCaret(step, extend) {
    const last = item().units.length - 1;
    if (last < 0) return;
    if (!caret) caret = {from: step > 0 ? 0 : last, to: step > 0 ? 0 : last};
    else {
      caret.to = Math.min(last, Math.max(0, caret.to + step));
      if (!extend) caret.from = caret.to;
    }
  }

  function select(step) {
    const count = rows(item()).length;
    caret = null;
    if (count) current = current < 0 ? (step > 0 ? 0 : count - 1) : (current + step + count) % count;
  }

  async function press(key, shift) {
    if (!items.length) return;
    const digit = /^[0-9]$/.test(key) ? (Number(key) + 9) % 10 : -1;
    if (key === "Enter") { decide("accept sentence", item().spans.map(certain), "done"); go(1); }
    else if (key === "s") { decide("skip", item().spans, "skipped"); go(1); }
    else if (key === "u") await undo();
    else if (key === "j" || key === "PageDown") go(1);
    else if (key === "k" || key === "PageUp") go(-1);
    else if (key === "a") accept();
    else if (key === "x" || key === "Delete") edit("reject", () => null);
    else if (key === "[") moveEdge("start", -1);
    else if (key === "]") moveEdge("start", 1);
    else if (key === "{") moveEdge("end", -1);
    else if (key === "}") moveEdge("end", 1);
    else if (key === "ArrowDown") select(1);
    else if (key === "ArrowUp") select(-1);
    else if (key === "ArrowRight") moveCaret(1, shift);
    else if (key === "ArrowLeft") moveCaret(-1, shift);
    else if (key === "Escape") { caret = null; current = -1; }
    else if (digit >= 0 && digit < labels.length) assign(labels[digit]);
  }

  // Keys wait for each other, so that one after an undo works on what the undo has brought back.
  let keys = Promise.resolve();
  function handle(key, shift) { keys = keys.then(() => press(key, shift)).then(draw); }

  const KNOWN = new Set(["Enter", "PageDown", "PageUp", "Delete", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight",
    "Escape", ..."sujkax[]{}0123456789"]);
  document.addEventListener("keydown", (event) => {
    if (/^(INPUT|SELECT)$/.test(event.target.tagName)) { if (event.key === "Escape") event.target.blur(); return; }
    const undoKey = (event.ctrlKey || event.metaKey) && event.key === "z";
    if (!undoKey && (event.ctrlKey || event.metaKey || event.altKey) && !"[]{}".includes(event.key)) return;
    if (event.key === "Enter" && event.target.tagName === "BUTTON") event.target.blur();
    if (!undoKey && !KNOWN.has(event.key)) return;
    event.preventDefault();
    handle(undoKey ? "u" : event.key, event.shiftKey);
  });

  byId("actions").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) { button.blur(); handle(button.dataset.key, false); }
  });
  byId("filters").addEventListener("input", () => {
    keys = keys.then(() => {
      const visible = shown();
      if (visible.length && !visible.includes(place)) { place = visible[0]; current = -1; caret = null; }
    }).then(draw);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());

  // The place of a position inside the text: characters of its segment before it, not UTF-16 units.
  function offsetOf(node, units) {
    const segment = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest(".seg");
    if (!segment) return null;
    const before = node.nodeType === Node.TEXT_NODE ? Array.from(node.data.slice(0, units)).length : 0;
    return Number(segment.dataset.start) + before;
  }

  byId("text").addEventListener("mouseup", (event) => {
    const chosen = getSelection(), segment = event.target.closest(".seg");
    if (chosen.isCollapsed) {
      if (!segment) return;
      const at = Number(segment.dataset.start), one = item();
      const inside = one.spans.filter((span) => span.start <= at && at < span.end)
        .sort((first, other) => (first.end - first.start) - (other.end - other.start));
      if (inside.length) { current = one.spans.indexOf(inside[0]); caret = null; }
      else {
        const unit = one.units.findIndex((pair) => pair[0] <= at && at < pair[1]);
        if (unit >= 0) caret = {from: unit, to: unit};
      }
      draw();
      return;
    }
    const range = chosen.getRangeAt(0);
    const start = offsetOf(range.startContainer, range.startOffset);
    const end = offsetOf(range.endContainer, range.endOffset);
    chosen.removeAllRanges();
    if (start === null || end === null) return;
    const touched = item().units.map((unit, index) => index)
      .filter((index) => item().units[index][1] > start && item().units[index][0] < end);
    if (touched.length) { caret = {from: touched[0], to: touched[touched.length - 1]}; current = -1; draw(); }
  });

  // --- drawing ------------------------------------------------------------------------------------------------------

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // The shortest mention lies nearest to the text; those around it, or across it, below.
  function levels(spans) {
    const placed = [];
    for (const span of [...spans].sort((one, other) => (one.end - one.start) - (other.end - other.start))) {
      const taken = placed.filter((other) => other.span.start < span.end && span.start < other.span.end)
        .map((other) => other.level);
      let level = 0;
      while (taken.includes(level)) level += 1;
      placed.push({span, level});
    }
    return placed;
  }

  function drawText(one) {
    const target = byId("text");
    target.replaceChildren();
    const chosen = rows(one)[current];
    const drawn = chosen && !chosen.given ? [...one.spans, chosen.span] : one.spans;
    const edges = new Set([0, one.characters.length]);
    drawn.forEach((span) => { edges.add(span.start); edges.add(span.end); });
    one.units.forEach(([start, end]) => { edges.add(start); edges.add(end); });
    const sorted = [...edges].sort((first, other) => first - other);
    const placed = levels(drawn);
    const picked = caret && [one.units[Math.min(caret.from, caret.to)][0], one.units[Math.max(caret.from, caret.to)][1]];
    for (let index = 0; index + 1 < sorted.length; index += 1) {
      const [start, end] = [sorted[index], sorted[index + 1]];
      const segment = element("span", "seg", one.characters.slice(start, end).join(""));
      segment.dataset.start = start;
      if (picked && start >= picked[0] && end <= picked[1]) segment.classList.add("selected");
      for (const {span, level} of placed) {
        if (span.start > start || span.end < end) continue;
        const bar = element("i", colour(span.label));
        if (span.score === undefined) bar.classList.add("certain");
        if (chosen && same(chosen.span, span)) bar.classList.add("current");
        bar.style.bottom = `${-6 - 7 * level}px`;
        segment.append(bar);
      }
      target.append(segment);
    }
  }

  function drawMentions(one) {
    byId("mentions").replaceChildren(...rows(one).map(({span, given}, index) => {
      const line = element("li", colour(span.label) + (given ? "" : " suggestion"));
      if (index === current) line.setAttribute("aria-current", "true");
      line.append(element("b", "", span.label), element("span", "", surface(one, span)),
        element("span", "score", (given ? "" : "suggested ") +
          (typeof span.score === "number" ? span.score.toFixed(2) : given ? "accepted" : "")));
      line.addEventListener("click", () => { current = index; caret = null; draw(); });
      return line;
    }));
  }

  function draw() {
    const finished = items.filter((one) => one.status === "done").length;
    const skipped = items.filter((one) => one.status === "skipped").length;
    byId("progress").max = Math.max(1, items.length);
    byId("progress").value = finished;
    byId("count").textContent = `${finished} of ${items.length} done${skipped ? `, ${skipped} skipped` : ""}`;
    const visible = shown(), one = item();
    if (!one) { byId("about").textContent = "The queue is empty."; return; }
    const at = visible.indexOf(place);
    byId("about").textContent = `${at < 0 ? "–" : at + 1} of ${visible.length} shown · ${one.id} · ${one.status} · `
      + `doubt ${one.doubt.toFixed(2)}${one.reason ? ` · ${one.reason}` : ""}`;
    drawText(one);
    drawMentions(one);
  }

  function drawLabels() {
    byId("labels").replaceChildren(...labels.map((label, index) => {
      const button = element("button", colour(label), label);
      button.type = "button";
      if (index < 10) button.append(" ", element("kbd", "", String((index + 1) % 10)));
      button.addEventListener("click", () => { button.blur(); keys = keys.then(() => assign(label)).then(draw); });
      return button;
    }));
  }

  // Takes over what is newer, and the sentence of a decision that was refused: an answer may have been under way while
  // a later decision was kept.
  async function load(refused) {
    let answer = null;
    try { answer = await ask("/queue"); } catch (error) { answer = null; }
    if (answer === null || !answer.ok) {
      say(answer !== null && answer.status === 503 ? await answer.text() : "The server does not answer", true);
      return;
    }
    const fresh = await answer.json();
    labels = fresh.labels;
    fresh.items.forEach((one) => {
      const known = items.find((each) => each.id === one.id);
      if (waiting.some((each) => each.body.id === one.id)) return;
      if (known && one.version > known.version) forget(one.id);
      if (!known || one.version >= known.version || one.id === refused) adopt(one);
    });
  }

  load().then(() => {
    drawLabels();
    const visible = shown();
    if (visible.length) place = visible[0];
    draw();
  });
})();
