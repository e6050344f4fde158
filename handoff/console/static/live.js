// Keeps a page in step with the ledger: listens to /live and takes changed pieces from the page rendered anew.

const REFRESH_EVERY_MS = 20000;
const SOONEST_MS = 300;
const AGAIN_AFTER_MS = 3000;
const sources = new WeakMap(); // element -> how the server rendered it, before scripts touched it

export function startLive({ isOurs, apply }) {
  remember(document);
  localTimes(document);
  setInterval(tick, 1000);
  tick();
  const refresh = throttled(async () => {
    const fresh = document.hidden ? null : await fetchPage();
    if (!fresh) return;
    replaceWhole(fresh, "stop-banner");
    apply(fresh);
  });
  // Hidden tabs let go of their stream: browsers allow six connections to one address.
  const line = listening(refresh, isOurs);
  document.addEventListener("visibilitychange", () => (document.hidden ? line.close() : line.open()));
  addEventListener("pagehide", line.close);
  addEventListener("pageshow", (event) => { if (event.persisted) line.open(); });
  line.open();
  setInterval(refresh, REFRESH_EVERY_MS); // should a change ever go untold
  document.body.dataset.ready = "yes";
}

function listening(refresh, isOurs) {
  let events = null;
  const close = () => { events?.close(); events = null; };
  const open = () => {
    close();
    events = new EventSource("/live");
    events.addEventListener("hello", () => { say(""); refresh(); });
    events.addEventListener("change", (event) => {
      const { conversation } = JSON.parse(event.data);
      if (conversation === "*" || conversation === "x:account" || isOurs(conversation)) refresh();
    });
    events.addEventListener("signed_out", () => { close(); signedOut(); });
    events.onerror = () => {
      say("Live updates are away; trying again");
      if (events?.readyState === EventSource.CLOSED) { close(); refresh(); setTimeout(open, AGAIN_AFTER_MS); }
    };
  };
  return { open, close };
}

async function fetchPage() {
  try {
    const answer = await fetch(document.body.dataset.page, { headers: { Accept: "text/html" } });
    if (answer.redirected && new URL(answer.url).pathname === "/sign-in") return signedOut();
    if (answer.status === 410) return location.reload(); // erased: the page says so
    if (!answer.ok) return say("The desk does not answer; trying again");
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    say("The desk does not answer; trying again");
  }
}

function signedOut() { say("You are signed out. Your words stay here; sign in in another tab."); }

export function say(text) {
  const state = document.getElementById("link-state");
  state.textContent = text;
  state.hidden = !text;
}

// Replaces a whole piece when the server renders it differently now.
export function replaceWhole(fresh, id) {
  const mine = document.getElementById(id);
  const theirs = fresh.getElementById(id);
  if (!mine || !theirs || sourceOf(mine) === sourceOf(theirs)) return false;
  keepingFocus(() => mine.replaceWith(adopt(theirs)));
  return true;
}

// Brings a list in step item by item, by id, so that unchanged items keep focus; returns the new items.
export function replaceKeyed(fresh, id) {
  const mine = document.getElementById(id);
  const theirs = fresh.getElementById(id);
  if (!mine || !theirs) return [];
  const added = [];
  keepingFocus(() => {
    const wanted = [...theirs.children];
    const ids = new Set(wanted.map((item) => item.id));
    for (const item of [...mine.children]) if (!ids.has(item.id)) item.remove();
    wanted.forEach((item, index) => {
      const there = [...mine.children].find((other) => other.id === item.id);
      if (there && sourceOf(there) === sourceOf(item)) return place(mine, there, index);
      const next = adopt(item);
      if (there) there.remove(); else added.push(next);
      place(mine, next, index);
    });
  });
  return added;
}

function place(list, item, index) {
  if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
}

function adopt(element) {
  const adopted = document.importNode(element, true);
  sources.set(adopted, sourceOf(element));
  remember(adopted);
  localTimes(adopted);
  return adopted;
}

function keepingFocus(change) {
  const id = document.activeElement?.id;
  change();
  if (id && document.activeElement?.id !== id) document.getElementById(id)?.focus({ preventScroll: true });
}

function remember(root) {
  for (const piece of root.querySelectorAll("[data-live=whole], [data-live=keyed] > *")) sources.set(piece, render(piece));
}

function sourceOf(element) { return sources.get(element) ?? render(element); }

// A piece's HTML without what ticks.
function render(element) {
  const copy = element.cloneNode(true);
  for (const time of copy.querySelectorAll("[data-tick]")) time.textContent = "";
  return copy.outerHTML;
}

function tick() {
  for (const time of document.querySelectorAll("[data-tick]")) time.textContent = duration(Date.now() - time.dataset.tick);
}

function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

export function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-clock]")) {
    const at = new Date(time.dateTime);
    time.textContent = clock(at);
    time.title = at.toLocaleString("en-GB", { dateStyle: "full", timeStyle: "medium" });
  }
  for (const option of root.querySelectorAll("option[data-at]")) {
    option.textContent = `${clock(new Date(Number(option.dataset.at)))}: ${option.dataset.excerpt}`;
  }
}

function clock(at) {
  const today = at.toDateString() === new Date().toDateString();
  const day = today ? {} : { day: "numeric", month: "short" };
  return at.toLocaleString("en-GB", { ...day, hour: "2-digit", minute: "2-digit" });
}

function throttled(work) {
  let running = false;
  let again = false;
  return async function run() {
    if (running) return void (again = true);
    running = true;
    await work();
    setTimeout(() => { running = false; if (again) { again = false; run(); } }, SOONEST_MS);
  };
}
