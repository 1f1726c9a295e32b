// What AWS holds: the Model Registry, Parameter Store, and the log of events.

import { clock, el, reused } from "./dom.js";
import { seen } from "./talk.js";

const GOOD = /^Approved/i, BAD = /^(Rejected|Revoked)/i;
const VOTES = { approve: "approved", reject: "rejected" };
const empty = (text) => [el("p", { className: "empty" }, text)];

function chip(text, name = "") {
  const kind = GOOD.test(text) ? "good" : BAD.test(text) ? "bad" : "";
  return el("span", { className: `chip ${kind}` }, name ? el("b", {}, `${name} `) : null, text);
}

// ---- Model Registry

function version({ version: number, arn, status, fields, registered }, environments) {
  const named = environments.filter((each) => fields[each]);
  const further = Object.entries(fields).filter(([name]) => !environments.includes(name));
  return el("li", { className: "version" },
    el("p", {}, el("b", {}, `v${number}`), " ", chip(status), " ", el("span", { className: "quiet" }, "registered ", clock(new Date(registered)))),
    named.length ? el("p", { className: "chips" }, named.map((each) => chip(fields[each], each))) : null,
    el("details", {}, el("summary", {}, "More"), el("dl", {},
      [["ARN", arn], ...further].map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]))));
}

export function registryView() {
  const { groups } = seen.state.aws, { environments } = seen.state.pipelines;
  if (!groups.length) return empty("No model package group yet. Register a version, at the side.");
  return groups.map((group) => reused(`group ${group.name}`, group, () => el("section", {},
    el("h3", {}, group.name), el("ol", { className: "versions" }, group.versions.map((each) => version(each, environments))))));
}

// ---- Parameter Store

const parsed = (text) => { try { return JSON.parse(text); } catch { return text; } };
const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function gist(value) { // of what a parameter holds, in a few words
  if (typeof value !== "object" || value === null) return String(value).slice(0, 40);
  if (value.model_package_version) return `${value.status} v${value.model_package_version}`;
  if (!value.kind) return value.status || "";
  return [VOTES[value.answer] || value.kind, value.environment, value.by?.name].filter(Boolean).join(" · ");
}

function parameter({ name, value, version: number, modified }) {
  const held = parsed(value), about = gist(held);
  return el("details", {}, el("summary", {}, el("code", {}, name), about ? [" ", chip(about)] : null),
    el("p", { className: "quiet" }, `version ${number}, written `, clock(new Date(modified))), el("pre", {}, pretty(held)));
}

const SHELVES = [
  ["Approved models: what inference pipelines read", /\/approved\//],
  ["History: one entry each, never overwritten", /\/history\//],
  ["What the bot keeps beside it", /./],
];

export function storeView() {
  const left = [...seen.state.aws.parameters].sort((a, b) => a.name.localeCompare(b.name));
  if (!left.length) return empty("No parameter yet.");
  return SHELVES.map(([title, pattern]) => {
    const mine = left.filter((each) => pattern.test(each.name));
    for (const each of mine) left.splice(left.indexOf(each), 1);
    const shelf = mine.length ? mine.map((each) => reused(each.name, each, () => parameter(each)))
      : empty("Nothing yet.");
    return { title, shelf };
  }).map(({ title, shelf }) => el("section", { className: "shelf" }, el("h3", {}, title), shelf));
}

// ---- events

function about(detail) { // what an event is about, in a few words
  if (!detail) return "";
  const name = detail.ModelPackageName || detail.TransformJobName || detail.ModelPackageGroupName || detail.name || detail.run;
  const status = detail.ModelApprovalStatus || detail.TransformJobStatus || detail.operation;
  return [name, status].filter(Boolean).join(" · ");
}

function logged({ at, source, text, detail }) {
  const head = [clock(new Date(at)), " ", el("b", {}, text), " ", el("span", { className: "quiet" }, about(detail) || source)];
  const trouble = source.startsWith("bot") ? "line trouble" : "line";
  if (!detail) return el("p", { className: trouble }, head);
  return el("details", { className: trouble }, el("summary", {}, head), el("pre", {}, pretty(detail)));
}

export function logView() {
  const { lines } = seen.state.log;
  if (!lines.length) return empty("No event yet.");
  return [...lines].reverse().map((each) => reused(`line ${each.number}`, each.number, () => logged(each)));
}
