// Builds elements; text always becomes a text node, so nothing a user wrote is read as HTML.

const SVG = "http://www.w3.org/2000/svg";

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const PATHS = {
  home: "M3 11.5 12 4l9 7.5M5.5 10v9.5h4.6v-5.6h3.8v5.6h4.6V10",
  plane: "M10.4 13.6 3 11.2l1-1 7.6.4 4.9-4.9c.9-.9 2.6-1.3 3.2-.7s.2 2.3-.7 3.2l-4.9 4.9.4 7.6-1 1-2.4-7.4M10.4 13.6 6 18m4.4-4.4 2 2",
  mail: "M3.5 6.5h17v11h-17zM3.5 7l8.5 6.5L20.5 7",
  people: "M9 11.2a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8M2.8 19.6c.5-3.4 3-5.2 6.2-5.2s5.7 1.8 6.2 5.2M16 4.9a3.2 3.2 0 0 1 0 6M17.6 14.7c2 .7 3.3 2.3 3.6 4.9",
  pen: "M4 20l.9-4.2L16.4 4.3a1.8 1.8 0 0 1 2.6 0l.7.7a1.8 1.8 0 0 1 0 2.6L8.2 19.1 4 20M14.5 6.2l3.3 3.3",
  moon: "M20 14.2A8.2 8.2 0 0 1 9.8 4 8.2 8.2 0 1 0 20 14.2",
  sun: "M12 7.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8M12 2.8v2M12 19.2v2M2.8 12h2M19.2 12h2M5.5 5.5l1.4 1.4M17.1 17.1l1.4 1.4M18.5 5.5l-1.4 1.4M6.9 17.1l-1.4 1.4",
  reply: "M4 12.2C4 8.2 7.4 5 12 5s8 3.2 8 7.2-3.4 7.2-8 7.2c-.8 0-1.6-.1-2.4-.3L5 20.5l.9-3.6A6.9 6.9 0 0 1 4 12.2",
  quote: "M5 17.5V11a4 4 0 0 1 4-4M13.5 17.5V11a4 4 0 0 1 4-4M5 12.5h4v5H5zM13.5 12.5h4v5h-4z",
  trash: "M5 7h14M9.5 7V4.8h5V7M7 7l.8 12.5h8.4L17 7M10.3 10.5v5.5M13.7 10.5v5.5",
  back: "M19.5 12h-15M11 5.5 4.5 12l6.5 6.5",
  send: "M4 12 20 4.5 15.5 20l-3.8-6.2zM11.7 13.8 20 4.5",
  image: "M4 5h16v14H4zM4 16l4.5-4.5 4 4 3-3L20 17M15 8.8h.1",
  lock: "M6.5 11h11v8.5h-11zM8.8 11V8.3a3.2 3.2 0 0 1 6.4 0V11",
  spark: "M12 3.5 13.8 10 20.5 12 13.8 14 12 20.5 10.2 14 3.5 12 10.2 10z",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
};

export function icon(name, size = 22) {
  const shape = svg("path", { d: PATHS[name] });
  return svg("svg", { viewBox: "0 0 24 24", width: size, height: size, class: "icon", "aria-hidden": "true" }, shape);
}

export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter(Boolean));
}
