// Home, and a profile: lists of posts that grow while one looks.

import { avatar } from "./avatar.js";
import { composer } from "./composer.js";
import { el, fill, icon } from "./dom.js";
import { attempt, call, network, userNamed } from "./network.js";
import { bumpReplies, postCard } from "./post.js";

function listOf({ query, accepts, empty }) {
  const list = el("div", { class: "list", "aria-live": "off" });
  const more = el("button", { type: "button", class: "button more", hidden: true, onclick: () => load(list.lastElementChild?.dataset.postId) }, "Show older posts");
  const nothing = el("p", { class: "empty", hidden: true }, empty);

  async function load(before) {
    const page = await attempt(() => call("GET", `posts?limit=40${query}${before ? `&before=${before}` : ""}`));
    if (!page) return;
    if (before) list.append(...page.posts.map((post) => postCard(post)));
    else fill(list, page.posts.map((post) => postCard(post)));
    more.hidden = !page.more;
    nothing.hidden = list.childElementCount > 0;
  }

  function hear(event) {
    if (event.type === "resync") load();
    if (event.type === "post_deleted") list.querySelector(`:scope > [data-post-id="${event.id}"]`)?.remove();
    if (event.type === "post") {
      if (event.post.in_reply_to) bumpReplies(list, event.post.in_reply_to);
      if (accepts(event.post) && !list.querySelector(`:scope > [data-post-id="${event.post.id}"]`)) list.prepend(postCard(event.post, { fresh: true }));
    }
    nothing.hidden = list.childElementCount > 0;
  }

  return { element: el("div", {}, nothing, list, more), load, hear };
}

export function heading(title, { back = false, sub = "" } = {}) {
  return el(
    "div",
    { class: "heading" },
    back ? el("button", { type: "button", class: "plain", "aria-label": "Back", onclick: () => history.back() }, icon("back")) : null,
    el("div", {}, el("h1", {}, title), sub ? el("p", { class: "sub" }, sub) : null),
  );
}

export function homeView(main) {
  const posts = listOf({ query: "", accepts: () => true, empty: "Nothing here yet. Write the first post." });
  const place = el("div", { class: "home-composer" });
  const drawComposer = () => fill(place, composer());
  fill(main, heading("Home"), place, posts.element);
  drawComposer();
  posts.load();
  return (event) => (event.type === "people" ? drawComposer() : posts.hear(event));
}

export function profileView(main, handle) {
  const user = userNamed(handle);
  if (!user) {
    fill(main, heading("Profile", { back: true }), el("p", { class: "empty" }, `There is no @${handle} here.`));
    return () => {};
  }
  const posts = listOf({
    query: `&author=${encodeURIComponent(user.handle)}`,
    accepts: (post) => post.author.id === user.id,
    empty: `@${user.handle} has not posted yet.`,
  });
  const isAccount = user.id === network.account.id;
  fill(
    main,
    heading(user.name, { back: true, sub: `@${user.handle}` }),
    el(
      "section",
      { class: "profile" },
      el("div", { class: `banner${isAccount ? " company" : ""}` }),
      el("div", { class: "profile-top" }, avatar(user, 96), el("span", { class: "grow" }), isAccount ? el("a", { class: "button", href: "#/messages" }, icon("mail", 18), "Message") : null),
      el("h2", {}, user.name, " ", user.protected ? icon("lock", 16) : null),
      el("p", { class: "handle" }, `@${user.handle}`),
      user.automated ? el("p", { class: "automated-line" }, icon("spark", 16), el("b", {}, "Automated"), " A bot answers first; people run it.") : null,
      user.bio ? el("p", { class: "bio" }, user.bio) : null,
    ),
    posts.element,
  );
  posts.load();
  return posts.hear;
}
