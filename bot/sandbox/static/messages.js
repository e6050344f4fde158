// The private conversation between you and the company.

import { avatar } from "./avatar.js";
import { el, fill, icon } from "./dom.js";
import { heading } from "./lists.js";
import { attempt, call, network, tell } from "./network.js";
import { nodes, time } from "./text.js";

export function messagesView(main) {
  const list = el("div", { class: "bubbles", role: "log", "aria-label": "Messages", tabindex: 0 });
  const area = el("textarea", { rows: 1, "aria-label": "Your message", placeholder: "Write a private message", maxlength: 10000 });
  const form = el("form", { class: "message-box", onsubmit: send }, area, el("button", { type: "submit", class: "button primary round", "aria-label": "Send" }, icon("send", 20)));
  let me = network.me;
  fill(main, el("div", { class: "messages" }, heading("Messages"), top(), list, form));

  function top() {
    const { account } = network;
    return el(
      "div",
      { class: "partner" },
      avatar(account, 40),
      el("div", {}, el("a", { class: "name", href: `#/user/${account.handle}` }, account.name), el("span", { class: "automated" }, "Automated"), el("p", { class: "sub" }, "Only you and they can read this.")),
    );
  }

  function bubble(message) {
    const mine = message.author === network.me?.handle;
    return el("div", { class: `bubble${mine ? " mine" : ""}`, data: { messageId: message.id } }, el("p", {}, nodes(message.text)), time(message.created_at));
  }

  async function load() {
    me = network.me;
    network.unread = 0;
    tell({ type: "unread" });
    if (!me) return;
    const page = await attempt(() => call("GET", `dms?limit=100&with=${encodeURIComponent(me.handle)}`));
    if (!page) return;
    const shown = page.messages.reverse().map(bubble);
    fill(list, shown.length ? shown : el("p", { class: "empty" }, `This is the beginning of your conversation with ${network.account.name}.`));
    list.scrollTop = list.scrollHeight;
  }

  async function send(event) {
    event.preventDefault();
    const text = area.value.trim();
    if (!text || !me) return;
    const sent = await attempt(() => call("POST", "dms", { author: me.handle, text }));
    if (sent) {
      area.value = "";
      grow();
      add(sent);
    }
    area.focus();
  }

  function add(message) {
    if (![message.author, message.recipient].includes(me?.handle)) return;
    if (list.querySelector(`[data-message-id="${message.id}"]`)) return;
    list.querySelector(".empty")?.remove();
    list.append(bubble(message));
    list.scrollTop = list.scrollHeight;
  }

  function grow() {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 180)}px`;
  }

  area.addEventListener("input", grow);
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  load();
  return (event) => {
    if (event.type === "dm") add(event.message);
    if (event.type === "resync" || (event.type === "people" && me?.id !== network.me?.id)) load();
  };
}
