// One post, as a card in a list or as the middle of its thread.

import { avatar } from "./avatar.js";
import { openComposer } from "./composer.js";
import { el, icon, svg } from "./dom.js";
import { attempt, call, network } from "./network.js";
import { clock, nodes, time } from "./text.js";

export function names(user) {
  return [
    el("a", { href: `#/user/${user.handle}`, class: "name" }, user.name),
    user.automated ? el("span", { class: "automated", title: "This account is run by software and people" }, "Automated") : null,
    user.protected ? el("span", { class: "locked", title: "Protected posts" }, icon("lock", 14)) : null,
    el("span", { class: "handle" }, `@${user.handle}`),
  ];
}

export function miniPost(post) {
  return el(
    "a",
    { class: "mini", href: `#/post/${post.id}` },
    el("span", { class: "mini-head" }, avatar(post.author, 20), el("b", {}, post.author.name), el("span", { class: "handle" }, `@${post.author.handle}`)),
    el("span", { class: "mini-text" }, post.text),
  );
}

export function postCard(post, { large = false, line = false, fresh = false } = {}) {
  if (post.deleted) return el("article", { class: "post gone", data: { postId: post.id } }, el("p", {}, "This post was deleted."));
  const body = el(
    "div",
    { class: "post-body" },
    el("div", { class: "post-head" }, names(post.author), el("span", { class: "dot" }, "·"), el("a", { href: `#/post/${post.id}`, class: "quiet" }, time(post.created_at))),
    post.in_reply_to_handle ? el("p", { class: "answering" }, "Replying to ", el("a", { href: `#/user/${post.in_reply_to_handle}` }, `@${post.in_reply_to_handle}`)) : null,
    post.text ? el("p", { class: "post-text" }, nodes(post.text)) : null,
    post.media ? photo(post) : null,
    post.quote ? miniPost(post.quote) : null,
    post.deep_link ? privateLink(post) : null,
    large ? el("p", { class: "post-when" }, clock(post.created_at), post.edited ? " · edited" : "", post.via_api ? " · sent by software" : "") : null,
    actions(post),
  );
  const card = el(
    "article",
    {
      class: `post${large ? " large" : ""}${line ? " line" : ""}${fresh ? " fresh" : ""}`,
      tabindex: 0,
      data: { postId: post.id, author: post.author.handle },
      "aria-label": `Post by ${post.author.name}`,
    },
    el("a", { class: "face", href: `#/user/${post.author.handle}`, tabindex: -1, "aria-hidden": "true" }, avatar(post.author)),
    body,
  );
  const open = () => { location.hash = `#/post/${post.id}`; };
  card.addEventListener("click", (event) => {
    if (!large && !event.target.closest("a, button") && !String(getSelection())) open();
  });
  card.addEventListener("keydown", (event) => {
    if (event.target !== card) return;
    if (event.key === "Enter") open();
    if (event.key === "r") { event.preventDefault(); openComposer({ replyTo: post }); }
  });
  return card;
}

function actions(post) {
  const own = network.me && post.author.id === network.me.id;
  return el(
    "div",
    { class: "actions" },
    el("button", { type: "button", class: "plain act", "aria-label": `Reply, ${post.reply_count} so far`, onclick: () => openComposer({ replyTo: post }) }, icon("reply", 18), el("span", { class: "count" }, post.reply_count ? String(post.reply_count) : "")),
    el("button", { type: "button", class: "plain act", "aria-label": "Quote", onclick: () => openComposer({ quote: post }) }, icon("quote", 18)),
    own ? el("button", { type: "button", class: "plain act danger", "aria-label": "Delete", onclick: () => attempt(() => call("DELETE", `posts/${post.id}`)) }, icon("trash", 18)) : null,
  );
}

function privateLink(post) {
  return el("a", { class: "button private", href: `#/messages`, data: { deepLink: post.id } }, icon("mail", 18), "Send a private message");
}

function photo(post) {
  const hue = Number(BigInt(post.id) % 360n);
  return svg(
    "svg",
    { viewBox: "0 0 320 150", class: "photo", role: "img", "aria-label": "Photo" },
    svg("rect", { width: 320, height: 150, fill: `hsl(${hue} 55% 72%)` }),
    svg("circle", { cx: 60 + (hue % 200), cy: 46, r: 24, fill: `hsl(${(hue + 40) % 360} 90% 88%)` }),
    svg("path", { d: "M0 118 70 68l52 38 60-58 138 84v18H0z", fill: `hsl(${(hue + 200) % 360} 34% 38%)` }),
    svg("path", { d: "M0 134q90-32 170-8t150-6v30H0z", fill: `hsl(${(hue + 200) % 360} 38% 26%)` }),
  );
}

export function bumpReplies(root, id) {
  const count = root.querySelector(`[data-post-id="${id}"] > .post-body > .actions .count`);
  if (count) count.textContent = String(Number(count.textContent || 0) + 1);
}
