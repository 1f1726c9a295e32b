// Slack as one person sees it: messages with their threads, and modals.

import { blocks } from "./blocks.js";
import { byId, clock, el, face, once, reused } from "./dom.js";
import { mrkdwn, words } from "./mrkdwn.js";
import { act, seen } from "./talk.js";

let shownModal = "";

function article(message, channel) {
  const { names, bot } = seen.state.slack, replies = message.replies || [];
  const press = (action_id) => act("/slack/press", { channel, ts: message.ts, action_id });
  const content = message.blocks.length ? blocks(message.blocks, press) : [el("div", { className: "rich" }, mrkdwn(message.text))];
  return el("article", { id: `m${message.ts}`, className: message.ephemeral ? "ephemeral" : "" },
    message.ephemeral ? el("div", { className: "only" }, "👁 Only visible to you") : null,
    face(names[message.user] || "Slack", message.user === bot),
    el("div", { className: "body" },
      el("div", { className: "who" }, el("b", {}, names[message.user] || "Slack"),
        message.user === bot ? el("span", { className: "app" }, "APP") : null,
        clock(new Date(Number(message.ts) * 1000)), message.edited ? el("i", {}, "(edited)") : null),
      content),
    replies.length ? el("div", { className: "thread" }, replies.map((reply) => article(reply, channel))) : null);
}

export function slackView({ id, messages }) {
  const empty = el("p", { className: "empty" }, "Nothing here yet. Register a model version, and its card appears.");
  if (!messages.length) return [empty];
  return messages.map((each) => reused(`slack ${id} ${each.ts}`, [each, seen.state.slack.names], () => article(each, id)));
}

export const slackSend = (channel, text) => act("/slack/command", { channel, text });

export function showModal() {
  const { modals } = seen.state.slack, dialog = byId("modal"), view = modals[modals.length - 1];
  const key = view ? view.id + view.hash : "";
  if (key === shownModal) return;
  shownModal = key;
  if (!view) return dialog.close();
  const dismiss = () => act("/slack/dismiss", { view_id: view.id });
  const close = el("button", { type: "button", onclick: dismiss }, words(view.close || { text: "Cancel" }));
  const submit = view.submit ? el("button", { className: "primary" }, words(view.submit)) : null;
  const form = el("form", { method: "dialog", noValidate: true }, el("h2", { id: "modal-title" }, words(view.title)),
    blocks(view.blocks, () => null), el("p", { className: "wrong", role: "alert" }), el("div", { className: "actions" }, close, submit));
  const sending = once(() => send(form, view));
  form.onsubmit = (event) => { event.preventDefault(); sending(event); };
  dialog.oncancel = (event) => { event.preventDefault(); dismiss(); };
  dialog.replaceChildren(form);
  if (!dialog.open) dialog.showModal();
}

async function send(form, view) {
  const values = {};
  for (const input of form.querySelectorAll("[name]")) {
    values[input.name] = input.multiple ? [...input.selectedOptions].map((each) => each.value) : input.value;
  }
  const { errors, error } = await act("/slack/submit", { view_id: view.id, values });
  for (const slot of form.querySelectorAll("[data-for]")) slot.textContent = (errors || {})[slot.dataset.for] || "";
  form.querySelector("p.wrong").textContent = error ? `Slack could not submit this: ${error}` : "";
}
