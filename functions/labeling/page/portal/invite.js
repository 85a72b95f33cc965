/** Inviting somebody into a team, for leads. */
import { element } from "../texts/markup.js";
import { text } from "../texts/portal.js";
import { post, Refused, Unreachable } from "./api.js";
import { whenSubmitted } from "./form.js";
import { refusal } from "./refusals.js";

/**
 * @param {string} team
 * @param {(words: string) => void} onInvited with what came of it
 */
export function inviteForm(team, onInvited) {
  const email = element("input", { id: "invite-email", name: "email", type: "email", required: true, maxLength: 254, autocomplete: "off" });
  const name = element("input", { id: "invite-name", name: "name", maxLength: 100, autocomplete: "off" });
  const problem = element("p", { class: "problem", role: "alert" });
  const button = element("button", { type: "submit" }, text("invite.send"));
  const send = async () => {
    const address = email.value.trim();
    const { invited } = await post(`lead/teams/${team}/members`, { email: address, name: name.value.trim() });
    onInvited(text(invited ? "invite.sent" : "invite.added", { email: address }));
  };
  const made = element(
    "form",
    { class: "card invite" },
    element("h2", {}, text("invite.title")),
    element("div", {}, element("label", { htmlFor: "invite-email" }, text("lead.email")), email),
    element("div", {}, element("label", { htmlFor: "invite-name" }, text("invite.name")), name),
    button, problem,
  );
  whenSubmitted(made, button, problem, send, (error) => {
    email.focus();
    return sentence(error, email.value.trim());
  });
  return made;
}

/** @param {Refused | Unreachable} error @param {string} email */
function sentence(error, email) {
  if (error instanceof Unreachable) return text("app.unreachable");
  const known = { Invalid: "invite.invalid", TooManyTries: "invite.tooMany" };
  const key = /** @type {Record<string, string>} */ (known)[error.code];
  return key ? text(key, { email }) : refusal(error);
}
