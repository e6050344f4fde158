// Ties the page together: routes, live events, the parts that are always there.

import { avatar } from "./avatar.js";
import { openComposer } from "./composer.js";
import { el, fill, icon } from "./dom.js";
import { heading, homeView, profileView } from "./lists.js";
import { messagesView } from "./messages.js";
import { listenLive, loadPeople, network, onEvent, tell } from "./network.js";
import { peoplePanel, weatherPanel } from "./panel.js";
import { ago } from "./text.js";
import { threadView } from "./thread.js";

const main = document.getElementById("main");
const aside = document.getElementById("aside");
let hear = () => {};
let leave = () => {};

function peopleView(place) {
  const panels = [peoplePanel(), weatherPanel()];
  fill(place, heading("People and platform"), el("div", { class: "panels" }, panels.map((panel) => panel.element)));
  leave = () => panels.forEach((panel) => panel.stop());
  return () => {};
}

function route() {
  const [view = "home", value = ""] = location.hash.replace(/^#\/?/, "").split("/");
  leave();
  leave = () => {};
  document.body.dataset.view = view || "home";
  if (view === "post") hear = threadView(main, value);
  else if (view === "user") hear = profileView(main, decodeURIComponent(value));
  else if (view === "messages") hear = messagesView(main);
  else if (view === "people") hear = peopleView(main);
  else hear = homeView(main);
  for (const link of document.querySelectorAll("[data-route]")) {
    const current = link.dataset.route === [view || "home", value].filter(Boolean).join("/");
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.getElementById("dialog").close();
  scrollTo(0, 0);
}

function drawMe() {
  const place = document.getElementById("me");
  const { me } = network;
  fill(place, me ? [avatar(me, 40), el("span", { class: "person-names" }, el("b", {}, me.name), el("span", { class: "handle" }, `@${me.handle}`))] : ["Nobody yet"]);
}

function drawUnread() {
  const badge = document.getElementById("unread");
  badge.hidden = !network.unread;
  badge.textContent = String(network.unread);
}

function dark() {
  return (localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}

function drawTheme() {
  document.documentElement.dataset.theme = dark() ? "dark" : "light";
  fill(document.getElementById("theme"), icon(dark() ? "sun" : "moon"));
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, dialog[open]")) return;
  if (event.key === "n") {
    event.preventDefault();
    openComposer();
  }
  if (event.key === "j" || event.key === "k") {
    const cards = [...main.querySelectorAll("article.post")];
    const place = cards.indexOf(document.activeElement.closest("article.post"));
    cards[Math.max(0, Math.min(cards.length - 1, place + (event.key === "j" ? 1 : -1)))]?.focus();
  }
}

function keepTimes() {
  for (const element of document.querySelectorAll("time.ago")) element.textContent = ago(element.dateTime);
}

onEvent((event) => {
  if (event.type === "people") drawMe();
  if (event.type === "dm" && event.message.recipient === network.me?.handle && document.body.dataset.view !== "messages") network.unread += 1;
  if (["dm", "unread", "people"].includes(event.type)) drawUnread();
  if (event.type === "resync") loadPeople();
  hear(event);
});

for (const element of document.querySelectorAll("[data-icon]")) element.prepend(icon(element.dataset.icon, 24));
drawTheme();
document.getElementById("theme").addEventListener("click", () => {
  localStorage.setItem("theme", dark() ? "light" : "dark");
  drawTheme();
});
document.getElementById("new-post").addEventListener("click", () => openComposer());
document.getElementById("dialog").addEventListener("click", (event) => event.target === event.currentTarget && event.currentTarget.close());
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", route);
addEventListener("keydown", keys);
setInterval(keepTimes, 15000);

await loadPeople();
fill(aside, peoplePanel().element, weatherPanel().element);
listenLive();
route();
tell({ type: "ready" });
document.body.dataset.ready = "true";
