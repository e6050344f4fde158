// Single keys, off while somebody types; `?` shows them, and a tick box turns them off on this device.

const dialog = document.getElementById("help");
const box = document.getElementById("keys-on");
const kept = "frontdesk-keys";

box.checked = localStorage.getItem(kept) !== "off";
box.addEventListener("change", () => localStorage.setItem(kept, box.checked ? "on" : "off"));
document.getElementById("show-help").addEventListener("click", () => dialog.showModal());

export function onKeys(actions) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select");
    if (event.key === "Escape" && typing && !dialog.open) return typing.blur();
    if (typing || dialog.open || event.ctrlKey || event.metaKey || event.altKey || !box.checked) return;
    if (event.key === "?") return dialog.showModal();
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

// Moves focus through elements; `step` is 1 or -1.
export function move(elements, step) {
  const at = elements.findIndex((element) => element.contains(document.activeElement) || element === document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : elements.length - 1) : Math.min(elements.length - 1, Math.max(0, at + step));
  elements[next]?.focus();
}
