// The workspace as one person sees it: where they are, and what is there.

import { logView, registryView, storeView } from "./aws.js";
import { byId, el, fill, menu, once, option, reused } from "./dom.js";
import { guided, recall, showGuide, visited } from "./guide.js";
import { mailView } from "./mail.js";
import { showModal, slackSend, slackView } from "./slack.js";
import { choose, follow, redraw, seen } from "./talk.js";
import { otherPersona, teamsSend, teamsView, tellPassing } from "./teams.js";
import { showTools } from "./tools.js";

const STAYS = [
  { kind: "registry", name: "Model Registry", part: "aws", view: registryView },
  { kind: "store", name: "Parameter Store", part: "aws", view: storeView },
  { kind: "log", name: "Event log", part: "log", view: logView },
];
const read = new Map(); // how many messages each person has seen, by place
let here = "", wanted = linked();

function linked() { // a permalink of Slack: /archives/CHANNEL/p1700000000000100
  const [, place, digits] = location.pathname.match(/^\/archives\/(\w+)\/p(\d+)$/) || [];
  if (!digits) return null;
  location.hash = `#/slack/${place}`;
  return { place: `slack/${place}`, ts: `${digits.slice(0, -6)}.${digits.slice(-6)}` };
}

// ---- places

function places() {
  const { slack, teams, mail } = seen.state;
  const talk = (kind, each, more) => ({ kind: `${kind}/${each.id}`, style: kind, each, ...more });
  const inSlack = (each) => talk("slack", each, { view: slackView, send: slackSend, hint: "/model-status", label: "Slash command",
    name: `# ${each.name}${each.archived ? " (archived)" : ""}`, title: `Slack · # ${each.name}` });
  const named = ({ chat, name }) => (chat ? name : `# ${name}`);
  const inTeams = (each) => talk("teams", each, { view: teamsView, send: teamsSend, hint: "model-status",
    label: each.chat ? "Message to the bot" : "Message that names @Model Approvals", name: named(each), title: `Teams · ${named(each)}` });
  return [
    ["Slack", slack.channels.map(inSlack)],
    ["Teams", (teams?.channels || []).map(inTeams)],
    ["Mail", mail ? [{ kind: "mail", name: "Mailbox", title: "Everybody's mailbox", count: mail.mails.length, style: "mail" }] : []],
    ["AWS", STAYS.filter(({ part }) => seen.state[part]).map((each) => ({ ...each, style: "aws" }))],
  ].filter(([, list]) => list.length);
}

function unescaped(hash) {
  try { return decodeURIComponent(hash); } catch { return ""; }
}

function current(all) {
  const [, kind = "", rest = ""] = unescaped(location.hash).split(/^#\/(\w+)\/?/);
  const wish = kind === "mail" ? "mail" : rest ? `${kind}/${rest}` : kind;
  return { ...(all.find((each) => each.kind === wish) || all[0]), rest };
}

function unread({ kind, each, count }) {
  const key = `${seen.me} ${kind}`, messages = (each?.messages || []).flatMap((message) => [message, ...message.replies]);
  const there = count ?? messages.length;
  if (kind === here || !read.has(key)) read.set(key, there);
  return Math.max(0, there - read.get(key));
}

function tab(place, fresh) {
  const now = place.kind === here;
  return el("a", { href: `#/${encodeURI(place.kind)}`, className: fresh ? "fresh" : "", ...(now ? { "aria-current": "page" } : {}) },
    el("span", {}, place.name), fresh ? el("span", { className: "badge" }, `${fresh}`, el("span", { className: "hidden" }, " new")) : null);
}

function showPlaces(groups) {
  const lists = groups.map(([title, list]) => {
    const tabs = list.map((each) => [each, unread(each)]);
    const key = tabs.map(([each, fresh]) => [each.kind, each.name, fresh, each.kind === here]);
    return reused(`places ${title}`, key, () => el("div", {}, el("h2", {}, title), tabs.map(([each, fresh]) => tab(each, fresh))));
  });
  const again = reused("again", guided(), () => el("button", { type: "button", id: "again", onclick: recall }, "Show the guide"));
  fill(byId("places"), guided() || !seen.state.pipelines ? lists : [...lists, again]);
}

// ---- what is there

function showPlace(place) {
  const view = byId("view"), moved = view.dataset.place !== `${place.kind} ${place.rest}`;
  const atEnd = moved || view.scrollHeight - view.scrollTop - view.clientHeight < 80, last = view.lastElementChild;
  byId("place").textContent = place.title || place.name;
  document.title = `${place.name}, Model Approvals`;
  view.className = place.style;
  view.dataset.place = `${place.kind} ${place.rest}`;
  const talk = Boolean(place.send);
  view.setAttribute("role", talk ? "log" : "region");
  view.setAttribute("aria-label", talk ? "Messages" : place.name);
  view.tabIndex = 0;
  fill(view, place.kind === "mail" ? mailView(place.rest) : place.view(place.each));
  if (wanted?.place === place.kind) return found();
  if (talk && atEnd && (moved || view.lastElementChild !== last)) toTheLast(view);
  if (!talk && moved) view.scrollTop = 0;
}

function toTheLast(view) { // its end, or where it does not fit its beginning
  const last = view.lastElementChild;
  view.scrollTop = last.offsetHeight < view.clientHeight ? view.scrollHeight : last.offsetTop - view.offsetTop;
}

function found() { // the message of a permalink
  const target = byId(`m${wanted.ts}`);
  if (!target) return;
  target.classList.add("found");
  target.scrollIntoView({ block: "center" });
  wanted = null;
}

function showComposer({ kind, send, hint, label }) {
  byId("composer").hidden = !send;
  byId("words").pattern = kind.startsWith("slack") ? "\\s*/\\S.*" : ".*";
  byId("words").title = kind.startsWith("slack") ? "A slash command, such as /model-status churn" : "";
  byId("words").placeholder = hint || "";
  byId("composer").querySelector("label").textContent = label || "Message";
}

function showPersona() {
  const { slack, people = {} } = seen.state;
  const label = ({ id, name, kind }) => [name, people[id] || kind].filter(Boolean).join(" – ");
  fill(byId("persona"), slack.users.map((user) => reused(`user ${user.id}`, [user, people[user.id]], () => option(user.id, label(user)))));
  byId("persona").value = seen.me;
}

function show() {
  if (!seen.state) return;
  const groups = places(), place = current(groups.flatMap(([, list]) => list));
  if (!place.kind) return; // nothing is there yet
  here = place.kind;
  visited(here);
  showPersona();
  showPlaces(groups);
  showTools();
  showGuide();
  showPlace(place);
  showComposer(place);
  showModal();
  if (seen.state.teams) tellPassing();
}

byId("menu").onclick = () => menu(!document.body.hasAttribute("data-menu"));
byId("persona").onchange = (event) => { otherPersona(); choose(event.target.value); };
const compose = once(async () => {
  const { send, each } = current(places().flatMap(([, list]) => list));
  const { error } = await send(each.id, byId("words").value);
  if (!error) byId("words").value = "";
});
byId("composer").onsubmit = (event) => { event.preventDefault(); compose(event); };
window.onhashchange = () => { menu(false); redraw(); byId("place").focus({ preventScroll: true }); };
follow(show);
