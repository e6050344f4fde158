// A case's page: new words arrive without touching what is being written; the draft outlives reloads.

import { localTimes, replaceKeyed, replaceWhole, startLive } from "./live.js";
import { move, onKeys } from "./keys.js";

const SEEN_AFTER_MS = 1500; // a line counts as seen once it has been on the screen this long
const COUNT_AFTER_MS = 150;
const { dataset } = document.body;
const draftKey = `frontdesk-draft-${dataset.case}-${dataset.me}`;
const byId = (id) => document.getElementById(id);

let waitingSeq = Number(dataset.seq); // the last line shown
let seenTimer = 0;
let countTimer = 0;

history.replaceState(null, "", dataset.page);
wire();
scrollToEnd();
byId("notice")?.focus();
startLive({ isOurs: (conversation) => conversation === dataset.conversation, apply });
onKeys({
  r: () => byId("text")?.focus(),
  n: () => byId("note")?.focus(),
  t: () => byId("take-form")?.requestSubmit(),
  q: () => location.assign("/console/"),
  j: () => stepLine(1),
  k: () => stepLine(-1),
});

function wire() {
  for (const link of document.querySelectorAll(".use")) link.onclick = (event) => { if (byId("text")) use(event, link); };
  const text = byId("text");
  if (!text) return;
  restoreDraft(text);
  keepDraft(text); // of what was typed before this script ran
  text.addEventListener("input", () => { keepDraft(text); countSoon(); });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("reply-form").requestSubmit();
  });
  byId("have-read").addEventListener("click", () => { sawAll(); text.focus(); });
  byId("reply-form").addEventListener("change", () => { showWay(); countSoon(); });
  byId("reply-form").addEventListener("submit", onlyOnce);
  showWay();
  count();
}

// The page rendered anew: what was said, who has the case, what can be done; never the words being written.
function apply(fresh) {
  const now = fresh.body.dataset;
  replaceWhole(fresh, "case-state");
  const added = replaceKeyed(fresh, "transcript");
  added.forEach((line) => line.classList.add("fresh"));
  if (now.mode !== dataset.mode) changeMode(fresh, now);
  else if (byId("text")) { replaceWhole(fresh, "ways-notes"); syncTargets(fresh); }
  for (const input of document.querySelectorAll("[data-guarded] input[name=epoch], #take-form input[name=epoch]")) input.value = now.epoch;
  Object.assign(dataset, { epoch: now.epoch, mode: now.mode, seq: now.seq });
  if (Number(now.seq) > waitingSeq) { waitingSeq = Number(now.seq); linesArrived(added); }
  showWay();
}

function changeMode(fresh, now) {
  const kept = byId("text")?.value;
  byId("composer").replaceWith(document.importNode(fresh.getElementById("composer"), true));
  const note = byId("note")?.value;
  byId("actions").replaceWith(document.importNode(fresh.getElementById("actions"), true));
  if (note && byId("note")) byId("note").value = note;
  localTimes(document);
  if (kept && !byId("text")) showKept(kept);
  wire();
}

// The case left this agent's hands while they were writing.
function showKept(words) {
  const label = Object.assign(document.createElement("label"), { htmlFor: "kept", textContent: "Your words, not sent" });
  const area = Object.assign(document.createElement("textarea"), { id: "kept", rows: 4, readOnly: true, value: words });
  byId("composer").prepend(label, area);
}

function syncTargets(fresh) {
  const choice = byId("reply_to")?.value;
  const options = (root) => [...root.querySelectorAll("#reply_to option")].map((option) => option.value).join();
  if (options(document) === options(fresh)) return;
  const mayStay = byId("text").value;
  byId("target").replaceWith(document.importNode(fresh.getElementById("target"), true));
  localTimes(byId("target"));
  if (mayStay && [...(byId("reply_to")?.options ?? [])].some((option) => option.value === choice)) byId("reply_to").value = choice;
  const open = Boolean(byId("reply_to"));
  const radio = document.querySelector("input[name=place][value=public]");
  radio.disabled = !open;
  byId("way-public").classList.toggle("off", !open);
  if (!open && radio.checked) document.querySelector("input[name=place][value=private]").checked = true;
}

function linesArrived(added) {
  const news = added.some((line) => !line.matches(".event") && line.dataset.author !== dataset.me);
  if (byId("text")?.value.trim() && news) byId("meanwhile").hidden = false;
  if (!byId("meanwhile") || byId("meanwhile").hidden) {
    clearTimeout(seenTimer);
    seenTimer = setTimeout(sawAll, SEEN_AFTER_MS);
  }
  if (added.length) scrollToEnd();
}

// The next thing sent is sent knowing every line shown now.
function sawAll() {
  clearTimeout(seenTimer);
  for (const input of document.querySelectorAll("[data-guarded] input[name=seen_seq]")) input.value = waitingSeq;
  if (byId("meanwhile")) byId("meanwhile").hidden = true;
}

function use(event, link) {
  event.preventDefault();
  const text = byId("text");
  text.value = text.value.trim() ? `${text.value.trimEnd()}\n\n${link.dataset.use}` : link.dataset.use;
  text.dispatchEvent(new Event("input"));
  text.focus();
}

function chosenPlace() { return document.querySelector("input[name=place]:checked")?.value ?? "private"; }

function showWay() {
  if (!byId("text")) return;
  for (const piece of document.querySelectorAll(".composer [data-place]")) piece.hidden = piece.dataset.place !== chosenPlace();
}

function countSoon() {
  clearTimeout(countTimer);
  countTimer = setTimeout(count, COUNT_AFTER_MS);
}

// The server counts, signature included, as the platform does.
async function count() {
  const words = byId("text")?.value;
  if (words === undefined) return; // the case was taken away meanwhile
  const body = new URLSearchParams({ text: words, place: chosenPlace() });
  let told;
  try {
    const answer = await fetch("/console/length", { method: "POST", body, headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    told = await answer.json();
  } catch { return; } // the next key press counts again, and sending is judged by the server
  if (!byId("text") || byId("text").value !== words) return;
  const counter = byId("counter");
  counter.textContent = told.remaining >= 0 ? `${told.remaining} characters left, signed` : `${-told.remaining} characters too long, signed`;
  counter.classList.toggle("over", told.remaining < 0);
  byId("problems").replaceChildren(...told.problems.map((problem) => Object.assign(document.createElement("li"), { textContent: problem })));
}

function onlyOnce(event) {
  const form = event.currentTarget;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 3000); // after that the form's command id alone keeps it single
}

function keepDraft(text) {
  if (text.value) sessionStorage.setItem(draftKey, text.value);
  else sessionStorage.removeItem(draftKey);
}

function restoreDraft(text) {
  if (dataset.said) { sessionStorage.removeItem(draftKey); dataset.said = ""; }
  else if (!text.value) text.value = sessionStorage.getItem(draftKey) ?? "";
}

function stepLine(by) {
  const lines = [...document.querySelectorAll("#transcript .line")];
  lines.forEach((line) => { line.tabIndex = -1; });
  move(lines, by);
}

// The newest words into view, without moving the page while something above it wants attention.
function scrollToEnd() {
  const list = byId("transcript");
  if (list.scrollHeight > list.clientHeight) list.scrollTop = list.scrollHeight;
  else if (!byId("notice")) list.lastElementChild?.scrollIntoView({ block: "nearest" });
}
