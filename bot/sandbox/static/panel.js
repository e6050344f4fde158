// Who you are, who else there is, and what goes wrong on the platform.

import { avatar } from "./avatar.js";
import { el, fill } from "./dom.js";
import { attempt, become, call, customersOf, network, onEvent, remember, toast } from "./network.js";

const MAX_SHOWN = 30;
const WEATHER = [
  { label: "Outage", detail: "every call is cut off", fault: { kind: "outage" } },
  { label: "Server errors", detail: "one call in three fails", fault: { kind: "unavailable", probability: 0.33 } },
  { label: "Slow", detail: "three seconds per call", fault: { kind: "latency", latency_ms: 3000 } },
  { label: "Lost answers", detail: "posts go out, the answer does not", fault: { kind: "drop_after", method: "POST", probability: 0.5 } },
];

export function peoplePanel() {
  const list = el("div", { class: "people" });
  const handle = el("input", { name: "handle", required: true, maxlength: 15, pattern: "@?[A-Za-z0-9_]{1,15}", placeholder: "handle", "aria-label": "Handle", autocomplete: "off", autocapitalize: "none" });
  const name = el("input", { name: "name", maxlength: 50, placeholder: "Name", "aria-label": "Name", autocomplete: "off" });
  const closed = el("input", { type: "checkbox", name: "closed" });
  const form = el(
    "form",
    { class: "new-person", onsubmit: create },
    el("div", { class: "pair" }, handle, name),
    el("div", { class: "pair" }, el("label", { class: "check" }, closed, "DMs closed"), el("button", { type: "submit", class: "button" }, "Join")),
  );

  async function create(event) {
    event.preventDefault();
    const body = { handle: handle.value.trim(), name: name.value.trim(), dms: closed.checked ? "closed" : "open" };
    const user = await attempt(() => call("POST", "users", body));
    if (!user) return;
    remember(user);
    become(user);
    form.reset();
    toast(`You are now @${user.handle}.`);
  }

  function draw() {
    const shown = customersOf();
    const visible = shown.slice(0, MAX_SHOWN);
    if (network.me && !visible.includes(network.me)) visible.push(network.me);
    fill(list, visible.map(person), shown.length > visible.length ? el("p", { class: "sub" }, `and ${shown.length - visible.length} more`) : null);
  }

  function person(user) {
    const current = network.me?.id === user.id;
    return el(
      "button",
      { type: "button", class: "person", "aria-pressed": String(current), onclick: () => become(user), data: { handle: user.handle } },
      avatar(user, 36),
      el("span", { class: "person-names" }, el("b", {}, user.name), el("span", { class: "handle" }, `@${user.handle}`)),
      current ? el("span", { class: "you" }, "you") : null,
    );
  }

  draw();
  const element = el("section", { class: "card" }, el("h2", {}, "You are"), list, el("details", {}, el("summary", {}, "Somebody new"), form));
  return { element, stop: onEvent((event) => event.type === "people" && draw()) };
}

export function weatherPanel() {
  const list = el("div", { class: "weather" });
  const clear = el("button", { type: "button", class: "button", hidden: true, onclick: () => attempt(() => call("DELETE", "faults")) }, "Clear everything");

  async function draw() {
    const state = await attempt(() => call("GET", "faults"));
    if (!state) return;
    fill(list, WEATHER.map((item) => toggle(item, state.faults)));
    const other = state.faults.filter((fault) => !WEATHER.some((item) => same(item.fault, fault)));
    if (other.length || state.dm_lag_s) list.append(el("p", { class: "sub" }, `${other.length + (state.dm_lag_s ? 1 : 0)} more by script`));
    clear.hidden = !state.faults.length && !state.dm_lag_s;
  }

  function toggle(item, faults) {
    const active = faults.find((fault) => same(item.fault, fault));
    const change = () => attempt(() => (active ? call("DELETE", `faults/${active.id}`) : call("POST", "faults", item.fault)));
    return el(
      "button",
      { type: "button", class: "switch", role: "switch", "aria-checked": String(Boolean(active)), onclick: change },
      el("span", {}, el("b", {}, item.label), el("span", { class: "sub" }, item.detail)),
      el("span", { class: "knob", "aria-hidden": "true" }),
    );
  }

  draw();
  const stop = onEvent((event) => ["faults", "resync"].includes(event.type) && draw());
  const intro = el("p", { class: "sub" }, `What goes wrong between the platform and ${network.account.name}'s software.`);
  return { element: el("section", { class: "card" }, el("h2", {}, "Platform weather"), intro, list, clear), stop };
}

function same(asked, fault) {
  return Object.entries(asked).every(([name, value]) => fault[name] === value);
}
