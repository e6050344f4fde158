// A picture for everybody, drawn from the handle: the same person always looks the same.

import { svg } from "./dom.js";

// FNV-1a, then mixed once more so that similar handles get different colours.
function hash(text) {
  let value = 2166136261;
  for (const char of text.toLowerCase()) value = Math.imul(value ^ char.codePointAt(0), 16777619);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

export function avatar(user, size = 44) {
  const seed = hash(user.handle);
  const hue = (seed + 45) % 360;
  const initials = [...(user.name || user.handle).trim()].filter((_, i, all) => i === 0 || all[i - 1] === " ");
  const parts = [
    svg("rect", { width: 48, height: 48, fill: `hsl(${hue} 58% 42%)` }),
    svg("circle", { cx: 6 + ((seed >> 9) % 38), cy: 4 + ((seed >> 14) % 18), r: 17, fill: `hsl(${(hue + 42) % 360} 66% 56%)` }),
    svg("path", { d: `M0 ${34 + ((seed >> 4) % 8)}Q${12 + ((seed >> 6) % 24)} ${20 + ((seed >> 11) % 14)} 48 ${38 - ((seed >> 8) % 8)}V48H0z`, fill: `hsl(${(hue + 330) % 360} 52% 30%)`, opacity: "0.72" }),
  ];
  if (user.automated) {
    parts.push(svg("path", { d: "M9 30c9-1 13-6 16-15 1 6 1 9-1 12 6-2 10-2 15 0-7 1-11 4-15 9-4-3-9-5-15-6z", fill: "#fff", opacity: "0.95" }));
  } else {
    const label = svg("text", { x: 24, y: 31, "text-anchor": "middle", "font-size": 19, "font-weight": 700, fill: "#fff" });
    label.textContent = initials.slice(0, 2).join("").toUpperCase();
    parts.push(label);
  }
  return svg("svg", { viewBox: "0 0 48 48", width: size, height: size, class: "avatar", "aria-hidden": "true" }, ...parts);
}
