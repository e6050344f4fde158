// Counts a text roughly as X weighs it, and turns it into nodes with links.

import { el } from "./dom.js";

export const MAX_LENGTH = 280;
const LIGHT = [[0, 4351], [8192, 8205], [8208, 8223], [8242, 8247]];
const LINK = /\bhttps?:\/\/[^\s]+|\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|example|eu|de|fr|uk)\b(?:\/[^\s]*)?/gi;
const PIECE = /(https?:\/\/[^\s]+)|(?<![A-Za-z0-9_])@([A-Za-z0-9_]{1,15})|(?<![\w&/])#(\w+)/g;

export function weight(text) {
  let total = 0;
  const rest = text.normalize("NFC").replace(LINK, () => {
    total += 23;
    return "";
  });
  const split = new Intl.Segmenter().segment(rest);
  for (const { segment } of split) {
    if (/\p{Extended_Pictographic}/u.test(segment)) total += 2;
    else for (const char of segment) total += LIGHT.some(([low, high]) => low <= char.codePointAt(0) && char.codePointAt(0) <= high) ? 1 : 2;
  }
  return total;
}

export function nodes(text) {
  const parts = [];
  let done = 0;
  for (const match of text.matchAll(PIECE)) {
    parts.push(text.slice(done, match.index));
    done = match.index + match[0].length;
    if (match[1]) parts.push(el("a", { href: match[1], rel: "noreferrer nofollow", target: "_blank" }, match[1]));
    else if (match[2]) parts.push(el("a", { href: `#/user/${match[2]}` }, match[0]));
    else parts.push(el("span", { class: "tag" }, match[0]));
  }
  return [...parts, text.slice(done)];
}

const relative = new Intl.RelativeTimeFormat("en", { style: "narrow", numeric: "auto" });

export function ago(iso, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 5) return "now";
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return relative.format(-Math.floor(seconds / 86400), "day");
}

export function clock(iso) {
  return new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

export function time(iso) {
  return el("time", { datetime: iso, title: clock(iso), class: "ago" }, ago(iso));
}
