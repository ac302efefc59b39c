import { create, write } from "../shared/dom.js";
import { t } from "../shared/translate.js";

/** The server's own words about a problem, folded away: they are English and may name settings of the server. */
export class ProblemDetail {
  constructor() {
    this.root = create("details", "file-detail");
    this.text = create("p", "");
    Object.assign(this.text, { lang: "en", dir: "ltr" });
    this.root.append(create("summary", "", t("Details (in English)")), this.text);
    this.root.hidden = true;
  }

  /** @param {string} detail nothing hides it */
  show(detail) {
    write(this.text, detail);
    this.root.hidden = detail === "";
  }
}
