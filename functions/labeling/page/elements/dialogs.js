/** Dialogs of the task's page. */
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";

/** @param {string} title @param {...Node} content */
export function dialog(title, ...content) {
  const made = element("dialog", { "aria-label": title });
  const close = element("button", { type: "button", class: "quiet", onclick: () => made.close() }, text("box.close"));
  made.append(element("div", { class: "heading" }, element("h2", {}, title), close), element("div", { class: "content", tabIndex: 0, role: "group", "aria-label": title }, ...content));
  return made;
}

/** @param {[string, [string, string][]][]} groups */
export function keyTable(groups) {
  const tables = groups.map(([title, rows]) => {
    const lines = rows.map(([keys, does]) => element("tr", {}, element("th", { scope: "row" }, element("kbd", {}, keys)), element("td", {}, does)));
    return element("table", {}, element("caption", {}, title), element("tbody", {}, ...lines));
  });
  return element("div", { class: "keys" }, ...tables);
}
