// Block Kit: https://docs.slack.dev/reference/block-kit/blocks

import { byId, el, once } from "./dom.js";
import { anchor, EMOJI, mention, mrkdwn, plain, words } from "./mrkdwn.js";
import { seen } from "./talk.js";

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
  if (type === "user") return mention("@" + (seen.state.slack.names[user] || user));
  return text || fallback || "";
}

function button(element, press) {
  if (element.type !== "button") return null;
  const label = element.accessibility_label || plain(element.text.text);
  const made = el("button", { type: "button", className: element.style || "", "aria-label": label }, words(element.text));
  made.onclick = once(async () => {
    if (element.url) window.open(element.url, "_blank", "noopener");
    if (!element.confirm || await confirmed(element.confirm)) await press(element.action_id);
  });
  return made;
}

export function blocks(list, press) {
  return list.map((block) => (BLOCKS[block.type] ? BLOCKS[block.type](block, press) : el("p", {}, `(${block.type})`)));
}

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
