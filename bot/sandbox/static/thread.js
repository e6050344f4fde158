// A thread: what led to a post, the post itself, and what was answered.

import { composer } from "./composer.js";
import { el, fill } from "./dom.js";
import { call, network } from "./network.js";
import { heading } from "./lists.js";
import { postCard } from "./post.js";

export function threadView(main, id) {
  const above = el("div", { class: "list" });
  const middle = el("div", { class: "list" });
  const box = el("div", { class: "reply-composer" });
  const below = el("div", { class: "list" });
  let conversation = null;
  let drawn = false;
  fill(main, heading("Thread", { back: true }), above, middle, box, below);

  async function load(freshId) {
    let posts;
    try {
      posts = (await call("GET", `posts/${id}/thread`)).posts;
    } catch (error) {
      fill(above);
      fill(box);
      fill(below);
      fill(middle, el("p", { class: "empty" }, error.message));
      return;
    }
    const byId = new Map(posts.map((post) => [post.id, post]));
    const focus = byId.get(id);
    conversation = focus.conversation_id;
    const ancestors = [];
    for (let post = byId.get(focus.in_reply_to); post; post = byId.get(post.in_reply_to)) ancestors.unshift(post);
    fill(above, ancestors.map((post) => postCard(post, { line: true })));
    fill(middle, postCard(focus, { large: true }));
    fill(below, branch(posts, id, 0, freshId));
    if (!drawn) {
      drawn = true;
      drawComposer(focus);
      middle.scrollIntoView({ block: "nearest" });
    }
  }

  function drawComposer(focus) {
    fill(box, network.me ? composer({ replyTo: focus }) : null);
  }

  load();
  return (event) => {
    if (event.type === "resync" || event.type === "post_deleted") load();
    if (event.type === "people") {
      drawn = false;
      load();
    }
    if (event.type === "post" && event.post.conversation_id === conversation) load(event.post.id);
  };
}

function branch(posts, parent, depth, freshId) {
  const cards = [];
  for (const post of posts.filter((other) => other.in_reply_to === parent)) {
    const under = branch(posts, post.id, depth + 1, freshId);
    if (post.deleted && !under.length) continue;
    const card = postCard(post, { line: under.length > 0, fresh: post.id === freshId });
    card.classList.add(`depth-${Math.min(depth, 3)}`);
    cards.push(card, ...under);
  }
  return cards;
}
