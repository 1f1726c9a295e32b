// What the page knows of the workspace, and how it asks and acts there.

import { byId } from "./dom.js";

const LOST = "The local stack does not answer. Start it again with `make run`.";
export const seen = { state: null, me: sessionStorage.getItem("me") || "" };
let tag = "", show = () => {};

export function say(text, wrong = false) {
  byId("note").textContent = text;
  byId("note").classList.toggle("wrong", wrong);
}

export async function act(path, body = {}) {
  say("");
  const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: seen.me, ...body }) };
  const response = await fetch(path, sent).catch(() => null);
  const answer = !response ? { error: LOST } : response.ok ? await response.json() : { error: await response.text() };
  if (answer.error) say(answer.error, true);
  else if (answer.said) say(answer.said);
  await refresh();
  return answer;
}

export async function refresh() {
  const headers = tag ? { "If-None-Match": tag } : {};
  const response = await fetch(`/state?user=${encodeURIComponent(seen.me)}`, { headers, cache: "no-store" }).catch(() => null);
  if (!response) say(LOST, true);
  else if (byId("note").textContent === LOST) say("");
  if (response?.status !== 200) return;
  const state = await response.json();
  if (state.me !== seen.me) return; // asked for before the persona changed
  [seen.state, tag] = [state, response.headers.get("ETag")];
  const users = state.slack.users;
  if (!users.some((user) => user.id === seen.me) && users.length) await choose(users[0].id);
  else show();
}

export const redraw = () => show();

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
