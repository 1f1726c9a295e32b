"use strict";
// Slack as one person sees it. Everything is built of elements and text nodes: no text of a message ever becomes HTML.

const EMOJI = {
  white_check_mark: "✅", large_yellow_circle: "🟡", white_circle: "⚪", large_green_circle: "🟢", red_circle: "🔴",
  x: "❌", thread: "🧵", no_entry: "⛔", hourglass: "⌛", hourglass_flowing_sand: "⏳", warning: "⚠️", lock: "🔒",
  eye: "👁️", bell: "🔔", rewind: "⏪", leftwards_arrow_with_hook: "↩️", fast_forward: "⏩", link: "🔗", memo: "📝",
};
const LOST = "The local stack does not answer.";
const byId = (id) => document.getElementById(id);
const drawn = new Map(); // what is on the page, by key, so that only what changed is drawn again
let state = null, tag = "", me = sessionStorage.getItem("me") || "", channel = "", shownModal = "", wanted = linked();

function el(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null));
  return element;
}

function linked() { // a permalink: /archives/CHANNEL/p1700000000000100
  const [, place, digits] = location.pathname.match(/^\/archives\/(\w+)\/p(\d+)$/) || [];
  return digits ? { channel: place, ts: `${digits.slice(0, -6)}.${digits.slice(-6)}` } : null;
}

// ---- mrkdwn: https://docs.slack.dev/messaging/formatting-message-text

const MARKS = new RegExp([
  "```([\\s\\S]+?)```", "`([^`\\n]+)`", "<([^<>\\n]+)>", ":([a-z0-9_+-]+):",
  "(?<![\\w*])\\*(\\S(?:[^*\\n]*\\S)?)\\*(?![\\w*])", "(?<![\\w])_(\\S(?:[^_\\n]*\\S)?)_(?![\\w])",
  "(?<![\\w~])~(\\S(?:[^~\\n]*\\S)?)~(?![\\w~])", "(\\n)",
].join("|"), "g");
const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

function mrkdwn(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(MARKS)) {
    nodes.push(unescaped(text.slice(done, match.index)), marked(match));
    done = match.index + match[0].length;
  }
  return [...nodes, unescaped(text.slice(done))];
}

function marked([whole, block, code, inside, emoji, bold, italic, strike, newline]) {
  if (block) return el("pre", {}, unescaped(block));
  if (code) return el("code", {}, unescaped(code));
  if (inside) return angled(inside);
  if (emoji) return EMOJI[emoji] || whole;
  if (bold) return el("b", {}, mrkdwn(bold));
  if (italic) return el("em", {}, mrkdwn(italic));
  if (strike) return el("s", {}, mrkdwn(strike));
  return newline ? el("br") : whole;
}

function angled(inside) { // <@U1>, <#C1>, <!date^…>, <!here>, <https://…|label>
  const [target, label] = [inside.split("|")[0], inside.split("|").slice(1).join("|")];
  if (target.startsWith("@")) return mention("@" + (state.names[target.slice(1)] || label || target.slice(1)));
  if (target.startsWith("#")) {
    const known = state.channels.find((each) => each.id === target.slice(1));
    return mention("#" + (known ? known.name : label || target.slice(1)));
  }
  if (target.startsWith("!date^")) return dated(target.split("^"), label);
  if (target.startsWith("!")) return mention("@" + (label || target.slice(1).split("^")[0]));
  return anchor(target, unescaped(label || target));
}

const mention = (text) => el("span", { className: "mention" }, text);

function anchor(url, label) {
  if (!/^(https?:|mailto:)/i.test(url)) return label; // nothing that a browser would run
  return el("a", { href: unescaped(url), target: "_blank", rel: "noopener noreferrer" }, label);
}

function dated([, seconds, format, link], fallback) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  const day = (style) => date.toLocaleDateString([], style);
  const long = { year: "numeric", month: "long", day: "numeric" }, short = { ...long, month: "short" };
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const text = format.replace(/\{(\w+)\}/g, (token, name) => ({
    date: day(long), date_pretty: day(long), date_num: date.toISOString().slice(0, 10),
    date_short: day(short), date_short_pretty: day(short), date_long: day({ ...long, weekday: "long" }),
    date_long_pretty: day({ ...long, weekday: "long" }), time, time_secs: date.toLocaleTimeString([]),
  })[name] || token);
  return link ? anchor(link, text) : el("time", { dateTime: date.toISOString(), title: fallback }, text);
}

const plain = (text) => text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] || whole);
const words = (text) => (text.type === "mrkdwn" ? mrkdwn(text.text) : [plain(text.text)]);

// ---- Block Kit

const BLOCKS = {
  header: (block) => el("h2", {}, words(block.text)),
  context: (block) => el("div", { className: "context" }, block.elements.map((each) => el("span", {}, words(each)))),
  section: (block, press) => el("div", { className: "section" },
    block.text ? el("div", {}, words(block.text)) : null,
    block.fields ? el("div", { className: "fields" }, block.fields.map((each) => el("div", {}, words(each)))) : null,
    block.accessory ? button(block.accessory, press) : null),
  actions: (block, press) => el("div", { className: "actions" }, block.elements.map((each) => button(each, press))),
  divider: () => el("hr"),
  rich_text: (block) => el("div", { className: "rich" }, block.elements.map(rich)),
  table: (block) => el("div", { className: "scroll", tabIndex: 0 }, el("table", {}, block.rows.map((row, index) =>
    el("tr", {}, row.map((cell, column) => tableCell(cell, index, (block.column_settings || [])[column] || {})))))),
  alert: (block) => el("p", { className: block.level === "error" ? "wrong" : "hint" }, words(block.text)),
  markdown: (block) => el("div", { className: "rich" }, block.text),
  input: (block) => field(block),
};

function tableCell(cell, row, { align = "left", is_wrapped: wrapped }) {
  const props = { className: `${align} ${wrapped ? "wrapped" : ""}`, ...(row ? {} : { scope: "col" }) };
  return el(row ? "td" : "th", props, cell.elements ? cell.elements.map(rich) : String(cell.text ?? cell.value));
}

function rich(element) {
  const tag = { rich_text_list: element.style === "ordered" ? "ol" : "ul", rich_text_preformatted: "pre",
    rich_text_quote: "blockquote" }[element.type] || (element.type === "rich_text_section" ? "span" : "");
  if (tag) return el(tag, {}, element.elements.map((each) => (tag.endsWith("l") ? el("li", {}, rich(each)) : rich(each))));
  const { bold, italic, strike, code } = element.style || {}, styles = [[code, "code"], [strike, "s"], [italic, "em"], [bold, "b"]];
  return styles.reduce((inner, [on, name]) => (on ? el(name, {}, inner) : inner), leaf(element));
}

function leaf({ type, text, url, name, user_id: user, fallback }) {
  if (type === "link") return anchor(url, text || url);
  if (type === "emoji") return EMOJI[name] || `:${name}:`;
  if (type === "user") return mention("@" + (state.names[user] || user));
  return text || fallback || "";
}

function button(element, press) {
  if (element.type !== "button") return null;
  const label = element.accessibility_label || plain(element.text.text);
  const made = el("button", { type: "button", className: element.style || "", "aria-label": label }, words(element.text));
  made.onclick = async () => {
    if (element.url) window.open(element.url, "_blank", "noopener");
    if (element.confirm && !(await confirmed(element.confirm))) return;
    made.disabled = true;
    await press(element.action_id);
    made.disabled = false;
  };
  return made;
}

function blocks(list, press) {
  return list.map((block) => (BLOCKS[block.type] ? BLOCKS[block.type](block, press) : el("p", {}, `(${block.type})`)));
}

// ---- messages

function face(user) {
  const name = state.names[user] || "Slack";
  const initials = name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("");
  const bot = user === state.bot;
  return el("span", { className: bot ? "face bot" : "face", ariaHidden: "true" }, bot ? "✓" : initials);
}

function article(message, place) {
  const press = (action_id) => act("/press", { channel: place, ts: message.ts, action_id });
  const content = message.blocks.length ? blocks(message.blocks, press) : [el("div", { className: "rich" }, mrkdwn(message.text))];
  const when = new Date(Number(message.ts) * 1000), replies = message.replies || [];
  const clock = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return el("article", { id: `m${message.ts}`, className: message.ephemeral ? "ephemeral" : "" },
    message.ephemeral ? el("div", { className: "only" }, "👁 Only visible to you") : null,
    face(message.user),
    el("div", { className: "body" },
      el("div", { className: "who" }, el("b", {}, state.names[message.user] || "Slack"),
        message.user === state.bot ? el("span", { className: "app" }, "APP") : null,
        el("time", { dateTime: when.toISOString(), title: when.toLocaleString() }, clock),
        message.edited ? el("i", {}, "(edited)") : null),
      content),
    replies.length ? el("div", { className: "thread" }, replies.map((reply) => article(reply, place))) : null);
}

function reused(key, value, make) { // the element drawn before, if it would look the same
  const text = JSON.stringify(value), old = drawn.get(key);
  if (old && old.text === text) return old.element;
  const element = make();
  drawn.set(key, { text, element });
  return element;
}

function fill(parent, children) { // moves only what is out of place, so that the focus stays where it is
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] || null);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}

function showMessages() {
  const box = byId("messages"), place = state.channels.find((each) => each.id === channel);
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const list = place ? place.messages : [];
  const articles = list.map((each) => reused(`${channel} ${each.ts}`, [each, state.names], () => article(each, channel)));
  const empty = el("p", { className: "empty" }, "Nothing here yet. Register a model version, and its card appears.");
  fill(box, articles.length ? articles : [empty]);
  if (wanted && wanted.channel === channel) return found();
  if (atEnd) box.scrollTop = box.scrollHeight;
}

function found() { // the message of a permalink
  const target = byId(`m${wanted.ts}`);
  if (!target) return;
  target.classList.add("found");
  target.scrollIntoView({ block: "center" });
  wanted = null;
}

function showFrame() {
  const label = (user) => user.name + (user.kind ? ` (${user.kind})` : "");
  fill(byId("persona"), state.users.map((user) => reused(`user ${user.id}`, user, () => el("option", { value: user.id }, label(user)))));
  byId("persona").value = me;
  const known = (id) => state.channels.some((each) => each.id === id), [first = { id: "" }] = state.channels;
  if (!known(channel)) channel = wanted && known(wanted.channel) ? wanted.channel : first.id;
  fill(byId("channels"), state.channels.map((each) =>
    reused(`channel ${each.id}`, [each.name, each.archived, each.id === channel], () => tab(each, each.id === channel))));
}

function tab({ id, name, archived }, current) {
  const props = { type: "button", onclick: () => { channel = id; show(); }, ...(current ? { "aria-current": "page" } : {}) };
  return el("button", props, `# ${name}${archived ? " (archived)" : ""}`);
}

// ---- dialogs

function confirmed(confirm) {
  const dialog = byId("confirm");
  const choice = (text, value, style) => el("button", { type: "button", className: style, onclick: () => dialog.close(value) }, words(text));
  dialog.replaceChildren(el("h2", { id: "confirm-title" }, words(confirm.title)), el("div", {}, words(confirm.text)),
    el("div", { className: "actions" }, choice(confirm.deny, "", ""), choice(confirm.confirm, "yes", confirm.style || "primary")));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => { dialog.onclose = () => resolve(dialog.returnValue === "yes"); });
}

function field({ block_id, label, hint, element, optional }) {
  const props = { name: block_id, value: element.initial_value || "", placeholder: element.placeholder ? element.placeholder.text : "" };
  const options = (element.options || []).map((each) => el("option", { value: each.value }, words(each.text)));
  const input = element.options ? el("select", { name: block_id, multiple: element.type === "checkboxes" }, options)
    : el(element.multiline ? "textarea" : "input", { ...props, ...(element.multiline ? { rows: 4 } : { type: "text" }) });
  return el("label", { className: "field" }, el("b", {}, words(label), optional ? " (optional)" : ""), input,
    hint ? el("span", { className: "hint" }, words(hint)) : null, el("span", { className: "wrong", role: "alert", "data-for": block_id }));
}

function showModal() {
  const dialog = byId("modal"), view = state.modals[state.modals.length - 1];
  const key = view ? view.id + view.hash : "";
  if (key === shownModal) return;
  shownModal = key;
  if (!view) return dialog.close();
  const dismiss = () => act("/dismiss", { view_id: view.id });
  const close = el("button", { type: "button", onclick: dismiss }, words(view.close || { text: "Cancel" }));
  const submit = view.submit ? el("button", { className: "primary" }, words(view.submit)) : null;
  const form = el("form", { method: "dialog", noValidate: true }, el("h2", { id: "modal-title" }, words(view.title)),
    blocks(view.blocks, () => null), el("div", { className: "actions" }, close, submit));
  form.onsubmit = (event) => { event.preventDefault(); send(form, view); };
  dialog.oncancel = (event) => { event.preventDefault(); dismiss(); };
  dialog.replaceChildren(form);
  if (!dialog.open) dialog.showModal();
}

async function send(form, view) {
  const values = {};
  for (const input of form.querySelectorAll("[name]")) {
    values[input.name] = input.multiple ? [...input.selectedOptions].map((each) => each.value) : input.value;
  }
  const { errors, error } = await act("/submit", { view_id: view.id, values });
  for (const slot of form.querySelectorAll("[data-for]")) slot.textContent = (errors || {})[slot.dataset.for] || "";
  if (error) byId("note").textContent = `Slack could not submit this: ${error}`;
}

// ---- talking to the stand-in

async function act(path, body) {
  byId("note").textContent = "";
  const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: me, ...body }) };
  const response = await fetch(path, sent);
  const answer = response.ok ? await response.json() : { error: await response.text() };
  if (!response.ok) byId("note").textContent = answer.error;
  await refresh();
  return answer;
}

async function refresh() {
  const headers = tag ? { "If-None-Match": tag } : {};
  const response = await fetch(`/state?user=${encodeURIComponent(me)}`, { headers, cache: "no-store" });
  if (response.status !== 200) return;
  const seen = await response.json();
  if (seen.me !== me) return; // asked for before the persona changed
  [state, tag] = [seen, response.headers.get("ETag")];
  if (!state.users.some((user) => user.id === me) && state.users.length) return choose(state.users[0].id);
  show();
}

function choose(user) {
  me = user;
  sessionStorage.setItem("me", me);
  tag = "";
  return refresh();
}

function show() { showFrame(); showMessages(); showModal(); }

async function poll() {
  const note = byId("note");
  await refresh().then(() => { if (note.textContent === LOST) note.textContent = ""; }, () => { note.textContent = LOST; });
  setTimeout(poll, 1000);
}

byId("persona").onchange = (event) => choose(event.target.value);
byId("composer").onsubmit = (event) => {
  event.preventDefault();
  act("/command", { channel, text: byId("command").value });
  byId("command").value = "";
};
poll();
