// Everything is built of elements and text nodes: no text of a message ever becomes HTML.

export const byId = (id) => document.getElementById(id);
const drawn = new Map(); // what is on the page, by key, so that only what changed is drawn again

export function el(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null));
  return element;
}

export function reused(key, value, make) { // the element drawn before, if it would look the same
  const text = JSON.stringify(value), old = drawn.get(key);
  if (old && old.text === text) return old.element;
  const element = make();
  drawn.set(key, { text, element });
  return element;
}

export const forget = () => drawn.clear();

export function fill(parent, children) { // moves only what is out of place, so that the focus stays where it is
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] || null);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}

export function clock(date) {
  const text = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return el("time", { dateTime: date.toISOString(), title: date.toLocaleString() }, text);
}

export function face(name, bot) {
  const initials = name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("");
  return el("span", { className: bot ? "face bot" : "face", ariaHidden: "true" }, bot ? "✓" : initials);
}

export const option = (value, label) => el("option", { value }, label);
