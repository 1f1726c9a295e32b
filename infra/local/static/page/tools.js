// What pipelines do, and what goes wrong: at the press of a button.

import { byId, el, fill, option, reused } from "./dom.js";
import { act, seen } from "./talk.js";

function busy(form, path, read) { // one press at a time
  form.onsubmit = async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    await act(path, read(Object.fromEntries(new FormData(form))));
    button.disabled = false;
  };
  return form;
}

const labelled = (text, input) => el("label", {}, el("span", {}, text), input);
const group = () => el("input", { name: "group", value: "churn", required: true, pattern: "[A-Za-z0-9](-*[A-Za-z0-9]){0,62}",
  title: "Letters, digits and single dashes, at most 63", autocomplete: "off", spellcheck: false });

function registering({ samples }) {
  const choice = el("select", { name: "sample" }, samples.map((each) => option(each, each)));
  choice.value = samples.at(-1); // `make run` has registered the first
  return busy(el("form", {}, el("h3", {}, "Training"), labelled("Model package group", group()), labelled("Sample model", choice),
    el("button", {}, "Register a version")), "/work/register", (given) => given);
}

function inferring({ environments, outcomes }) {
  const where = el("select", { name: "environment" }, environments.map((each) => option(each, each)));
  const outcome = el("select", { name: "outcome" }, Object.entries(outcomes).map(([name, text]) => option(name, text)));
  return busy(el("form", {}, el("h3", {}, "Batch inference"), labelled("Model package group", group()), labelled("Environment", where),
    labelled("Comes out", outcome), el("button", {}, "Run batch inference")), "/work/infer", (given) => given);
}

function sweeping() {
  return busy(el("form", {}, el("h3", {}, "Schedule"), el("button", {}, "Sweep now"),
    el("p", { className: "quiet" }, "Every five minutes by itself: does what was left undone.")), "/work/sweep", () => ({}));
}

function toggle({ name, title, hint, on }) {
  const box = el("input", { type: "checkbox", role: "switch", checked: on, "aria-describedby": `fault-${name}` });
  box.onchange = () => act("/faults/switch", { fault: name, on: box.checked });
  return el("div", { className: "switch" }, el("label", {}, box, el("span", {}, title)), el("p", { className: "quiet", id: `fault-${name}` }, hint));
}

export function showTools() {
  const { work, faults } = seen.state;
  if (!work) return;
  const switches = faults.switches.map((each) => reused(`fault ${each.name}`, each, () => toggle(each)));
  const forms = reused("tools", work, () => el("div", {}, el("h2", {}, "Pipelines"), registering(work), inferring(work), sweeping()));
  const wrong = reused("faults", faults.switches, () => el("div", {}, el("h2", {}, "Faults"), switches));
  fill(byId("tools"), [forms, wrong]);
}
