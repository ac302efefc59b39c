import { LivePage } from "../live/page.js";
import { SampleLoop } from "../live/sample_loop.js";
import { element, write } from "../shared/dom.js";
import { tn } from "../shared/translate.js";

/** What happened while the camera was on. @param {number} frames */
function summary(frames) {
  return tn("%(count)s frame was analyzed and discarded. Nothing is stored.", "%(count)s frames were analyzed and discarded. Nothing is stored.", frames);
}

new SampleLoop(element("sample", HTMLElement)).start();

const loadConnection = () => import("../shared/connection.js");

new LivePage({
  load: loadConnection,
  connect: async (onState) => {
    const { Connection } = await loadConnection();
    return new Connection(onState);
  },
  onEnd: (view) => write(element("stopped-summary", HTMLElement), summary(view?.analyzed ?? 0)),
}).start();
