// What a person sees in an element, whoever drew it: its lines with what stands out in them, and its buttons with the
// colour they have, the name they are read with, and the address that a press on them opens.
(root) => {
  const lines = [];
  let line = "";

  function ended() {
    const text = line.replace(/\s+/g, " ").trim();
    if (text) lines.push(text);
    line = "";
  }

  function say(text, parent) {
    const style = getComputedStyle(parent), letters = parent.closest("code, pre");
    const marks = { b: style.fontWeight >= 600, i: style.fontStyle === "italic", s: parent.closest("s, del"), code: letters };
    const names = Object.keys(marks).filter((name) => marks[name]);
    const shown = letters && style.whiteSpace !== "normal" ? text.replaceAll(" ", "␣") : text;
    if (text) line += names.reduceRight((inner, name) => `<${name}>${inner}</${name}>`, shown);
  }

  function words(node) {
    const parent = node.parentElement, kept = getComputedStyle(parent).whiteSpace !== "normal";
    const [first, ...rest] = kept ? node.data.split("\n") : [node.data];
    say(first, parent);
    for (const text of rest) { ended(); say(text, parent); }
  }

  function walk(node) {
    if (node.nodeType === Node.TEXT_NODE) return words(node);
    if (node.nodeType !== Node.ELEMENT_NODE || !node.checkVisibility()) return null;
    const alone = node.matches("br, button, input, textarea") || !getComputedStyle(node).display.startsWith("inline");
    if (alone) ended();
    if (node.matches("button")) lines.push(node);
    else if (node.matches("input, textarea")) lines.push(`[${node.localName}]`);
    else if (node.matches("a")) { line += `<a ${node.href}>`; node.childNodes.forEach(walk); line += "</a>"; }
    else node.childNodes.forEach(walk);
    return alone ? ended() : null;
  }

  function coloured(element) {
    const [red, green, blue] = getComputedStyle(element).backgroundColor.match(/[\d.]+/g).map(Number);
    if (green > red + 40 && green > blue) return "primary";
    return red > green + 90 && red > blue + 40 ? "danger" : "default";
  }

  function pressed(element) {
    const opened = [], { open } = window;
    window.open = (address) => { opened.push(address); };
    element.click();
    window.open = open;
    return opened;
  }

  function button(element) {
    const said = [coloured(element), element.textContent.trim(), element.getAttribute("aria-label"), ...pressed(element)];
    return `[${said.filter((each) => each !== null).join(" | ")}]`;
  }

  walk(root);
  ended();
  return lines.map((each) => (typeof each === "string" ? each : button(each)));
}
