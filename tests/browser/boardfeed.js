// Runs before a board's own scripts: notes its updates, and can feed it hours of them in seconds.
(() => {
  const now = performance.now.bind(performance);
  const feed = { times_ms: [], last: null, video: [], blocked: false, skipped_ms: 0, fed_minutes: 0, connections: 0, socket: null, board: null };
  window.boardFeed = feed;
  performance.now = () => now() + feed.skipped_ms;

  const LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
  const PREFIX = '42["board",';
  const VIDEO = /^451-\d+\["video"/;
  let header = "";
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      feed.connections += 1;
      feed.socket = this; // the newest alone, so that what a page holds is its own
      this.addEventListener("message", (event) => {
        if (typeof event.data === "string") header = event.data; // binary data belongs to the text before it
        const shown = header.startsWith(PREFIX) || VIDEO.test(header);
        if (event.fed || !shown) return;
        if (header.startsWith(PREFIX)) feed.board = this;
        if (feed.blocked) event.stopImmediatePropagation();
        else note(event.data);
      });
    }
  };

  function note(data) {
    if (typeof data !== "string") feed.video.push(data);
    else if (VIDEO.test(data)) feed.video = [data];
    else {
      feed.times_ms.push(now());
      feed.last = JSON.parse(data.slice(2))[1];
    }
  }

  /** Updates of so many minutes, 250 ms apart on the page's clock: faces change, people go and come, markers are set, video comes. */
  window.feedMinutes = async (minutes) => {
    feed.blocked = true;
    const summary = structuredClone(feed.last);
    for (let minute = 0; minute < minutes; minute += 1) {
      await connected();
      for (let update = 0; update < 240; update += 1) {
        feed.skipped_ms += 250;
        summary.now_ms += 250;
        change(summary, update);
        receive(PREFIX + JSON.stringify(summary) + "]");
        if (update % 40 === 0) await new Promise((done) => setTimeout(done)); // for the connection to stay alive
      }
      feed.video.forEach(receive);
      feed.fed_minutes += 1;
    }
  };

  /** A page connects again when it hears nothing for long, as on a busy machine: wait until the newest shows the board. */
  async function connected() {
    while (feed.board !== feed.socket || feed.board.readyState !== WebSocket.OPEN)
      await new Promise((done) => setTimeout(done, 50));
  }

  function receive(data) {
    const event = new MessageEvent("message", { data });
    event.fed = true;
    feed.socket.dispatchEvent(event);
  }

  function change(summary, update) {
    if (update === 0) {
      summary.participants.push({ ...summary.participants.shift(), id: String(Math.random()) });
      summary.markers.push({ at_ms: summary.now_ms, label: `Minute ${feed.fed_minutes}` });
      summary.markers.splice(0, summary.markers.length - 20);
    }
    for (const person of summary.participants) {
      if (Math.random() > 0.3) continue;
      const first = Math.floor(7 * Math.random());
      person.probabilities = LABELS.map((_, index) => (index === first ? 0.7 : 0.05));
      person.relative = person.probabilities;
      person.expression = LABELS[first];
      person.valence = Math.random() * 2 - 1;
      person.warning = Math.random() > 0.1 ? null : "several faces";
      person.latency_ms = Math.round(100 * Math.random());
    }
  }
})();
