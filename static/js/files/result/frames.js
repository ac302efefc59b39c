import { ANSWER_TIMEOUT_MS, answerOf, ask, fileOf, unreachable } from "../api.js";

/**
 * The results of a file, in the order of its frames.
 *
 * Landmarks are by far the most of them: a frame's are kept as the JSON that came, and read when it is shown.
 *
 * @typedef {import("../../shared/protocol.js").Face} Face
 * @typedef {import("../../shared/protocol.js").Box} Box
 * @typedef {Omit<Face, "landmarks" | "raw_probabilities">} SlimFace
 * @typedef {{t: number, faces: SlimFace[], json: string}} Frame  `t` in seconds; `json` is empty where there was no room
 * @typedef {{face: SlimFace, box: Box}} Placed  `box`: where the face is at a time between two frames
 */

/** The landmarks of about an hour of one face at five frames a second. */
const MAX_JSON_LENGTH = 60_000_000;

/** What a frame shows is taken to hold on for this long, or for two frames where those are further apart. */
const MIN_HOLD_S = 1;

/** Times differ by rounding. */
const EPSILON_S = 0.0005;

export class Frames {
  /** @param {Frame[]} list in the order of their times @param {string[]} inputs the files that they are of */
  constructor(list, inputs) {
    this.list = list;
    this.inputs = inputs;
    this.step_s = medianStep(list);
    this.last_s = list.at(-1)?.t ?? 0;
    this.end_s = this.last_s + this.step_s;
  }

  /** The index of the frame that is shown at a time; -1 before the first. @param {number} time_s */
  indexAt(time_s) {
    let [low, high] = [0, this.list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle].t <= time_s + EPSILON_S) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The faces at a time. Between two analyzed frames that both have a face, its box moves from one to the other. @param {number} time_s @returns {Placed[]} */
  at(time_s) {
    const index = this.indexAt(time_s);
    const frame = this.list[index];
    if (!frame || time_s - frame.t > Math.max(MIN_HOLD_S, 2 * this.step_s)) return [];
    const next = this.list[index + 1];
    const fraction = next ? Math.max(0, Math.min(1, (time_s - frame.t) / (next.t - frame.t))) : 0;
    return frame.faces.map((face) => {
      const later = next?.faces.find(({ id }) => id === face.id);
      return { face, box: later ? between(face.box, later.box, fraction) : face.box };
    });
  }
}

/** @param {Box} from @param {Box} to @param {number} fraction @returns {Box} */
function between(from, to, fraction) {
  const [x, y, width, height] = from.map((value, at) => value + fraction * (to[at] - value));
  return [x, y, width, height];
}

/** @param {Frame[]} list */
function medianStep(list) {
  const steps = list.slice(1).map(({ t }, index) => t - list[index].t).sort((first, second) => first - second);
  return steps[steps.length >> 1] ?? 0;
}

/** The landmarks of the faces of a frame, by id. @param {Frame} frame @returns {Map<number, import("../../shared/protocol.js").Landmarks>} */
export function landmarksOf({ json }) {
  /** @type {Face[]} */
  const faces = json ? JSON.parse(json).faces : [];
  return new Map(faces.map(({ id, landmarks }) => [id, landmarks]));
}

/** The results of a photo that needed no job. @param {import("../../shared/protocol.js").Result} result @param {string} name */
export function framesOfPhoto(result, name) {
  return new Frames([frameOf({ t: 0, ...result }, JSON.stringify(result))], [name]);
}

/** The results of a job: an array with one frame a line. @param {string} id @param {AbortSignal} signal @throws {import("../api.js").RefusedError} */
export async function framesOfJob(id, signal) {
  const response = await ask(fileOf(id, "results.json"), { signal });
  if (!response.ok || !response.body) throw answerOf(response.status, await response.text());
  /** @type {Frame[]} */
  const list = [];
  const inputs = new Set();
  let room = MAX_JSON_LENGTH;
  for await (const line of linesOf(response.body)) {
    const json = line.replace(/,$/, "");
    if (!json.startsWith("{")) continue; // the brackets around the array have lines of their own
    const frame = JSON.parse(json);
    room -= json.length;
    inputs.add(frame.input);
    list.push(frameOf(frame, room > 0 ? json : ""));
  }
  return new Frames(list, [...inputs]);
}

/** @param {{t: number, faces: Face[]}} frame @param {string} json @returns {Frame} */
function frameOf({ t, faces }, json) {
  return { t, faces: faces.map(({ landmarks: _in_json, raw_probabilities: _in_files, ...slim }) => slim), json };
}

/** @param {ReadableStream<Uint8Array>} body @throws {import("../api.js").RefusedError} it broke off */
async function* linesOf(body) {
  const [reader, decoder] = [body.getReader(), new TextDecoder()];
  let rest = "";
  for (let part = await nextPart(reader); !part.done; part = await nextPart(reader)) {
    const lines = (rest + decoder.decode(part.value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest) yield rest;
}

/** The next part, unless the server is silent for longer than it may be. @param {ReadableStreamDefaultReader<Uint8Array>} reader */
async function nextPart(reader) {
  let timer = 0;
  const silence = new Promise((_resolve, reject) => (timer = setTimeout(() => reject(new Error("The server is silent.")), ANSWER_TIMEOUT_MS)));
  try {
    return await /** @type {ReturnType<typeof reader.read>} */ (Promise.race([reader.read(), silence]));
  } catch (error) {
    console.debug("The results broke off:", error);
    reader.cancel().catch(() => {});
    throw unreachable();
  } finally {
    clearTimeout(timer);
  }
}
