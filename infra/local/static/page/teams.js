// Teams as one person sees it; Microsoft's own renderer draws the cards.

import { clock, el, face, forget, reused } from "./dom.js";
import { act, redraw, say, seen } from "./talk.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const FAMILY = '"Segoe UI", system-ui, "Helvetica Neue", Arial, sans-serif';
const INSTALL = "Cards of Teams are drawn by Microsoft's own renderer, which is not installed. "
  + "End `make run`, and start it again where npm's packages can be had; it says what is missing.";
let renderer = null, passing = -1;

dark.onchange = () => { forget(); redraw(); }; // what is drawn in the other colours

function colours() {
  return dark.matches
    ? { card: "#292929", text: "#ffffff", subtle: "#adadad", accent: "#9ea2ff", good: "#92c353", warning: "#f2c661", attention: "#f9526b" }
    : { card: "#ffffff", text: "#242424", subtle: "#616161", accent: "#4f52b2", good: "#237b4b", warning: "#8f4e00", attention: "#c4314b" };
}

function host() { // the colours of a client's theme, for the names that our cards use
  const { card, text, subtle, ...named } = colours();
  const plain = { default: text, subtle }, words = { default: plain, light: plain, dark: plain };
  for (const [name, colour] of Object.entries(named)) words[name] = { default: colour, subtle: colour };
  const style = { backgroundColor: card, foregroundColors: words };
  const containerStyles = {};
  for (const name of ["default", "emphasis", "accent", "good", "warning", "attention"]) containerStyles[name] = style;
  return new AdaptiveCards.HostConfig({
    supportsInteractivity: true, fontFamily: FAMILY, containerStyles, textBlock: { headingLevel: 3 },
    spacing: { small: 4, default: 8, medium: 12, large: 16, extraLarge: 24, padding: 16 },
    actions: { maxActions: 6, actionsOrientation: "horizontal", actionAlignment: "left", buttonSpacing: 8 },
  });
}

function loadRenderer() { // once; then the cards are drawn that waited for it
  if (renderer) return;
  renderer = el("script", { src: "/adaptivecards.js", onerror: missing });
  renderer.onload = () => {
    AdaptiveCards.AdaptiveCard.onProcessMarkdown = asItIs;
    forget();
    redraw();
  };
  document.head.append(renderer);
}

function missing() { // to be tried again with the next card
  renderer = null;
  say(INSTALL, true);
}

function asItIs(_, result) { // the bot writes nothing that Markdown would change
  result.didProcess = false;
}

function drawCard(message) {
  const shown = new AdaptiveCards.AdaptiveCard();
  shown.hostConfig = host();
  shown.onExecuteAction = (action) => execute(action, shown, message);
  shown.parse(message.card);
  return shown.render();
}

async function execute(action, card, message) {
  if (action.url) return window.open(action.url, "_blank", "noopener");
  const filled = card.getAllInputs().filter((input) => input.value).map((input) => [input.id, input.value]);
  const inputs = Object.fromEntries(filled);
  const asked = { conversation: message.conversation, activity: message.id, button: action.title, inputs };
  const { errors } = await act("/teams/press", asked);
  if (errors && Object.keys(errors).length) say(Object.values(errors).join(" "), true);
}

function card(message) {
  const there = seen.state.teams.renderer;
  if (there) loadRenderer();
  const shown = !there ? el("p", { className: "missing" }, INSTALL) : window.AdaptiveCards ? drawCard(message) : "…";
  return el("div", { className: "card" }, shown);
}

function article(message) {
  const { names } = seen.state.teams, bot = message.sender.startsWith("28:"), replies = message.replies || [];
  const name = names[message.sender] || "Teams";
  return el("article", { id: `t${message.id}` }, face(name, bot),
    el("div", { className: "body" },
      el("div", { className: "who" }, el("b", {}, name), bot ? el("span", { className: "app" }, "App") : null,
        clock(new Date(Number(message.id))), message.edited && !message.card ? el("i", {}, "Edited") : null),
      message.text ? el("div", { className: "rich" }, message.text) : null,
      message.card ? card(message) : null),
    replies.length ? el("div", { className: "thread" }, replies.map(article)) : null);
}

export function teamsView({ id, messages }) {
  const empty = el("p", { className: "empty" }, "Nothing here yet.");
  if (!messages.length) return [empty];
  return messages.map((each) => reused(`teams ${id} ${each.id} ${dark.matches}`, [each, seen.me, seen.state.teams.renderer], () => article(each)));
}

export const teamsSend = (channel, text) => act("/teams/write", { channel, text });

export function tellPassing() { // what Teams shows for a moment, to this person alone
  const told = seen.state.teams.passing, fresh = passing >= 0 ? told.slice(passing) : [];
  passing = told.length;
  for (const { text, trouble } of fresh) say(text, trouble);
}

export const otherPersona = () => { passing = -1; };
