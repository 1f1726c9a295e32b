// What pipelines do, and what goes wrong: at the press of a button.

import { byId, el, fill, menu, once, option, reused } from "./dom.js";
import { act, seen } from "./talk.js";

function submitting(form, path) {
  const send = once(async () => {
    const { error } = await act(path, Object.fromEntries(new FormData(form)));
    if (!error) menu(false); // on a phone it covers what follows
  });
  form.onsubmit = (event) => { event.preventDefault(); send(event); };
  return form;
}

const labelled = (text, input) => el("label", {}, el("span", {}, text), input);
const group = () => el("input", { name: "group", value: "churn", required: true, pattern: "[A-Za-z0-9](-*[A-Za-z0-9]){0,62}",
  title: "Letters, digits and single dashes, at most 63", autocomplete: "off", spellcheck: false });

function registering({ samples }) {
  const choice = el("select", { name: "sample" }, samples.map((each) => option(each, each)));
  choice.value = samples.at(-1); // `make run` has registered the first
  return submitting(el("form", {}, el("h3", {}, "Training"), labelled("Model package group", group()), labelled("Sample model", choice),
    el("button", {}, "Register a version"),
    el("p", { className: "quiet" }, "In the name of whoever you are.")), "/pipelines/register");
}

function inferring({ environments, outcomes }) {
  const where = el("select", { name: "environment" }, environments.map((each) => option(each, each)));
  const outcome = el("select", { name: "outcome" }, Object.entries(outcomes).map(([name, text]) => option(name, text)));
  return submitting(el("form", {}, el("h3", {}, "Batch inference"), labelled("Model package group", group()), labelled("Environment", where),
    labelled("Comes out", outcome), el("button", {}, "Run batch inference")), "/pipelines/infer");
}

function sweeping() {
  return submitting(el("form", {}, el("h3", {}, "Schedule"), el("button", {}, "Sweep now"),
    el("p", { className: "quiet" }, "Every five minutes by itself: does what was left undone.")), "/pipelines/sweep");
}

function toggle({ name, title, hint }) {
  const box = el("input", { type: "checkbox", role: "switch", name, "aria-describedby": `fault-${name}` });
  box.onchange = () => act("/faults/switch", { fault: name, on: box.checked });
  return el("div", { className: "switch" }, el("label", {}, box, el("span", {}, title)), el("p", { className: "quiet", id: `fault-${name}` }, hint));
}

export function showTools() {
  const { pipelines, faults } = seen.state;
  if (!pipelines) return;
  const forms = reused("tools", pipelines, () => el("div", {}, el("h2", {}, "Pipelines"), registering(pipelines), inferring(pipelines), sweeping()));
  const wrong = reused("faults", 0, () => el("div", {}, el("h2", {}, "Faults"), faults.switches.map(toggle)));
  for (const { name, on } of faults.switches) wrong.querySelector(`[name="${name}"]`).checked = on;
  fill(byId("tools"), [forms, wrong]);
}
