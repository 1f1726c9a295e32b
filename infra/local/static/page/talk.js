// What the page knows of the workspace, and how it asks and acts there.

import { byId, drawing } from "./dom.js";

const LOST = "The local stack does not answer. Start it again with `make run`.";
export const seen = { state: null, me: sessionStorage.getItem("me") || "" };
let tag = "", show = () => {}, asked = 0, taken = 0, silence = 0;

export function say(text, wrong = false) {
  byId("note").textContent = text;
  byId("note").classList.toggle("wrong", wrong);
  clearTimeout(silence);
  if (text !== LOST) silence = setTimeout(() => say(""), wrong ? 30000 : 12000);
}

export async function act(path, body = {}) {
  say("");
  const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: seen.me, ...body }) };
  const response = await fetch(path, sent).catch(() => null);
  const answer = !response ? { error: LOST } : response.ok ? await response.json() : { error: await response.text() };
  await refresh();
  if (answer.error) say(answer.error, true);
  else if (answer.said) say(answer.said);
  return answer;
}

async function refresh() {
  const mine = ++asked, headers = tag ? { "If-None-Match": tag } : {};
  const response = await fetch(`/state?user=${encodeURIComponent(seen.me)}`, { headers, cache: "no-store" }).catch(() => null);
  if (!response) return say(LOST, true);
  if (byId("note").textContent === LOST) say("");
  if (response.status === 304) return;
  if (!response.ok) return say(await response.text(), true);
  const state = await response.json();
  if (seen.state && state.run !== seen.state.run) return anew();
  if (state.me !== seen.me || mine < taken) return; // asked for before the persona changed, or before a newer answer
  [seen.state, tag, taken] = [state, response.headers.get("ETag"), mine];
  const users = state.slack.users;
  if (!users.some((user) => user.id === seen.me) && users.length) await choose(first(state));
  else drawing(show);
}

function first({ slack, people = {} }) { // whoever has something to register, if there is somebody
  const scientist = slack.users.find((user) => people[user.id] === "data scientist");
  return (scientist || slack.users[0]).id;
}

function anew() { // another `make run`: nothing that was seen is there any more
  sessionStorage.clear();
  location.reload();
}

export const redraw = () => drawing(show);

export function choose(user) {
  seen.me = user;
  sessionStorage.setItem("me", user);
  tag = "";
  return refresh();
}

export async function follow(draw) { // look every second, for as long as the page is open
  show = draw;
  for (;;) {
    await refresh().catch(reportError);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
