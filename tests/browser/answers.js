// Runs before a page's own scripts: `window.answered` gets one record for each answer to a frame,
// {"arrived_ms", "captured_ms"}, both on the clock of performance.now().
(() => {
  const FRAME = /^451-(?<ack>\d+)\["frame",(?<meta>\{.*?\})/;
  const ANSWER = /^43(?<ack>\d+)\[/;
  window.answered = [];

  window.WebSocket = class extends WebSocket {
    captured_ms = new Map();

    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        const ack = typeof data === "string" && ANSWER.exec(data)?.groups.ack;
        const captured_ms = this.captured_ms.get(ack);
        if (captured_ms) window.answered.push({ arrived_ms: performance.now(), captured_ms });
        this.captured_ms.delete(ack);
      });
    }

    send(data) {
      const frame = typeof data === "string" && FRAME.exec(data)?.groups;
      if (frame) this.captured_ms.set(frame.ack, JSON.parse(frame.meta).captured_ms - performance.timeOrigin);
      super.send(data);
    }
  };
})();
