import { Live } from "../live/view.js";
import { LABELS } from "../shared/protocol.js";
import { RoomLink } from "./connection.js";

/** The live view of a room: it joins before it sends, and may show probabilities relative to one's neutral. */
export class RoomLive extends Live {
  relative = false;

  /**
   * @param {{max_bytes: number, smoothing: import("../shared/smoothing.js").SmoothingChoice, onCameraLost: () => void}} given
   * @param {import("./connection.js").Consent} consent
   * @param {import("./connection.js").Memory} memory
   * @param {import("./connection.js").Listener} listener
   */
  constructor(given, consent, memory, listener) {
    super(given);
    this.joining = { consent, memory, listener };
  }

  /** @param {(state: import("../shared/connection.js").LinkState) => void} onState */
  createLink(onState) {
    const { consent, memory, listener } = this.joining;
    this.roomLink = new RoomLink(onState, consent, memory, listener);
    return this.roomLink;
  }

  /** @param {import("../shared/protocol.js").Result} result */
  read(result) {
    return this.relative ? { ...result, faces: result.faces.map(relativeTo) } : result;
  }
}

/** An expression is named only where it stands out: a face like one's neutral has 1/7 for each. */
export const STANDS_OUT = 0.25;

/** The face with its relative probabilities in place of the plain ones. @param {import("../shared/protocol.js").Face} face */
function relativeTo(face) {
  const probabilities = face.relative_probabilities;
  if (!probabilities) return face;
  const first = LABELS.reduce((best, next) => (probabilities[next] > probabilities[best] ? next : best));
  const expression = probabilities[first] >= STANDS_OUT ? first : "neutral";
  return { ...face, probabilities, expression, confidence: probabilities[expression] };
}
