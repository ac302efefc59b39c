import { LivePage } from "../live/page.js";
import { SampleLoop } from "../live/sample_loop.js";
import { element, write } from "../shared/dom.js";

new SampleLoop(element("sample", HTMLElement)).start();

new LivePage({
  connect: async (onState) => {
    const { Connection } = await import("../shared/connection.js");
    return new Connection(onState);
  },
  onEnd: (view) => write(element("analysed", HTMLElement), String(view?.analysed ?? 0)),
}).start();
