// The first approval, in six steps; each is done when the workspace says so, whoever did it.

import { byId, el, fill, menu, reused } from "./dom.js";
import { choose, seen } from "./talk.js";

const GROUP = "churn";
let dismissed = sessionStorage.getItem("guide") === "dismissed";
const looked = new Set(JSON.parse(sessionStorage.getItem("looked") || "[]"));

const parameters = (part) => seen.state.aws.parameters.filter((each) => each.name.includes(`/${GROUP}/${part}`));
const approved = (environment) => parameters(`approved/${environment}`).length > 0;
const opened = (entry, environment) => entry.kind === "opened" && entry.environment === environment;
const asked = (environment) => parameters("history/").some((each) => opened(JSON.parse(each.value), environment));
const registered = () => seen.state.aws.groups.some((each) => each.name === GROUP && each.versions.length);
const named = (name) => seen.state.slack.users.find((user) => user.name === name)?.id;
const slack = () => `#/slack/${seen.state.slack.channels[0]?.id || ""}`;
const teams = () => `#/teams/${encodeURIComponent(seen.state.teams.channels[0]?.id || "")}`;

const STEPS = [
  { title: "A model version is registered",
    text: "A training pipeline registers a version, which waits in the Model Registry as PendingManualApproval. ",
    done: () => registered() && (looked.has("registry") || approved("dev")),
    label: () => (registered() ? "Show the registry" : "Show the button"),
    show: () => (registered() ? [null, "#/registry"] : "Register a version") },
  { title: "Be an approver",
    text: "Its card is in Slack, in Teams and in the mailbox. Maya Chen may approve for dev: be Maya, at the top, and read the card.",
    done: () => seen.me === named("Maya Chen") || approved("dev"),
    label: () => "Be Maya, and show the card",
    show: () => [named("Maya Chen"), slack()] },
  { title: "Approve it for dev, in Slack",
    text: "Press Approve on the card. Slack asks once more; then Entra is asked whether Maya may, and the answer is recorded.",
    done: () => approved("dev"),
    label: () => "Show the card",
    show: () => [named("Maya Chen"), slack()] },
  { title: "See what has changed",
    text: "The card says who approved. Parameter Store holds the answer, and the model that dev's inference pipeline now reads.",
    done: () => looked.has("store") || approved("test"),
    label: () => "Show Parameter Store",
    show: () => [null, "#/store"] },
  { title: "Run batch inference in dev",
    text: "Press “Run batch inference”, at the side. What is measured there asks for test, with figures from dev on the card.",
    done: () => asked("test"),
    label: () => "Show the button",
    show: () => "Run batch inference" },
  { title: "Approve it for test, in Teams",
    text: "The same request is in Teams: answered in one place, it is answered everywhere. Be Omar Haddad and press Approve there.",
    done: () => approved("test"),
    label: () => "Be Omar, and show Teams",
    show: () => [named("Omar Haddad"), teams] },
];
const AFTER = "Next: run batch inference in test, and approve for uat. In Slack, uat and prod want a linked account: the first press brings a link. "
  + "Or be Eli, who may approve nothing; switch a fault on; let a run of a second version come out worse; press Revoke on an approved card.";

function dismiss() {
  dismissed = true;
  sessionStorage.setItem("guide", "dismissed");
  showGuide();
}

export function recall() { // the guide again
  dismissed = false;
  menu(false);
  sessionStorage.removeItem("guide");
  showGuide();
}

export function visited(place) {
  if (place === "registry" ? !registered() : place !== "store" || !approved("dev")) return;
  looked.add(place);
  sessionStorage.setItem("looked", JSON.stringify([...looked]));
}

async function go({ show }) {
  const way = show();
  if (typeof way === "string") return point(way);
  const [person, place] = way;
  menu(false);
  if (person && person !== seen.me) await choose(person);
  location.hash = typeof place === "function" ? place() : place; // what there is depends on who one is
}

function point(press) { // at the button to press, which on a phone is in the menu
  menu(true);
  const button = [...byId("tools").querySelectorAll("button")].find((each) => each.textContent === press);
  button.scrollIntoView({ block: "center" });
  button.focus({ focusVisible: true });
}

function step(number) {
  const last = number === STEPS.length, { title, text } = last ? { title: "That was an approval", text: AFTER } : STEPS[number];
  const marks = STEPS.map((each, index) => el("i", { className: index < number ? "done" : index === number ? "now" : "" }));
  return el("div", {},
    el("p", { className: "count" }, el("span", { className: "marks", ariaHidden: "true" }, marks),
      last ? "All six steps done" : `Your first approval: step ${number + 1} of ${STEPS.length}`),
    el("h2", {}, title), el("p", {}, text),
    el("div", { className: "actions" },
      last ? null : el("button", { type: "button", className: "primary", onclick: () => go(STEPS[number]) }, STEPS[number].label()),
      el("button", { type: "button", onclick: dismiss }, last ? "Close" : "Dismiss")));
}

export function showGuide() {
  const guide = byId("guide"), { aws, pipelines, teams: there } = seen.state;
  guide.hidden = dismissed || !aws || !pipelines || !there;
  if (guide.hidden) return;
  const at = STEPS.findIndex((each) => !each.done()), number = at < 0 ? STEPS.length : at;
  fill(guide, [reused("guide", [number, number < STEPS.length && STEPS[number].label()], () => step(number))]);
}

export const guided = () => !dismissed;
