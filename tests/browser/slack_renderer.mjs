// Slack's blocks as a library of other people draws them: esbuild makes one script of this and of what it imports.
import { createElement } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { Message } from "slack-blocks-to-jsx";

window.draw = (blocks, users) => {
  const message = createElement(Message, { blocks, data: { users }, name: "Model Approvals", logo: "data:," });
  flushSync(() => createRoot(document.querySelector("main")).render(message));
};
