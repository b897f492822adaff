// SPDX-License-Identifier: Apache-2.0
// Keeps a page fresh: parts that changed are replaced, logs grow, and times stay true.
// Everything here is extra: the page is whole without it.
"use strict";

(() => {
  // Readers do not all ask in the same moment.
  const SOON = 300, SPREAD = 700, OFTEN = 5000, SELDOM = 30000, LOG = 2000, LONGEST_LOG = 2_000_000;
  let mark = "", ahead = null, waiting = 0, asking = false, askAgain = false;

  function say(text) {
    const place = document.getElementById("live-state");
    if (place && place.textContent !== text) place.textContent = text;
  }

  // What people opened or are in stays so.
  function keepOpen(from, to) {
    const old = [...from.querySelectorAll("details")], fresh = to.querySelectorAll("details");
    fresh.forEach((each, number) => {
      const known = each.id ? old.find((other) => other.id === each.id) : old[number];
      if (known) each.open = known.open;
    });
  }

  function isBeingFilled(part) {
    return [...part.querySelectorAll("input")].some(
      (each) => each.value !== each.defaultValue || each.checked !== each.defaultChecked);
  }

  function replaceParts(fresh) {
    for (const part of document.querySelectorAll("[data-part]")) {
      const other = fresh.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (!other || other.innerHTML === part.innerHTML) continue;
      if (part.contains(document.activeElement) || holdsSelection(part) || isBeingFilled(part)) continue;
      keepOpen(part, other);
      if (other.innerHTML !== part.innerHTML) part.replaceChildren(...other.childNodes);
    }
    document.body.dataset.live = fresh.body.dataset.live || "";
  }

  function holdsSelection(part) {
    const chosen = document.getSelection();
    return chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode);
  }

  async function refresh() {
    if (asking) { askAgain = true; return; }
    asking = true;
    try {
      const headers = mark ? { "If-None-Match": mark } : {};
      const answer = await fetch(location.href, { headers, cache: "no-store" });
      const told = Date.parse(answer.headers.get("Date") || "");
      if (!Number.isNaN(told)) ahead = Date.now() - told;
      if (answer.ok) {
        mark = answer.headers.get("ETag") || "";
        const text = await answer.text();
        replaceParts(new DOMParser().parseFromString(text, "text/html"));
      }
      say(answer.ok || answer.status === 304 ? "" : "The server does not answer as it should; this page may be old.");
    } catch {
      say("The server cannot be reached; this page may be old.");
    } finally {
      asking = false;
      if (askAgain) { askAgain = false; soon(); }
    }
  }

  function soon() {
    if (!waiting) waiting = setTimeout(() => { waiting = 0; refresh(); }, SOON + Math.random() * SPREAD);
  }

  function poll(pause) {
    setTimeout(async () => {
      const address = document.body.dataset.live;
      if (!address) return;
      if (!document.hidden) await refresh();
      poll(pause);
    }, pause);
  }

  function listen(address) {
    const events = new EventSource(address);
    events.onmessage = soon;
    for (const kind of ["release.created", "release.phase", "release.changed", "verification.run", "publication", "stream.changed"]) {
      events.addEventListener(kind, soon);
    }
    events.onerror = () => { if (events.readyState === EventSource.CLOSED) poll(OFTEN); };
    poll(SELDOM);  // what makes no event, such as why a stream waits
    addEventListener("pagehide", () => events.close());
  }

  async function follow(place) {
    try {
      const answer = await fetch(`${place.dataset.follow}?offset=${place.dataset.offset}`);
      if (!answer.ok) throw new Error(answer.statusText);
      const text = await answer.text();
      const atEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 8;
      if (text) {
        place.append(text);
        if (place.textContent.length > LONGEST_LOG) place.textContent = place.textContent.slice(-LONGEST_LOG / 2);
      }
      place.dataset.offset = answer.headers.get("X-Log-Next") || place.dataset.offset;
      if (atEnd) place.scrollTop = place.scrollHeight;
      if (answer.headers.get("X-Log-Ended") === "yes") { soon(); return; }
    } catch {
      say("The log cannot be read now; it is tried again.");
    }
    setTimeout(() => follow(place), document.hidden ? SELDOM : LOG);
  }

  function age(moment) {
    const away = Math.abs(Date.now() - moment) / 1000;
    if (away < 45) return "just now";
    const [length, unit] = away >= 86400 ? [86400, "day"] : away >= 3600 ? [3600, "h"] : away >= 60 ? [60, "min"] : [1, "s"];
    const count = Math.floor(away / length);
    const span = `${count} ${unit}${unit === "day" && count > 1 ? "s" : ""}`;
    return moment < Date.now() ? `${span} ago` : `in ${span}`;
  }

  // The server's clock counts, as soon as it is known: browsers' are often wrong.
  function retell() {
    if (ahead === null) return;
    for (const each of document.querySelectorAll("time[datetime]")) {
      const told = age(Date.parse(each.dateTime) + ahead);
      if (each.textContent !== told) each.textContent = told;
    }
  }

  for (const place of document.querySelectorAll("pre.log")) {
    place.scrollTop = place.scrollHeight;
    if (place.dataset.follow) follow(place);
  }
  const address = document.body.dataset.live;
  if (address === "poll" || (address && !window.EventSource)) poll(OFTEN);
  else if (address) listen(address);
  setInterval(retell, SELDOM);
})();
