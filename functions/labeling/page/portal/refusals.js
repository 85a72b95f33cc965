/** What the portal refuses, in the worker's language; by the refusal's code, since its message is English. */
import { text } from "../texts/portal.js";
import { passwordRules } from "./password_rules.js";

/** @type {Record<string, string>} */
const TEXTS = {
  SignInRefused: "sign.refused",
  TooManyTries: "sign.tooMany",
  ChallengeOver: "password.over",
  CodeRefused: "reset.refused",
  FactorRefused: "factor.refused",
  FactorThere: "factor.there",
  SignedOut: "sign.again",
  NoSuchJob: "refused.noJob",
  NoSuchTeam: "refused.noTeam",
  NoSuchMember: "refused.noMember",
  NoSuchObject: "refused.noObject",
  NotLead: "refused.notLead",
  AlreadyMember: "invite.already",
  NotSent: "invite.notSent",
  NotInvited: "refused.notInvited",
  NotYours: "work.taken",
  TaskTaken: "work.taken",
  NotHandedOut: "work.returned",
  NoSuchTask: "work.answered",
  TaskDone: "work.answered",
  AlreadyAnswered: "work.answered",
  AlreadyDeclined: "work.answered",
  JobEnded: "work.late",
  TooLarge: "refused.tooLarge",
  TemplateBroken: "refused.template",
  PasswordRefused: "refused.password",
  AnswerInvalid: "refused.answer",
  // What only a page asks that is older than the portal, or broken.
  Invalid: "refused.page",
  NotJson: "refused.page",
  Forbidden: "refused.page",
  NotFound: "refused.page",
  MethodNotAllowed: "refused.page",
};

/** @param {import("./api.js").Refused} error @returns {string} */
export function refusal({ code, message, details }) {
  const key = TEXTS[code];
  if (!key) return message;
  const rules = Array.isArray(details.rules) ? passwordRules(details.rules).map(({ words }) => words).join(", ") : "";
  return text(details.rule ? `${key}.${details.rule}` : key, { ...details, rules }, message);
}
