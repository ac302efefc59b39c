/**
 * Moves a box smoothly at display rate between results that come late and less often. Pure.
 *
 * Results go into an alpha-beta filter, which estimates where the box is and how fast it moves; what is
 * shown approaches the filter's prediction as a critically damped spring, so it neither jumps nor overshoots.
 * https://en.wikipedia.org/wiki/Alpha_beta_filter
 *
 * @typedef {import("../../shared/protocol.js").Box} Box
 */

/** How much of a prediction error goes into the position: near 1, as the landmarks are steady. */
const POSITION_GAIN = 0.8;

/** How much of it goes into the velocity. */
const VELOCITY_GAIN = 0.35;

/** A prediction further ahead than this stands still: people turn round, results get lost. */
const MAX_PREDICTION_MS = 350;

/** The spring's natural frequency; what is shown has closed 95% of a gap after about 120 ms. */
const SPRING_PER_MS = 0.04;

/** A box that is further away than this many of its widths is shown there at once. */
const MAX_GLIDE_WIDTHS = 1;

export class BoxMotion {
  /** @param {Box} box @param {number} captured_ms when the camera saw it */
  constructor(box, captured_ms) {
    this.values = box.map((value) => new Glide(value, captured_ms));
  }

  /** Update with a result. @param {Box} box @param {number} captured_ms */
  measure(box, captured_ms) {
    const shown = this.values.map((value) => value.shown);
    const jump = Math.hypot(box[0] - shown[0], box[1] - shown[1]) > MAX_GLIDE_WIDTHS * Math.max(box[2], shown[2]);
    if (jump) this.values = box.map((value) => new Glide(value, captured_ms));
    else this.values.forEach((value, index) => value.measure(box[index], captured_ms));
  }

  /** The box to show. @param {number} now_ms @returns {Box} */
  at(now_ms) {
    const [x, y, width, height] = this.values.map((value) => value.at(now_ms));
    return [x, y, width, height];
  }
}

/** One number of a box. */
class Glide {
  /** @param {number} value @param {number} captured_ms */
  constructor(value, captured_ms) {
    this.estimate = value;
    this.velocity = 0;
    this.captured_ms = captured_ms;
    this.shown = value;
    this.shown_velocity = 0;
    this.shown_ms = captured_ms;
  }

  /** @param {number} value @param {number} captured_ms */
  measure(value, captured_ms) {
    const elapsed_ms = captured_ms - this.captured_ms;
    if (elapsed_ms <= 0) return;
    const prediction = this.estimate + this.velocity * Math.min(elapsed_ms, MAX_PREDICTION_MS);
    this.estimate = prediction + POSITION_GAIN * (value - prediction);
    this.velocity += (VELOCITY_GAIN * (value - prediction)) / elapsed_ms;
    this.captured_ms = captured_ms;
  }

  /** @param {number} now_ms */
  at(now_ms) {
    const elapsed_ms = Math.max(0, now_ms - this.shown_ms);
    const ahead_ms = Math.max(0, now_ms - this.captured_ms);
    const velocity = ahead_ms < MAX_PREDICTION_MS ? this.velocity : 0;
    const goal = this.estimate + this.velocity * Math.min(ahead_ms, MAX_PREDICTION_MS);
    this.#approach(goal, velocity, elapsed_ms);
    this.shown_ms = Math.max(now_ms, this.shown_ms);
    return this.shown;
  }

  /**
   * The exact step of the spring x'' = -2 w (x' - velocity) - w^2 (x - goal) over `elapsed_ms`, with a goal
   * that moves at `velocity` and has arrived at `goal` by the end of the step.
   * @param {number} goal @param {number} velocity @param {number} elapsed_ms
   */
  #approach(goal, velocity, elapsed_ms) {
    const gap = this.shown - (goal - velocity * elapsed_ms);
    const drift = this.shown_velocity - velocity + SPRING_PER_MS * gap;
    const decay = Math.exp(-SPRING_PER_MS * elapsed_ms);
    this.shown = goal + (gap + drift * elapsed_ms) * decay;
    this.shown_velocity = velocity + (drift - SPRING_PER_MS * (gap + drift * elapsed_ms)) * decay;
  }
}
