// Slack's mrkdwn: https://docs.slack.dev/messaging/formatting-message-text

import { el } from "./dom.js";
import { seen } from "./talk.js";

export const EMOJI = {
  white_check_mark: "✅", large_yellow_circle: "🟡", white_circle: "⚪", large_green_circle: "🟢", red_circle: "🔴",
  x: "❌", thread: "🧵", no_entry: "⛔", hourglass: "⌛", hourglass_flowing_sand: "⏳", warning: "⚠️", lock: "🔒",
  eye: "👁️", bell: "🔔", rewind: "⏪", leftwards_arrow_with_hook: "↩️", fast_forward: "⏩", link: "🔗", memo: "📝",
};
const MARKS = new RegExp([
  "```([\\s\\S]+?)```", "`([^`\\n]+)`", "<([^<>\\n]+)>", ":([a-z0-9_+-]+):",
  "(?<![\\w*])\\*(\\S(?:[^*\\n]*\\S)?)\\*(?![\\w*])", "(?<![\\w])_(\\S(?:[^_\\n]*\\S)?)_(?![\\w])",
  "(?<![\\w~])~(\\S(?:[^~\\n]*\\S)?)~(?![\\w~])", "(\\n)",
].join("|"), "g");
const unescaped = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

export function mrkdwn(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(MARKS)) {
    nodes.push(unescaped(text.slice(done, match.index)), marked(match));
    done = match.index + match[0].length;
  }
  return [...nodes, unescaped(text.slice(done))];
}

function marked([whole, block, code, inside, emoji, bold, italic, strike, newline]) {
  if (block) return el("pre", {}, unescaped(block));
  if (code) return el("code", {}, unescaped(code));
  if (inside) return angled(inside);
  if (emoji) return EMOJI[emoji] || whole;
  if (bold) return el("b", {}, mrkdwn(bold));
  if (italic) return el("em", {}, mrkdwn(italic));
  if (strike) return el("s", {}, mrkdwn(strike));
  return newline ? el("br") : whole;
}

function angled(inside) { // <@U1>, <#C1>, <!date^…>, <!here>, <https://…|label>
  const [target, label] = [inside.split("|")[0], inside.split("|").slice(1).join("|")];
  if (target.startsWith("@")) return mention("@" + (seen.state.slack.names[target.slice(1)] || label || target.slice(1)));
  if (target.startsWith("#")) {
    const known = seen.state.slack.channels.find((each) => each.id === target.slice(1));
    return mention("#" + (known ? known.name : label || target.slice(1)));
  }
  if (target.startsWith("!date^")) return dated(target.split("^"), label);
  if (target.startsWith("!")) return mention("@" + (label || target.slice(1).split("^")[0]));
  return anchor(target, unescaped(label || target));
}

export const mention = (text) => el("span", { className: "mention" }, text);

export function anchor(url, label) {
  if (!/^(https?:|mailto:)/i.test(url)) return label; // nothing that a browser would run
  return el("a", { href: unescaped(url), target: "_blank", rel: "noopener noreferrer" }, label);
}

function dated([, seconds, format, link], fallback) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  const day = (style) => date.toLocaleDateString([], style);
  const long = { year: "numeric", month: "long", day: "numeric" }, short = { ...long, month: "short" };
  const pretty = (style) => near(date) || day(style);
  const time = date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  const text = format.replace(/\{(\w+)\}/g, (token, name) => ({
    date: day(long), date_pretty: pretty(long), date_num: date.toISOString().slice(0, 10),
    date_short: day(short), date_short_pretty: pretty(short), date_long: day({ ...long, weekday: "long" }),
    date_long_pretty: pretty({ ...long, weekday: "long" }), time, time_secs: date.toLocaleTimeString([]),
  })[name] || token);
  return link ? anchor(link, text) : el("time", { dateTime: date.toISOString(), title: fallback }, text);
}

function near(date) { // Today, Yesterday, Tomorrow, in the reader's language
  const days = Math.round((new Date(date).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86400000);
  const name = new Intl.RelativeTimeFormat([], { numeric: "auto" }).format(days, "day");
  return Math.abs(days) < 2 ? name[0].toLocaleUpperCase() + name.slice(1) : "";
}

export const plain = (text) => text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] || whole);
export const words = (text) => (text.type === "mrkdwn" ? mrkdwn(text.text) : [plain(text.text)]);
