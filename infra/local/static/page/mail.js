// Everybody's mailbox: the list, and one mail opened in place.

import { el, reused } from "./dom.js";
import { seen } from "./talk.js";

function line({ number, subject, to, date, reply }) {
  return el("li", {}, el("a", { href: `#/mail/${number}` }, `${reply ? "↳ " : ""}${subject}`),
    el("small", {}, `to ${to}`, date ? ` · ${new Date(date).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}` : ""));
}

function fit(frame) { // as high as the mail is in the width that it has
  frame.style.height = `${frame.contentDocument.documentElement.scrollHeight + 4}px`;
}

function opened(mail) {
  const frame = el("iframe", { title: mail.subject, src: `/mail/${mail.number}` });
  frame.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
  frame.onload = () => new ResizeObserver(() => fit(frame)).observe(frame.contentDocument.body);
  return el("div", { className: "opened" },
    el("p", {}, el("a", { href: "#/mail" }, "← All mails")),
    el("h3", {}, mail.subject),
    el("p", { className: "quiet" }, `From ${mail.from} to ${mail.to}`),
    frame,
    el("details", {}, el("summary", {}, "As plain text"), el("pre", {}, mail.text)));
}

export function mailView(number) {
  const { mails } = seen.state.mail, mail = mails.find((each) => String(each.number) === number);
  if (mail) return [reused(`mail ${number}`, mail.subject, () => opened(mail))];
  if (!mails.length) return [el("p", { className: "empty" }, "No mail yet.")];
  return [reused("mails", mails.length, () => el("ul", { className: "mails" }, [...mails].reverse().map(line)))];
}
