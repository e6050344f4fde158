// The queue's page: live rows, j/k to move, t to take.

import { replaceKeyed, startLive } from "./live.js";
import { move, onKeys } from "./keys.js";

const lanes = ["mine", "waiting", "colleagues"];

startLive({ isOurs: () => true, apply });
onKeys({
  j: () => step(1),
  k: () => step(-1),
  t: () => focusedRow()?.querySelector("form[action$='/take']")?.requestSubmit(),
});

function apply(fresh) {
  const focused = focusedRow()?.id;
  const added = lanes.flatMap((lane) => replaceKeyed(fresh, lane).map((row) => [lane, row]));
  for (const lane of lanes) document.getElementById(`${lane}-count`).textContent = fresh.getElementById(`${lane}-count`).textContent;
  document.title = fresh.title;
  if (focused && !document.getElementById(focused)) rows()[0]?.querySelector(".row-link").focus();
  const arrived = added.filter(([lane, row]) => lane === "waiting" && row.dataset.case).length;
  if (arrived) document.getElementById("announce").textContent = `${arrived} new in the queue`;
}

function rows() { return [...document.querySelectorAll(".row")]; }
function focusedRow() { return document.activeElement?.closest(".row"); }

function step(by) {
  const links = rows().map((row) => row.querySelector(".row-link"));
  const row = focusedRow();
  if (row) row.querySelector(".row-link").focus();
  move(links, by);
}
