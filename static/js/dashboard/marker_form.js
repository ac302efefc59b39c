import { create } from "../shared/dom.js";
import { t } from "../shared/translate.js";

/**
 * The form in which a host gives a marker its label and its time.
 *
 * @typedef {{label: string, at: Date}} Given
 * @typedef {{label: string, time: string | undefined}} Entered  `time` in ISO 8601; undefined: it was left as it was
 * @typedef {{onSave: (entered: Entered) => void, onCancel: () => void}} FormActions
 */

const MAX_LABEL_LENGTH = 200;

/** @param {Given} given @param {FormActions} actions @returns {{root: HTMLFormElement, focus: () => void}} */
export function markerForm({ label, at }, { onSave, onCancel }) {
  const root = create("form", "marker-edit");
  const labelField = field("text", t("Label"), label);
  labelField.input.maxLength = MAX_LABEL_LENGTH;
  const timeField = field("datetime-local", t("Time"), localTime(at));
  timeField.input.step = "0.001";
  const cancel = create("button", "button", t("Cancel"));
  cancel.type = "button";
  cancel.addEventListener("click", onCancel);
  root.append(labelField.root, timeField.root, create("button", "button is-main", t("Save")), cancel);
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const entered = new Date(timeField.input.value); // the browser may write the same time with fewer digits
    const isMoved = entered.getTime() !== at.getTime();
    onSave({ label: labelField.input.value, time: isMoved ? entered.toISOString() : undefined });
  });
  return { root, focus: () => labelField.input.focus() };
}

/** @param {string} type @param {string} name @param {string} value */
function field(type, name, value) {
  const root = create("label", "marker-field", name);
  const input = document.createElement("input");
  Object.assign(input, { type, value, required: true });
  root.append(input);
  return { root, input };
}

/** A time as a field for local times has it. @param {Date} at */
function localTime(at) {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, -1);
}
