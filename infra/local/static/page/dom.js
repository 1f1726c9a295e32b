// Everything is built of elements and text nodes: no text of a message ever becomes HTML.

export const byId = (id) => document.getElementById(id);
const drawn = new Map(), used = new Set(); // what is on the page, by key, so that only what changed is drawn again

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
  used.add(key);
  const text = JSON.stringify(value), old = drawn.get(key);
  if (old && old.text === text) return old.element;
  const element = make();
  drawn.set(key, { text, element });
  return element;
}

export function drawing(draw) { // forgets what is no longer shown, and puts the focus back on what was drawn anew
  const held = document.activeElement || document.body, article = held.closest("article")?.id, name = named(held);
  used.clear();
  draw();
  for (const key of drawn.keys()) if (!used.has(key)) drawn.delete(key);
  if (held.isConnected) return;
  const place = byId(article) || document, focusable = [...place.querySelectorAll("a, button, input, select, textarea")];
  (focusable.find((each) => named(each) === name) || byId("place")).focus({ preventScroll: true });
}

const named = (each) => each.getAttribute("aria-label") || each.getAttribute("href") || each.textContent;

export const forget = () => drawn.clear();

export function fill(parent, children) { // touches only what changed, so that the focus stays where it is
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] || null);
  });
}

export function once(press) { // one press at a time; a button that is busy keeps the focus
  let busy = false;
  return async (event) => {
    const button = event.submitter || event.currentTarget;
    if (busy) return;
    busy = true;
    button.setAttribute("aria-disabled", "true");
    await press(event);
    button.removeAttribute("aria-disabled");
    busy = false;
  };
}

export function clock(date) {
  const text = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return el("time", { dateTime: date.toISOString(), title: date.toLocaleString() }, text);
}

export function face(name, bot) {
  const initials = name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("");
  return el("span", { className: bot ? "face bot" : "face", ariaHidden: "true" }, bot ? "✓" : initials);
}

export function menu(open) { // of a phone; elsewhere everything has its place beside the messages
  document.body.toggleAttribute("data-menu", open);
  byId("menu").setAttribute("aria-expanded", String(open));
}

export const option = (value, label) => el("option", { value }, label);
