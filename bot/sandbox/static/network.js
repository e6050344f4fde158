// What the page knows: who exists, who you are; and how it talks to the control plane.

import { el } from "./dom.js";

const listeners = new Set();
export const network = { account: null, users: [], me: null, unread: 0 };

export async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const response = await fetch(`/_sim/${path}`, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error || "That did not work.");
  return answer;
}

export async function loadPeople() {
  const state = await call("GET", "state");
  network.account = state.account;
  network.users = state.users;
  const remembered = localStorage.getItem("me");
  const customers = customersOf();
  network.me = customers.find((user) => user.handle === remembered) || customers[0] || null;
  tell({ type: "people" });
}

export function customersOf() {
  return network.users.filter((user) => user.id !== network.account.id);
}

export function become(user) {
  network.me = user;
  network.unread = 0;
  localStorage.setItem("me", user.handle);
  tell({ type: "people" });
}

export function userNamed(handle) {
  return network.users.find((user) => user.handle.toLowerCase() === handle.toLowerCase());
}

export function remember(user) {
  const place = network.users.findIndex((other) => other.id === user.id);
  if (place < 0) network.users.push(user);
  else network.users[place] = user;
  if (user.id === network.account.id) network.account = user;
  if (network.me && user.id === network.me.id) network.me = user;
}

export function onEvent(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function tell(event) {
  for (const listener of [...listeners]) listener(event);
}

export function toast(message) {
  const note = el("p", { class: "toast" }, message);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 6000);
}

export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    toast(error.message);
    return null;
  }
}

// A browser keeps few connections per server: a page that nobody looks at gives its own back.
const HIDDEN_MS = 60000;
let source = null;
let lost = false;
let hiding = 0;

export function listenLive() {
  open();
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(close, HIDDEN_MS);
    else open();
  });
}

function close() {
  source?.close();
  source = null;
  lost = true;
}

function open() {
  if (source) return;
  source = new EventSource("/_sim/events");
  source.addEventListener("message", (message) => hear(JSON.parse(message.data)));
  source.addEventListener("error", () => {
    lost = true;
    document.getElementById("offline").hidden = false;
  });
  source.addEventListener("open", () => {
    document.getElementById("offline").hidden = true;
    if (lost) tell({ type: "resync" });
    lost = false;
  });
}

function hear(event) {
  if (event.type === "user") {
    remember(event.user);
    tell({ type: "people" });
  } else tell(event);
}
