// The box in which posts are written, inline or in the dialog.

import { avatar } from "./avatar.js";
import { el, icon, svg } from "./dom.js";
import { attempt, call, network, toast } from "./network.js";
import { miniPost } from "./post.js";
import { MAX_LENGTH, weight } from "./text.js";

const RING = 2 * Math.PI * 9;

export function composer({ replyTo = null, quote = null, done = () => {}, focus = false } = {}) {
  const area = el("textarea", { rows: 2, "aria-label": replyTo ? "Your reply" : "Your post", placeholder: placeholder(replyTo) });
  const left = el("span", { class: "left" });
  const track = svg("circle", { cx: 12, cy: 12, r: 9, class: "ring-track" });
  const arc = svg("circle", { cx: 12, cy: 12, r: 9, class: "ring-arc", "stroke-dasharray": RING, transform: "rotate(-90 12 12)" });
  const ring = svg("svg", { viewBox: "0 0 24 24", width: 26, height: 26, "aria-hidden": "true" }, track, arc);
  const submit = el("button", { type: "submit", class: "button primary" }, replyTo ? "Reply" : "Post");
  const photo = el("button", { type: "button", class: "plain", "aria-pressed": "false", "aria-label": "Attach a photo", title: "Attach a photo", onclick: () => togglePhoto() }, icon("image", 20));
  const mention = el("button", { type: "button", class: "chip", onclick: () => addMention() }, `@${network.account.handle}`);
  const hint = el("p", { class: "hint" });
  let media = false;

  function togglePhoto() {
    media = !media;
    photo.setAttribute("aria-pressed", String(media));
    refresh();
  }

  function addMention() {
    const gap = area.value && !/\s$/.test(area.value) ? " " : "";
    area.value += `${gap}@${network.account.handle} `;
    area.focus();
    refresh();
  }

  function refresh() {
    const length = weight(area.value);
    const remaining = MAX_LENGTH - length;
    left.textContent = remaining <= 40 ? String(remaining) : "";
    arc.setAttribute("stroke-dashoffset", String(RING * (1 - Math.min(1, length / MAX_LENGTH))));
    ring.setAttribute("class", remaining < 0 ? "ring over" : remaining <= 20 ? "ring near" : "ring");
    submit.disabled = remaining < 0 || (!area.value.trim() && !media);
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
    const asks = area.value.toLowerCase().includes(`@${network.account.handle.toLowerCase()}`);
    mention.hidden = asks;
    hint.textContent = replyTo && !asks && area.value.trim() ? `${network.account.name} may only answer posts that mention it by name.` : "";
  }

  async function send(event) {
    event.preventDefault();
    if (submit.disabled || !network.me) return;
    submit.disabled = true;
    const body = { author: network.me.handle, text: area.value.trim(), media };
    if (replyTo) body.in_reply_to = replyTo.id;
    if (quote) body.quote = quote.id;
    const post = await attempt(() => call("POST", "posts", body));
    if (post) {
      area.value = "";
      if (media) togglePhoto();
      if (!replyTo && !quote && location.hash.startsWith("#/user")) toast("Posted.");
      done(post);
    }
    refresh();
  }

  const form = el(
    "form",
    { class: "composer", onsubmit: send },
    el("div", { class: "composer-face" }, network.me ? avatar(network.me) : null),
    el(
      "div",
      { class: "composer-body" },
      area,
      quote ? miniPost(quote) : null,
      hint,
      el("div", { class: "composer-foot" }, photo, mention, el("span", { class: "grow" }), left, ring, submit),
    ),
  );
  area.addEventListener("input", refresh);
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  refresh();
  if (focus) requestAnimationFrame(() => area.focus());
  return form;
}

function placeholder(replyTo) {
  return replyTo ? `Reply to @${replyTo.author.handle}` : `What is happening? Ask @${network.account.handle} something`;
}

export function openComposer(options = {}) {
  const dialog = document.getElementById("dialog");
  const close = el("button", { type: "button", class: "plain", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"));
  const box = composer({ ...options, focus: true, done: (post) => { dialog.close(); options.done?.(post); } });
  dialog.replaceChildren(
    el("div", { class: "dialog-head" }, close, el("strong", {}, options.replyTo ? "Reply" : options.quote ? "Quote" : "New post")),
    ...(options.replyTo ? [miniPost(options.replyTo)] : []),
    box,
  );
  dialog.showModal();
}
